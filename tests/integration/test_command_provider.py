"""The command plugin under the real engine, against a real SSH server.

The same tests hold for the official plugin: PODNET_COMMAND_PLUGIN names its binary. Those that are about what the
stand-in does differently on purpose are marked `stand_in_only`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest
from asyncssh import generate_private_key
from asyncssh.channel import SSHServerChannel
from pulumi import automation
from pulumi_command import local, remote

from .conftest import OFFICIAL_PLUGIN, Agent, Stack
from .ssh_server import PASSWORD, SshServer, ssh_server

pytestmark = pytest.mark.engine
stand_in_only = pytest.mark.skipif(bool(OFFICIAL_PLUGIN), reason="the official plugin differs here")

HOSTILE = {
    "quotes": """it's "quoted" `twice`""",
    "newline": "first\nsecond\n",
    "dollar": "$(touch owned) $HOME ${x}",
    "unicode": "žluťoučký 🐎 \\ \t end",
}


def remote_command(server: SshServer, name: str = "command", **arguments: Any) -> Callable[[], None]:
    """Make a program of one remote command whose outputs are exported."""

    def program() -> None:
        connection = arguments.pop("connection", None) or server.connection()
        command = remote.Command(name, connection=remote.ConnectionArgs(**connection), **arguments)
        pulumi.export("stdout", command.stdout)
        pulumi.export("stderr", command.stderr)

    arguments.setdefault("add_previous_output_in_env", False)
    return program


def local_command(**arguments: Any) -> Callable[[], None]:
    """Make a program of one local command whose outputs are exported."""

    def program() -> None:
        command = local.Command("command", **arguments)
        pulumi.export("stdout", command.stdout)
        pulumi.export("stderr", command.stderr)

    return program


def changes(result: automation.UpResult) -> dict[str, int]:
    """Count the changes by their kind."""
    return {str(kind): count for kind, count in (result.summary.resource_changes or {}).items()}


def error_of(run: Callable[[], object]) -> str:
    """Run what must fail, and give all that was shown."""
    with pytest.raises(automation.CommandError) as caught:
        run()
    return str(caught.value)


def test_create_update_and_delete_each_run_their_command(stack: Stack, server: SshServer) -> None:
    def program(version: str) -> Callable[[], None]:
        return remote_command(server, create="echo made", update=f"echo changed {version}", delete="echo gone")

    assert stack.up(program("a")).outputs["stdout"].value == "made"
    assert stack.up(program("b")).outputs["stdout"].value == "changed b"
    stack.destroy()
    assert server.commands == ["echo made", "echo changed b", "echo gone"]


def test_nothing_runs_when_nothing_changed(stack: Stack, server: SshServer) -> None:
    stack.up(remote_command(server, create="echo made"))
    assert changes(stack.up(remote_command(server, create="echo made"))) == {"same": 2}
    stack.destroy()
    assert server.commands == ["echo made"]


def test_update_falls_back_to_create(stack: Stack, server: SshServer) -> None:
    stack.up(remote_command(server, create="cat", stdin="one"))
    result = stack.up(remote_command(server, create="cat", stdin="two"))
    assert result.outputs["stdout"].value == "two"
    assert changes(result)["update"] == 1


def test_a_changed_connection_runs_the_command_again(stack: Stack, server: SshServer) -> None:
    stack.up(remote_command(server, create="echo made"))
    stack.up(remote_command(server, create="echo made", connection=server.connection(dial_error_limit=3)))
    assert server.commands == ["echo made", "echo made"]


def test_a_command_in_a_component(stack: Stack, server: SshServer) -> None:
    def program(create: str) -> Callable[[], None]:
        def run() -> None:
            # The component's type stands in the URN before the command's own.
            parent = pulumi.ComponentResource("test:index:Node", "node")
            connection = remote.ConnectionArgs(**server.connection())
            options = pulumi.ResourceOptions(parent=parent)
            remote.Command("command", connection=connection, create=create, delete="echo gone", opts=options)

        return run

    stack.up(program("echo made"))
    stack.up(program("echo changed"))
    stack.destroy()
    assert server.commands == ["echo made", "echo changed", "echo gone"]


def test_triggers_replace(stack: Stack, server: SshServer) -> None:
    stack.up(remote_command(server, create="echo made", delete="echo gone", triggers=["a", 1]))
    result = stack.up(remote_command(server, create="echo made", delete="echo gone", triggers=["a", 2]))
    assert changes(result)["replace"] == 1
    assert server.commands == ["echo made", "echo made", "echo gone"]


