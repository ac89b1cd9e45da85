"""Container images without a registry: made from the toolchain's binaries and one Debian layer."""
