"""The host's part: the machines' network, the key that opens them, and Vagrant's folder."""

from __future__ import annotations

import pulumi

from podnet.commands import host
from podnet.model import Cluster, MachineProvider
from podnet.resources.runner import Secrecy, on_host, secret


class Host(pulumi.ComponentResource):
    """What the host holds for a stack. It goes away with the stack."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__("podnet:host:Host", "host")
        self.key = on_host(
            "ssh-key", host.ssh_key(cluster), parent=self, triggers=[cluster.name], secrecy=Secrecy(stdout=True)
        )
        # The key's folder is Vagrant's folder.
        self.vagrant = on_host(
            "vagrant-folder",
            host.vagrant_folder(cluster),
            parent=self,
            depends_on=[self.key],
            triggers=[cluster.name],
        )
        self.needed_by_machines: list[pulumi.Resource] = [self.vagrant]
        if cluster.provider is MachineProvider.LXC:
            network = host.network(cluster)
            self.needed_by_machines.append(
                on_host("network", network, parent=self, triggers=[network.delete], delete_before_replace=True)
            )
        self.private_key = secret(self.key.stdout)
        self.register_outputs({})
