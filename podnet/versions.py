"""The one place that names the versions of what podnet puts on a node."""

from __future__ import annotations

from typing import Final

KUBERNETES: Final = "1.37.2"
"""Kubernetes: the newest minor that passes podnet's end-to-end tests."""

CONTAINERD: Final = "2.3.7"
CNI_PLUGINS: Final = "1.9.1"
ETCD: Final = "3.7.0"
COREDNS: Final = "1.14.6"
PAUSE: Final = "3.10.2"
"""etcd, CoreDNS and pause are the versions that kubeadm of this Kubernetes asks for (`kubeadm config images list`)."""

PULUMI: Final = "3.250.0"
PULUMI_COMMAND: Final = "1.2.1"
PULUMI_KUBERNETES: Final = "4.25.0"

ACTIONLINT: Final = "1.7.12"
"""Checks the workflows under .github, in a test."""

NGINX: Final = "1.22.1"
"""nginx: Debian 12's, the release that the node image is made of."""

PROBE: Final = "1"
"""The probe image: Debian 12's python3. The probe's program comes to it from the cluster, so this seldom changes."""

AGNHOST: Final = "2.66.1"
DNS_TESTING: Final = "2.1.1"
"""The images of Kubernetes' own network tests, by the versions that this Kubernetes' tests ask for."""