def test_a_file_is_a_trigger_by_its_content(stack: Stack, server: SshServer, tmp_path: Path) -> None:
    file = tmp_path / "file"
    program = remote_command(server, create="echo made", triggers=[pulumi.FileAsset(str(file))])
    file.write_text("a", encoding="utf-8")
    stack.up(program)
    assert changes(stack.up(program)) == {"same": 2}
    file.write_text("b", encoding="utf-8")
    assert changes(stack.up(program))["replace"] == 1


def test_outputs_lose_one_newline_at_the_end(stack: Stack, server: SshServer) -> None:
    outputs = stack.up(remote_command(server, create="printf 'a\\n\\n'; printf 'b ' >&2")).outputs
    assert (outputs["stdout"].value, outputs["stderr"].value) == ("a\n", "b ")


def test_stdin_arrives_as_it_is(stack: Stack, server: SshServer) -> None:
    text = "\n".join(HOSTILE.values()) * 2000
    stack.up(remote_command(server, create="cat > received", stdin=text))
    assert (server.root / "received").read_text(encoding="utf-8") == text


def test_a_command_without_stdin_sees_its_end(stack: Stack, server: SshServer) -> None:
    assert stack.up(remote_command(server, create="cat; echo ended")).outputs["stdout"].value == "ended"


def test_remote_environment_arrives_as_it_is(stack: Stack, server: SshServer) -> None:
    create = "; ".join(f'printf %s "${name}" > {name}' for name in HOSTILE)
    stack.up(remote_command(server, create=create, environment=HOSTILE))
    assert {path.name: path.read_text(encoding="utf-8") for path in server.root.iterdir()} == HOSTILE


def test_a_refused_variable_fails_and_runs_nothing(
    stack: Stack, server: SshServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SSHServerChannel, "_process_env_request", lambda _self, _packet: False)
    error = error_of(lambda: stack.up(remote_command(server, create="echo made", environment={"VALUE": "x"})))
    assert 'could not set environment variable "VALUE"' in error
    assert "AcceptEnv" in error or OFFICIAL_PLUGIN
    assert server.commands == []


def test_previous_outputs_are_in_the_environment(stack: Stack, server: SshServer) -> None:
    def program(update: str) -> Callable[[], None]:
        return remote_command(
            server,
            create="echo out; echo err >&2",
            update=update,
            delete="true",
            add_previous_output_in_env=True,
        )

    stack.up(program("true"))
    stack.up(program('echo "$PULUMI_COMMAND_STDOUT/$PULUMI_COMMAND_STDERR"'))
    stack.destroy()
    made, changed, gone = (session.environment for session in server.sessions)
    assert made == {}
    assert changed == {"PULUMI_COMMAND_STDOUT": "out", "PULUMI_COMMAND_STDERR": "err"}
    assert gone == {"PULUMI_COMMAND_STDOUT": "out/err"}


def test_a_refused_previous_output_is_only_a_warning(
    stack: Stack, server: SshServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SSHServerChannel, "_process_env_request", lambda _self, _packet: False)
    stack.up(remote_command(server, create="echo a", add_previous_output_in_env=True))
    stack.up(remote_command(server, create="echo b", add_previous_output_in_env=True))
    assert server.commands == ["echo a", "echo b"]
    assert "Unable to set 'PULUMI_COMMAND_STDOUT'" in "\n".join(stack.log)


def test_logging_shows_the_streams_that_it_names(stack: Stack, server: SshServer) -> None:
    expected = {
        None: {"stdout", "stderr"},
        remote.Logging.STDOUT: {"stdout"},
        remote.Logging.STDERR: {"stderr"},
        remote.Logging.STDOUT_AND_STDERR: {"stdout", "stderr"},
        remote.Logging.NONE: set[str](),
    }

    def program() -> None:
        connection = remote.ConnectionArgs(**server.connection())
        for number, logging in enumerate(expected):
            # The numbers are put in by the shell: the text of the command is no proof that its output was shown.
            create = f"n={number}; echo seen-$n-stdout; echo seen-$n-stderr >&2"
            remote.Command(f"command{number}", connection=connection, create=create, logging=logging)

    stack.up(program)
    seen = set(re.findall(r"seen-(\d)-(\w+)", "\n".join(stack.log)))
    assert seen == {(str(number), stream) for number, shown in enumerate(expected.values()) for stream in shown}


