"""The host's part: how nodes are logged in to, and for machines that podnet makes, what they are made with."""

from __future__ import annotations

import pulumi

from podnet.commands import ssh, vagrant
from podnet.kinds import Kind
from podnet.model import Cluster, MachineProvider
from podnet.resources.runner import Component, Secrecy, on_host, secret, texts


class Host(Component):
    """What the host holds for a stack. It goes away with the stack."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(
            Kind.HOST,
            "host",
            {
                "provider": str(cluster.provider),
                "machineNetworks": texts([cluster.machine_network]),
                "gateway": str(cluster.gateway),
            },
        )
        self._cluster = cluster
        config = on_host("ssh-config", ssh.ssh_config(cluster), parent=self, triggers=[cluster.name])
        self.needed_by_ssh: list[pulumi.Resource] = [config]
        self.needed_by_machines: list[pulumi.Resource] = []
        self._private_key: pulumi.Output[str] | None = None
        if cluster.provider is MachineProvider.SSH:
            self._prepare_for_existing()
        else:
            self._prepare_for_machines()

    @property
    def machines_key(self) -> pulumi.Output[str]:
        """The private key that opens the machines that podnet makes."""
        if self._private_key is None:
            raise AssertionError("podnet makes no machine here, so there is no key for one")
        return self._private_key

    def _prepare_for_existing(self) -> None:
        known = ssh.known_hosts(self._cluster)
        self.needed_by_ssh.append(on_host("known-hosts", known, parent=self, triggers=[self._cluster.name]))

    def _prepare_for_machines(self) -> None:
        cluster = self._cluster
        component = Component(Kind.PRIVATE_KEY, "machines", {}, parent=self, moved_from=self)
        key = on_host(
            "ssh-key", ssh.ssh_key(cluster), parent=component, triggers=[cluster.name], secrecy=Secrecy(stdout=True)
        )
        self._private_key = secret(key.stdout)
        # The key's folder is Vagrant's folder.
        folder = on_host(
            "vagrant-folder",
            vagrant.folder(cluster),
            parent=self,
            depends_on=[key],
            triggers=[cluster.name],
        )
        self.needed_by_machines.append(folder)
        if cluster.provider is MachineProvider.LXC:
            self.needed_by_machines.append(self._bridge())

    def _bridge(self) -> pulumi.Resource:
        cluster = self._cluster
        component = Component(
            Kind.BRIDGE,
            "bridge",
            {
                "bridge": vagrant.bridge_name(cluster),
                "gateway": str(cluster.gateway),
                "machineNetworks": texts([cluster.machine_network]),
            },
            parent=self,
            moved_from=self,
        )
        # What names it is the stack's own name, so nothing replaces it: boxes hang on it.
        return on_host("network", vagrant.bridge(cluster), parent=component, keeps_triggers=True)
