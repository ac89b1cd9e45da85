"""Asking the live cluster: kubectl on the host, SSH to the nodes, probes in pods. Nothing here knows Pulumi."""