def test_secrets_are_not_in_clear(stack: Stack, server: SshServer) -> None:
    def program() -> None:
        command = remote.Command(
            "command",
            connection=remote.ConnectionArgs(**server.connection(password=PASSWORD)),
            create="cat > /dev/null",
            stdin=pulumi.Output.secret("token-in-stdin-4711"),
            environment={"TOKEN": pulumi.Output.secret("token-in-environment-4712")},
            logging=remote.Logging.NONE,
            opts=pulumi.ResourceOptions(additional_secret_outputs=["stdout"]),
        )
        pulumi.export("stdin", command.stdin)

    result = stack.up(program)
    assert result.outputs["stdin"].secret
    everything = stack.clear_text()
    for secret in ("token-in-stdin-4711", "token-in-environment-4712", PASSWORD, *_key_lines(server)):
        assert secret not in everything


@stand_in_only
def test_secrets_are_not_in_clear_in_an_error_or_a_log(stack: Stack, server: SshServer) -> None:
    def program() -> None:
        remote.Command(
            "command",
            connection=remote.ConnectionArgs(**server.connection()),
            create=pulumi.Output.secret("cat; echo token-in-command-4713; cat key >&2; exit 3"),
            stdin=pulumi.Output.secret("token-in-stdin-4714"),
        )

    (server.root / "key").write_text(server.user_key_text, encoding="utf-8")
    error = error_of(lambda: stack.up(program))
    assert "Process exited with status 3" in error
    everything = error + stack.clear_text()
    for secret in ("token-in-command-4713", "token-in-stdin-4714", *_key_lines(server)):
        assert secret not in everything


def _key_lines(server: SshServer) -> list[str]:
    """Give the lines of the private key that are secret."""
    return [line for line in server.user_key_text.splitlines() if line and not line.startswith("-----")]


def test_the_connection_is_a_secret_in_the_state(stack: Stack, server: SshServer) -> None:
    stack.up(remote_command(server, create="true"))
    state = stack.state()["command"]
    assert "ciphertext" in state["inputs"]["connection"]
    assert "ciphertext" in state["outputs"]["connection"]
    assert state["outputs"]["stdout"] == ""


def test_first_dials_refused(stack: Stack, server: SshServer) -> None:
    server.refuse_dials = 3
    assert stack.up(remote_command(server, create="echo made")).outputs["stdout"].value == "made"
    assert server.dials == 4
    assert "Dial 3/10 failed: retrying" in "\n".join(stack.log)


def test_dial_limit_ends_with_a_clear_error(stack: Stack, server: SshServer) -> None:
    server.refuse_dials = 1000
    connection = server.connection(dial_error_limit=2)
    error = error_of(lambda: stack.up(remote_command(server, create="echo made", connection=connection)))
    assert "after 2 failed attempts" in error
    assert server.dials == 3


def test_nobody_listens(stack: Stack, server: SshServer) -> None:
    connection = server.connection(dial_error_limit=1, port=1)
    error = error_of(lambda: stack.up(remote_command(server, create="echo made", connection=connection)))
    assert re.search(r"after 1 failed attempts: dial .*127\.0\.0\.1:1: .*connection refused", error)


def test_wrong_host_key_is_refused(stack: Stack, server: SshServer) -> None:
    other = generate_private_key("ssh-ed25519").export_public_key().decode()
    connection = server.connection(host_key=other, dial_error_limit=1)
    error = error_of(lambda: stack.up(remote_command(server, create="echo made", connection=connection)))
    assert "host key" in error
    assert server.commands == []
    if not OFFICIAL_PLUGIN:
        assert server.dials == 1


def test_malformed_host_key_is_refused_before_dialling(stack: Stack, server: SshServer) -> None:
    connection = server.connection(host_key="no key at all")
    error = error_of(lambda: stack.up(remote_command(server, create="echo made", connection=connection)))
    assert "failed to parse host key" in error
    assert server.dials == 0


def test_host_key_is_not_checked_unless_given(stack: Stack, server: SshServer) -> None:
    stack.up(remote_command(server, create="echo made", connection=server.connection(host_key=None)))
    assert server.commands == ["echo made"]


def test_password_logs_in(stack: Stack, server: SshServer) -> None:
    connection = server.connection(private_key=None, password=PASSWORD)
    stack.up(remote_command(server, create="echo made", connection=connection))
    assert [session.method for session in server.sessions] == ["password"]


def test_wrong_password_is_tried_up_to_the_limit(stack: Stack, server: SshServer) -> None:
    connection = server.connection(private_key=None, password="wrong-password", dial_error_limit=1)
    error = error_of(lambda: stack.up(remote_command(server, create="echo made", connection=connection)))
    assert "after 1 failed attempts" in error
    assert "unable to authenticate" in error
    assert "wrong-password" not in error
    assert server.dials == 2


