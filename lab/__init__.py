"""The embedded default: what ``make up`` needs on a bare machine. The toolchain, the node bundle, the box."""
