"""The node bundle: everything a node needs before Kubernetes, in one file that the host holds."""
