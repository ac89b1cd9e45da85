"""The host's part: how nodes are logged in to, and for machines that podnet makes, what they are made with."""

from __future__ import annotations

import pulumi

from podnet.commands import host
from podnet.model import Cluster, MachineProvider
from podnet.resources.runner import Secrecy, on_host, secret


class Host(pulumi.ComponentResource):
    """What the host holds for a stack. It goes away with the stack."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__("podnet:host:Host", "host")
        self._cluster = cluster
        config = on_host("ssh-config", host.ssh_config(cluster), parent=self, triggers=[cluster.name])
        self.needed_by_ssh: list[pulumi.Resource] = [config]
        self.needed_by_machines: list[pulumi.Resource] = []
        self._private_key: pulumi.Output[str] | None = None
        if cluster.provider is MachineProvider.SSH:
            self._prepare_for_existing()
        else:
            self._prepare_for_machines()
        self.register_outputs({})

    @property
    def machines_key(self) -> pulumi.Output[str]:
        """The private key that opens the machines that podnet makes."""
        if self._private_key is None:
            raise AssertionError("podnet makes no machine here, so there is no key for one")
        return self._private_key

    def _prepare_for_existing(self) -> None:
        known = host.known_hosts(self._cluster)
        self.needed_by_ssh.append(on_host("known-hosts", known, parent=self, triggers=[self._cluster.name]))

    def _prepare_for_machines(self) -> None:
        cluster = self._cluster
        key = on_host(
            "ssh-key", host.ssh_key(cluster), parent=self, triggers=[cluster.name], secrecy=Secrecy(stdout=True)
        )
        self._private_key = secret(key.stdout)
        # The key's folder is Vagrant's folder.
        folder = on_host(
            "vagrant-folder",
            host.vagrant_folder(cluster),
            parent=self,
            depends_on=[key],
            triggers=[cluster.name],
        )
        self.needed_by_machines.append(folder)
        if cluster.provider is MachineProvider.LXC:
            network = host.network(cluster)
            self.needed_by_machines.append(
                on_host("network", network, parent=self, triggers=[network.delete], delete_before_replace=True)
            )
