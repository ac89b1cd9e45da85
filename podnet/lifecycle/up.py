"""``podnet up``: from whatever there is to a verified cluster."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

from podnet.errors import PodnetError
from podnet.lifecycle import backend, preflight, prerequisites, stages
from podnet.lifecycle.engine import Engine, engine
from podnet.lifecycle.host import Host
from podnet.lifecycle.prerequisites import Prerequisites
from podnet.lifecycle.settling import settle
from podnet.lifecycle.state import given_up, inputs_of, urn_of
from podnet.lifecycle.workspace import Workspace
from podnet.model import Cluster, MachineProvider


def up(workspace: Workspace, options: Sequence[str] = (), replace: Sequence[str] = ()) -> bool:
    """Make everything that is missing, then ``pulumi up``; whether that succeeded.

    options: for the last ``pulumi up``. replace: nodes whose machines are replaced.
    """
    cluster = workspace.cluster()
    known = [node.name for node in cluster.nodes]
    if strangers := [name for name in replace if name not in known]:
        raise PodnetError(f"there is no node {', '.join(strangers)} to replace; the stack has {', '.join(known)}")
    with engine(workspace, prepare_host(workspace)) as pulumi:
        if pulumi.add_stack():
            _say_where(workspace)
        host = Host(workspace.stack, pulumi.variables)
        started = host.resume(leave=replace)
        state = settle(pulumi, cluster)
        # What the state does not have was cut off while it was made: nothing was proved with it.
        proved = inputs_of(state, "verify")
        if started and not replace and proved and all(inputs_of(state, f"{name}-vm") for name in started):
            host.wait_until_proved(proved["stdin"])
        return deploy(pulumi, cluster, state, options, replace)


def deploy(
    pulumi: Engine, cluster: Cluster, state: dict[str, Any], options: Sequence[str] = (), replace: Sequence[str] = ()
) -> bool:
    """Deploy a cluster, in stages where it takes several deployments; whether they succeeded.

    state: the stack's, settled. options, replace: as of ``up``.
    """
    what = "claim" if cluster.provider is MachineProvider.SSH else "vm"
    machines = [f"{name}-{what}" for name in replace]
    held = stages.held(state)
    while stage := stages.first(cluster, held):
        print(stage, file=sys.stderr)
        file = pulumi.scratch.folder / pulumi.workspace.stack_file.name
        file.write_text(stages.described(stage, pulumi.workspace.stack_file.read_text()))
        if not _deploy(pulumi, stage.cluster, state, machines, [f"--config-file={file}"]):
            return False
        state, before = pulumi.state(), held
        held = stages.held(state)
        if held == before:
            raise AssertionError(f"a first step changed nothing of what is held: {stage.why}")
    # What has drifted since is put right too; of a machine that is replaced nothing can be read.
    look = [f"--replace={urn_of(name)}" for name in machines] or ["--refresh"]
    return _deploy(pulumi, cluster, state, machines, [*look, *options])


def _deploy(
    pulumi: Engine, cluster: Cluster, state: dict[str, Any], machines: Sequence[str], options: Sequence[str]
) -> bool:
    """Make one deployment. machines: those that are replaced by order, with this or a later one.

    On machines that it replaces the engine is to undo nothing: they may be lost, and nobody answers there. Every
    deployment takes that mark off again, so each one needs it.
    """
    if given_up(state, {*machines, *stages.made_again(cluster, state)}):
        pulumi.put_state(state)
    return pulumi.show("up", "--yes", "--skip-preview", *options)


def prepare_host(workspace: Workspace) -> Prerequisites:
    """Make everything that a deployment needs of this machine. Raises PodnetError where it cannot have the stack."""
    cluster = workspace.cluster()
    needs_box = cluster.provider is MachineProvider.LXC
    _require_fit_host(needs_box=needs_box)
    preflight.require_space(workspace.places.cache, cold=not workspace.places.box_cache.exists())
    makes_machines = cluster.provider is not MachineProvider.SSH
    preflight.install_packages(preflight.missing_packages(makes_machines=makes_machines))
    if needs_box:
        print(workspace.host().check(cluster), end="", flush=True)
    return prerequisites.for_stack(workspace.places, workspace.python, bundle=True, box=needs_box)


def prepare(workspace: Workspace) -> None:
    """Make the toolchain, the node bundle and the box, and nothing else."""
    _require_fit_host(needs_box=True)
    preflight.install_packages(preflight.missing_packages())
    prerequisites.for_stack(workspace.places, workspace.python, bundle=True, box=True)


def _require_fit_host(*, needs_box: bool) -> None:
    preflight.require_architecture()
    if doubt := preflight.doubt():
        print(doubt, flush=True)
    if needs_box:
        preflight.require_debians_vagrant()
    preflight.require_root()


def _say_where(workspace: Workspace) -> None:
    """Say where the state of a new stack goes, and its secrets in it, where that is not podnet's own backend."""
    places = workspace.places
    url = backend.url_of(places, workspace.stack, os.environ)
    folder = backend.folder_of(url)
    if folder == places.backend:
        return
    why = "as PULUMI_BACKEND_URL says" if os.environ.get("PULUMI_BACKEND_URL") else "where you are logged in"
    print(
        f"Pulumi keeps the state of {workspace.stack}, and in it its keys, encrypted, in {url}, {why}; "
        f"PULUMI_BACKEND_URL=file://{places.backend} make up keeps it here."
    )
    if folder is None:
        print("A run that is killed leaves its lock there: pulumi cancel takes it away.", flush=True)
