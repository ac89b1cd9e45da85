"""A node's share of the pod network beside the CNI conf: routes and masquerade."""

from __future__ import annotations

from podnet.planning import Masquerade, Route


def route(route: Route) -> str:
    """The line in /etc/podnet/routes.d for one route, in ip-route(8)'s words."""
    return f"{route.destination} via {route.gateway}\n"


def masquerade(masquerade: Masquerade) -> str:
    """The nftables rules of one node (nft(8)).

    A table of podnet's own: it is replaced whole in one transaction, its removal leaves nothing, and where it stands
    among other tables does not matter. It translates by masquerade only: a connection that kube-proxy has already
    masqueraded (a pod that reaches itself through its Service) has its address and keeps it, because a connection
    is translated once.

    What kube-proxy has not translated is refused rather than lost on its way to the outside. Whatever is started
    before kube-proxy, CoreDNS above all, then tries again at once; a lost packet costs it half a minute.
    """
    unmasqueraded = ", ".join(str(network) for network in masquerade.unmasqueraded)
    return (
        "table ip podnet {\n"
        "    set unmasqueraded {\n"
        "        type ipv4_addr\n"
        "        flags interval\n"
        f"        elements = {{ {unmasqueraded} }}\n"
        "    }\n"
        "    chain forward {\n"
        "        type filter hook forward priority filter; policy accept;\n"
        f'        ip daddr {masquerade.services} reject comment "no Service there"\n'
        "    }\n"
        "    chain postrouting {\n"
        "        type nat hook postrouting priority srcnat + 10; policy accept;\n"
        f'        ip saddr {masquerade.source} ip daddr != @unmasqueraded masquerade comment "pods to the outside"\n'
        "    }\n"
        "}\n"
    )