def test_the_agent_of_the_environment_logs_in(
    stack: Stack, server: SshServer, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent.add(server.user_key_text)
    monkeypatch.setenv("SSH_AUTH_SOCK", str(agent.socket))
    program = remote_command(server, create="echo made", connection=server.connection(private_key=None))
    stack.up(program)
    assert [session.method for session in server.sessions] == ["publickey"]
    assert str(agent.socket) not in stack.clear_text()


def test_a_private_key_comes_before_the_agent(
    stack: Stack, server: SshServer, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent.add(server.user_key_text)
    monkeypatch.setenv("SSH_AUTH_SOCK", str(agent.socket))
    other = generate_private_key("ssh-ed25519").export_private_key().decode()
    connection = server.connection(private_key=other, dial_error_limit=0)
    error = error_of(lambda: stack.up(remote_command(server, create="echo made", connection=connection)))
    assert "unable to authenticate" in error


def test_malformed_private_key_is_not_shown(stack: Stack, server: SshServer) -> None:
    key = server.user_key_text.replace("\n", " ")
    connection = server.connection(private_key=key)
    error = error_of(lambda: stack.up(remote_command(server, create="echo made", connection=connection)))
    assert server.dials == 0
    assert not any(line in error for line in _key_lines(server))


def test_non_zero_exit_says_status_command_and_output(stack: Stack, server: SshServer) -> None:
    error = error_of(lambda: stack.up(remote_command(server, create="echo out; echo err >&2; exit 7")))
    assert 'Process exited with status 7: running "echo out; echo err >&2; exit 7":' in error
    assert "out\n" in error
    assert "err\n" in error
    assert "Traceback" not in error
    assert "command" not in stack.state()


def test_the_end_of_a_long_output_is_in_the_error(stack: Stack) -> None:
    # The engine has to take so long a text, too.
    error = error_of(lambda: stack.up(local_command(create="seq 100000; echo the end; exit 1", logging="none")))
    assert "the end\n" in error
    assert "99999\n" in re.sub(r"\n\s+", "\n", error)


def test_a_failed_update_keeps_the_old_state(stack: Stack, server: SshServer) -> None:
    stack.up(remote_command(server, create="echo made"))
    error_of(lambda: stack.up(remote_command(server, create="exit 1")))
    assert stack.state()["command"]["inputs"]["create"] == "echo made"


def test_twenty_commands_in_parallel(stack: Stack, server: SshServer) -> None:
    names = [f"command{number}" for number in range(20)]

    def program() -> None:
        connection = remote.ConnectionArgs(**server.connection())
        for name in names:
            # Each waits for all the others, so this only ends well if all run at the same time.
            others = f"[ $(ls | wc -l) -ge {len(names)} ] && echo {name} && exit; sleep 0.5"
            wait = f"touch {name}; for i in $(seq 100); do {others}; done; exit 1"
            pulumi.export(name, remote.Command(name, connection=connection, create=wait).stdout)

    outputs = stack.up(program, parallel=len(names)).outputs
    assert {name: output.value for name, output in outputs.items()} == {name: name for name in names}
    assert server.most_running == len(names)


def test_preview_runs_nothing(stack: Stack, server: SshServer) -> None:
    program = remote_command(server, create="echo made", update="echo changed", delete="echo gone")
    stack.preview(program)
    assert server.dials == 0
    stack.up(program)
    stack.preview(remote_command(server, create="echo made", update="echo other", delete="echo gone"))
    assert server.commands == ["echo made"]
    assert server.dials == 1


def test_preview_knows_what_is_unknown(stack: Stack, server: SshServer) -> None:
    known: list[bool] = []

    def program(create: str) -> Callable[[], None]:
        def run() -> None:
            connection = remote.ConnectionArgs(**server.connection())
            command = remote.Command("command", connection=connection, create=create)
            command.stdout.apply(lambda _: known.append(True))
            # An input that is unknown in the first preview, and a trigger.
            remote.Command("next", connection=connection, create="cat", stdin=command.stdout, triggers=[command.stdout])

        return run

    stack.preview(program("echo a"))
    assert known == []
    stack.up(program("echo a"))
    known.clear()
    assert stack.preview(program("echo a")).change_summary == {"same": 3}
    assert known == [True]
    known.clear()
    expected = stack.preview(program("echo b")).change_summary
    assert known == []
    assert expected == {"same": 1, "update": 1, "replace": 1}
    assert changes(stack.up(program("echo b"))) == expected


def test_bastion(stack: Stack, server: SshServer, tmp_path: Path) -> None:
    with ssh_server(tmp_path) as bastion:
        proxy = remote.ProxyConnectionArgs(**bastion.connection())
        stack.up(remote_command(server, create="echo made", connection=server.connection(proxy=proxy)))
        assert bastion.forwarded == [(server.host, server.port)]
        assert bastion.commands == []
    assert server.commands == ["echo made"]


def test_bastion_with_another_host_key_is_refused(stack: Stack, server: SshServer, tmp_path: Path) -> None:
    other = generate_private_key("ssh-ed25519").export_public_key().decode()
    with ssh_server(tmp_path) as bastion:
        proxy = remote.ProxyConnectionArgs(**bastion.connection(host_key=other, dial_error_limit=1))
        connection = server.connection(proxy=proxy)
        error = error_of(lambda: stack.up(remote_command(server, create="echo made", connection=connection)))
        assert "host key" in error
        assert bastion.forwarded == []
    assert server.dials == 0


def test_another_host_key_behind_a_bastion_is_refused(stack: Stack, server: SshServer, tmp_path: Path) -> None:
    other = generate_private_key("ssh-ed25519").export_public_key().decode()
    with ssh_server(tmp_path) as bastion:
        proxy = remote.ProxyConnectionArgs(**bastion.connection())
        connection = server.connection(proxy=proxy, host_key=other, dial_error_limit=1)
        error = error_of(lambda: stack.up(remote_command(server, create="echo made", connection=connection)))
    assert "host key" in error
    assert server.commands == []


def test_bastion_that_cannot_be_reached(stack: Stack, server: SshServer) -> None:
    proxy = remote.ProxyConnectionArgs(**server.connection(port=1, dial_error_limit=1))
    connection = server.connection(proxy=proxy)
    error = error_of(lambda: stack.up(remote_command(server, create="echo made", connection=connection)))
    assert re.search("proxy: after 1 failed attempts|after 1 failed attempts: dial proxy", error)
    assert server.dials == 0


def test_local_command(stack: Stack, tmp_path: Path) -> None:
    result = stack.up(
        local_command(
            create="import os, sys; print(os.getcwd(), os.environ['VALUE'], sys.stdin.read())",
            dir=str(tmp_path),
            interpreter=["python3", "-c"],
            environment={"VALUE": HOSTILE["dollar"]},
            stdin=HOSTILE["quotes"],
        )
    )
    assert result.outputs["stdout"].value == f"{tmp_path} {HOSTILE['dollar']} {HOSTILE['quotes']}"


def test_local_command_update_and_delete_see_the_previous_outputs(stack: Stack, tmp_path: Path) -> None:
    def program(update: str) -> Callable[[], None]:
        return local_command(create="echo made", update=update, delete="echo $PULUMI_COMMAND_STDOUT > gone", dir=folder)

    folder = str(tmp_path)
    stack.up(program("true"))
    assert stack.up(program("echo $PULUMI_COMMAND_STDOUT again")).outputs["stdout"].value == "made again"
    stack.destroy()
    assert (tmp_path / "gone").read_text(encoding="utf-8") == "made again\n"


def test_local_non_zero_exit(stack: Stack) -> None:
    error = error_of(lambda: stack.up(local_command(create="echo out; exit 9")))
    assert 'exit status 9: running "echo out; exit 9":\nout' in re.sub(r"\n\s+", "\n", error)


def test_local_missing_dir(stack: Stack) -> None:
    assert "chdir /no/such: no such" in error_of(lambda: stack.up(local_command(create="true", dir="/no/such")))


@stand_in_only
def test_the_stand_in_says_that_it_is_used(stack: Stack) -> None:
    stack.up(local_command(create="true"))
    log = "\n".join(stack.log)
    assert "podnet's stand-in for the command provider 1.2.1 is in use" in log


@stand_in_only
def test_what_is_left_out_says_so(stack: Stack, server: SshServer) -> None:
    def copy() -> None:
        connection = remote.ConnectionArgs(**server.connection())
        remote.CopyToRemote("copy", connection=connection, source=pulumi.StringAsset("text"), remote_path="copied")

    def function() -> None:
        local.run(command="true")

    programs = {
        "command:remote:CopyToRemote": copy,
        "command:local:run": function,
        "assetPaths": local_command(create="true", asset_paths=["*"]),
        "archivePaths": local_command(create="true", archive_paths=["*"]),
    }
    for part, program in programs.items():
        stack.program = program
        error = error_of(stack.preview)
        assert f"{part} is not supported by podnet's stand-in" in error
        assert "install the official plugin" in error
    assert not (server.root / "copied").exists()
