"""The embedded default: from a host to a verified cluster, and back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab import conformance, environment, locks, preflight, review, stages
from lab.box import build as box_build
from lab.bundle import build as bundle_build
from lab.host import Host
from lab.program import root_command, run
from lab.state import given_up, inputs_of, settled, urn_of
from lab.steps import step
from lab.toolchain import ensure
from lab.toolchain.plugins import install_plugins
from lab.toolchain.toolchain import Toolchain
from podnet.config import from_stack_file
from podnet.errors import PodnetError
from podnet.model import Cluster, MachineProvider
from podnet.observe.host import require_room
from podnet.render.vagrant import bridge_name
from podnet.review.interruption import interruptions
from podnet.review.steps import logged, proposed


@dataclass(frozen=True, slots=True)
class Lab:
    """A stack on this host. python: the interpreter of podnet's own environment."""

    stack: str
    where: environment.Places
    python: Path

    def up(self, options: Sequence[str] = (), replace: Sequence[str] = ()) -> int:
        """Make everything that is missing, then ``pulumi up``; the exit code. replace: nodes to make anew."""
        cluster = from_stack_file(self._stack_file())
        known = [node.name for node in cluster.nodes]
        if strangers := [name for name in replace if name not in known]:
            raise PodnetError(f"there is no node {', '.join(strangers)} to replace; the stack has {', '.join(known)}")
        variables = self.ready()
        what = "claim" if cluster.provider is MachineProvider.SSH else "vm"
        anew = [f"{name}-{what}" for name in replace]
        host = Host(self.stack, variables)
        started = host.resume(leave=replace)
        state = self._settle(variables, cluster, anew=anew)
        # What the state does not have was cut off while it was made: nothing was proved with it.
        proved = inputs_of(state, "verify")
        if started and not replace and proved and all(inputs_of(state, f"{name}-vm") for name in started):
            host.wait_until_proved(proved["stdin"])
        if code := self._make_way(cluster, state, variables):
            return code
        # What has drifted since is put right too; of a node that is made anew nothing can be read.
        look = [f"--replace={urn_of(name)}" for name in anew] or ["--refresh"]
        return self._pulumi(["up", "--yes", "--skip-preview", *look, *options], variables)

    def _make_way(self, cluster: Cluster, state: Mapping[str, Any], variables: Mapping[str, str]) -> int:
        """Deploy first what a change needs to have been made before; the exit code of that."""
        while stage := stages.first(cluster, stages.held(state)):
            print(_in_stages(stage), file=sys.stderr)
            with tempfile.TemporaryDirectory(prefix="podnet-") as folder:
                file = Path(folder) / self._stack_file().name
                file.write_text(stages.described(stage, self._stack_file().read_text()))
                if code := self._pulumi(["up", "--yes", "--skip-preview", f"--config-file={file}"], variables):
                    return code
            before, state = stages.held(state), self._state(variables)
            if stages.held(state) == before:
                raise AssertionError(f"a first step changed nothing of what is held: {stage.why}")
        return 0

    def _settle(
        self, variables: Mapping[str, str], cluster: Cluster | None, *, anew: Sequence[str] = ()
    ) -> dict[str, Any]:
        """Settle what a killed run left behind: its lock, and what it was about to do; the state.

        cluster: what is to be; None where all of the stack is to be undone. anew: machines that are to be made anew.
        The engine is to undo nothing on them: they may be lost, and nobody answers there.
        """
        self._clear_locks()
        state = self._state(variables)
        cut_off = settled(state, stages.goes(cluster, stages.held(state)) if cluster else lambda _: True)
        marked = given_up(state, {*anew, *(stages.made_again(cluster, state) if cluster else ())})
        if cut_off or marked:
            self._quiet(["stack", "import", "--stack", self.stack], variables, stdin=json.dumps(state))
        if cut_off:
            print(f"it was cut off at {', '.join(cut_off)}", file=sys.stderr)
        return state

    def _state(self, variables: Mapping[str, str]) -> dict[str, Any]:
        return dict(json.loads(self._quiet(["stack", "export", "--stack", self.stack], variables)))

    def _clear_locks(self) -> None:
        folder = environment.backend_folder(environment.backend_url(self.where, self.stack, os.environ))
        for said in locks.clear(folder, self.stack) if folder else ():
            print(said, file=sys.stderr)

    def ready(self) -> dict[str, str]:
        """Make everything that ``pulumi up`` needs; the environment for it."""
        cluster = from_stack_file(self._stack_file())
        needs_box = cluster.provider is MachineProvider.LXC
        self._require_host(needs_box=needs_box)
        preflight.require_root()
        preflight.require_space(self.where.cache, cold=not self.where.box_cache.exists())
        makes_machines = cluster.provider is not MachineProvider.SSH
        preflight.install_packages(preflight.missing_packages(makes_machines=makes_machines))
        if needs_box:
            print(Host(self.stack, self._plain_variables()).check(bridge_name(cluster)), end="", flush=True)
            require_room(cluster)
        variables = self._variables(self._make(needs_bundle=True, needs_box=needs_box))
        if self._select_stack(variables):
            self._say_where()
        return variables

    def _require_host(self, *, needs_box: bool) -> None:
        preflight.require_architecture()
        if doubt := preflight.doubt():
            print(doubt, flush=True)
        if needs_box:
            preflight.require_debians_vagrant()

    def _say_where(self) -> None:
        """Say where the state of a new stack goes, and its secrets in it, where that is not podnet's own backend."""
        url = environment.backend_url(self.where, self.stack, os.environ)
        folder = environment.backend_folder(url)
        if folder == self.where.backend:
            return
        why = "as PULUMI_BACKEND_URL says" if os.environ.get("PULUMI_BACKEND_URL") else "where you are logged in"
        print(
            f"Pulumi keeps the state of {self.stack}, and in it its keys, encrypted, in {url}, {why}; "
            f"PULUMI_BACKEND_URL=file://{self.where.backend} make up keeps it here."
        )
        if folder is None:
            print("A run that is killed leaves its lock there: pulumi cancel takes it away.", flush=True)

    def down(self) -> int:
        """``pulumi destroy`` and the end of the stack; the exit code."""
        variables = self._variables(self._make())
        if not self._has_stack(variables):
            print(f"there is no stack {self.stack}: nothing to take down")
            return 0
        if (self.where.stacks / self.stack / "machines.json").exists():
            preflight.require_root()
        self._settle(variables, None)
        code = self._pulumi(["destroy", "--yes", "--skip-preview"], variables)
        if code == 0:
            print(self._remove_stack(variables), end="")
        return code

    def halt(self) -> None:
        """Stop the stack's machines; ``up`` starts them again."""
        preflight.require_root()
        Host(self.stack, self._plain_variables()).halt()

    def preview(self, options: Sequence[str] = ()) -> int:
        """``pulumi preview``, and in words what a change would interrupt. It needs no root, no host and no cluster."""
        cluster = from_stack_file(self._stack_file())
        variables = self._variables(self._make(plan_only=True))
        is_new = self._select_stack(variables)
        self._clear_locks()
        if stage := stages.first(cluster, stages.held(self._state(variables))):
            print(_in_stages(stage), file=sys.stderr)
        with tempfile.TemporaryDirectory(prefix="podnet-") as folder:
            log = Path(folder) / "events"
            # The flag is one of the engine's own developers: a second preview would say the same, in twice the time.
            events = {**variables, "PULUMI_DEBUG_COMMANDS": "true"}
            code = self._pulumi(["preview", f"--event-log={log}", *options], events)
            if code == 0 and "--json" not in options:
                print(_interruptions(log.read_text()))
        if is_new:  # the engine wants one to preview in; nothing is up, so nothing stays
            self._remove_stack(variables)
        return code

    def preview_comment(self, base: str, output: Path | None) -> None:
        """Write what the checkout changes against a revision, as Markdown; needs no root, host, cluster or state."""
        after = from_stack_file(self._stack_file())
        text = review.of_checkout(after, base, self._previewer())
        if output:
            output.write_text(text)
        else:
            print(text, end="")

    def _previewer(self) -> review.Previewer:
        made = self._make(plan_only=True)
        return review.Previewer(self.stack, self.where.pulumi_home, self.python, made.toolchain.path)

    def env(self) -> str:
        """Shell text that puts the stack's tools into a shell. It builds no box, and only what the toolchain lacks."""
        return environment.exports(self._own_variables(self._make()))

    def conformance(self, *, quick: bool) -> int:
        """Kubernetes' own network tests on a stack that is up; 1 where one of them fails."""
        kubeconfig = self.where.stacks / self.stack / "admin.conf"
        if not kubeconfig.exists():
            raise PodnetError(f"the stack {self.stack} is not up here (no {kubeconfig}): make up brings it up")
        toolchain = ensure(["e2e", "kubernetes"])
        reports = environment.ROOT / "reports" / f"conformance-{self.stack}"
        focus = conformance.QUICK if quick else conformance.FULL
        outcome = conformance.run(toolchain.bin("e2e.test"), toolchain.path, kubeconfig, reports, focus)
        for name in outcome.failed:
            print(f"FAILED: {name}")
        print(outcome.summary)
        return 1 if outcome.failed else 0

    def prepare(self) -> None:
        """Make the toolchain, the node bundle and the box, and nothing else."""
        self._require_host(needs_box=True)
        preflight.require_root()
        preflight.install_packages(preflight.missing_packages())
        self._make(needs_bundle=True, needs_box=True)

    def _stack_file(self) -> Path:
        path = environment.ROOT / f"Pulumi.{self.stack}.yaml"
        if not path.exists():
            known = ", ".join(sorted(each.name.split(".")[1] for each in environment.ROOT.glob("Pulumi.*.yaml")))
            raise PodnetError(f"there is no {path.name}; the stacks here are {known} (make up STACK=NAME)")
        return path

    def _make(self, *, needs_bundle: bool = False, needs_box: bool = False, plan_only: bool = False) -> _Made:
        """Make what a command needs. What it does not need is used where it is there already."""
        environment.prepare(self.where)
        names = ["pulumi", "pulumi-command", "pulumi-kubernetes"] if plan_only else None
        toolchain = ensure(names)
        plugins = install_plugins(self.where.pulumi_home)
        if plugins.is_somebodys:
            print(plugins.describe(), file=sys.stderr)
        environment.link_policy_environment(self.python)
        if plan_only:
            return _Made(toolchain, None, None)
        cache = self.where.box_cache
        bundle = (bundle_build.build if needs_bundle else bundle_build.find)(cache, toolchain.bin)
        if bundle is None:
            return _Made(toolchain, None, None)
        if not needs_box:
            return _Made(toolchain, box_build.find(cache, bundle), bundle)
        box = box_build.build(cache, bundle, toolchain.bin)
        self._add_box(box)
        return _Made(toolchain, box, bundle)

    def _add_box(self, box: box_build.Box) -> None:
        if (self.where.vagrant_home / "boxes" / box.name).exists():
            return
        with step("box: adding it to Vagrant"):
            self._remove_older_boxes()
            run(
                ["vagrant", "box", "add", "--provider", "lxc", "--name", box.name, str(box.file)],
                env=dict(os.environ) | {"VAGRANT_HOME": str(self.where.vagrant_home), "VAGRANT_CWD": "/"},
            )

    def _remove_older_boxes(self) -> None:
        """Boxes of earlier recipes go, but for those that a container of any stack still lies on."""
        boxes = self.where.vagrant_home / "boxes"
        containers = Path("/var/lib/lxc").glob("podnet-*/config")
        configs = [path.read_text() for path in containers if os.access(path, os.R_OK)]
        for older in boxes.glob("podnet-*"):
            if not any(f"/{older.name}/" in config for config in configs):
                run([*root_command(), "rm", "--recursive", "--force", str(older)])

    def _variables(self, made: _Made) -> dict[str, str]:
        return dict(os.environ) | self._own_variables(made)

    def _plain_variables(self) -> dict[str, str]:
        """The environment of what needs nothing that is made."""
        own = environment.variables(
            self.where, self.stack, python=self.python, toolchain=None, box=None, bundle=None, environ=os.environ
        )
        return dict(os.environ) | own

    def _own_variables(self, made: _Made) -> dict[str, str]:
        return environment.variables(
            self.where,
            self.stack,
            python=self.python,
            toolchain=made.toolchain.path,
            box=made.box.name if made.box else None,
            bundle=made.bundle.folder if made.bundle else None,
            environ=os.environ,
        )

    def _has_stack(self, variables: Mapping[str, str]) -> bool:
        found = json.loads(self._quiet(["stack", "ls", "--json"], variables))
        # A backend that has organizations says whose it is.
        return any(each["name"].rpartition("/")[2] == self.stack for each in found)

    def _select_stack(self, variables: Mapping[str, str]) -> bool:
        """Make sure that there is the stack; whether it is a new one."""
        if self._has_stack(variables):
            return False
        forget_salt(self._stack_file())
        self._quiet(["stack", "init", self.stack], variables)
        return True

    def _remove_stack(self, variables: Mapping[str, str]) -> str:
        """End a stack in which nothing is up; what the engine says of it."""
        said = self._quiet(["stack", "rm", "--yes", "--preserve-config", self.stack], variables)
        forget_salt(self._stack_file())
        return said

    def _quiet(self, arguments: Sequence[str], variables: Mapping[str, str], stdin: str = "") -> str:
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            check=False, text=True, input=stdin, capture_output=True, env=dict(variables), cwd=environment.ROOT,
        )  # fmt: skip
        if done.returncode:
            raise PodnetError(f"pulumi {' '.join(arguments)} failed:\n{done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def _pulumi(self, arguments: Sequence[str], variables: Mapping[str, str]) -> int:
        sys.stdout.flush()
        command = ["pulumi", *arguments, "--stack", self.stack]
        return subprocess.run(command, check=False, env=dict(variables), cwd=environment.ROOT).returncode


def _in_stages(stage: stages.Stage) -> str:
    names = ", ".join(node.name for node in stage.cluster.nodes)
    return f"in steps, for {stage.why}: first a cluster of {names}"


def _interruptions(events: str) -> str:
    found = interruptions(proposed(logged(events)))
    lines = [f"  - {', '.join(sorted(each.who))}: {each.what}" for each in found]
    return "\n".join(["It interrupts:", *lines] if lines else ["It interrupts nothing that is up."])


@dataclass(frozen=True, slots=True)
class _Made:
    toolchain: Toolchain
    box: box_build.Box | None
    bundle: bundle_build.Bundle | None


def forget_salt(stack_file: Path) -> None:
    """Take the salt that Pulumi adds to a stack's file out again: it belongs to a stack that is gone.

    It stays where the file holds secrets, which it opens.
    """
    text = stack_file.read_text()
    if "secure:" in text:
        return
    lines = text.splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith("encryptionsalt:")]
    if kept != lines:
        stack_file.write_text("".join(kept))
