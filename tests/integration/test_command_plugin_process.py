"""The stand-in as a process that is spoken to by gRPC, as the engine does it: what the engine cannot show."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from google.protobuf.json_format import ParseDict
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime import rpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, provider_pb2, provider_pb2_grpc

from .ssh_server import SshServer

LOCAL = "urn:pulumi:test::plugin::command:local:Command::command"
REMOTE = "urn:pulumi:test::plugin::command:remote:Command::command"
SECONDS = 30.0


def struct(values: dict[str, Any]) -> Struct:
    return ParseDict(values, Struct())


def secret(value: Any) -> dict[str, Any]:
    return {rpc._special_sig_key: rpc._special_secret_sig, "value": value}


def until(condition: Callable[[], bool]) -> bool:
    """Wait for something that happens soon, or never."""
    end = time.monotonic() + SECONDS
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


def gone(pid: int) -> bool:
    """Say whether a process has ended (one that nobody has waited for yet has ended, too)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


class Engine(engine_pb2_grpc.EngineServicer):
    """As much of the engine as the plugin calls: its log."""

    def __init__(self) -> None:
        self.messages: list[Any] = []

    def Log(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        """Take a message."""
        self.messages.append(request)
        return empty_pb2.Empty()


@dataclass
class Plugin:
    """The running plugin, its stub, and what it has told the engine."""

    process: subprocess.Popen[bytes]
    stub: Any
    engine: Engine
    later: futures.ThreadPoolExecutor = field(default_factory=lambda: futures.ThreadPoolExecutor(4))

    def create(self, urn: str, properties: dict[str, Any], **more: Any) -> Any:
        """Create a resource."""
        return self.stub.Create(provider_pb2.CreateRequest(urn=urn, properties=struct(properties), **more))


@pytest.fixture
def plugin(stand_in: Path) -> Iterator[Plugin]:
    """Start the plugin as the engine does."""
    engine = Engine()
    server = grpc.server(futures.ThreadPoolExecutor(4))
    engine_pb2_grpc.add_EngineServicer_to_server(engine, server)
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    with subprocess.Popen(
        [stand_in, "--logtostderr", address], stdout=subprocess.PIPE, stderr=subprocess.PIPE, process_group=0
    ) as process:
        assert process.stdout is not None
        # The engine takes an error of any length; this client would not.
        long_errors = [("grpc.max_metadata_size", 1 << 20), ("grpc.absolute_max_metadata_size", 1 << 20)]
        channel = grpc.insecure_channel(f"127.0.0.1:{int(process.stdout.readline())}", options=long_errors)
        yield Plugin(process, provider_pb2_grpc.ResourceProviderStub(channel), engine)
        channel.close()
        process.kill()
    server.stop(None)


def connection_to(server: SshServer, **changes: Any) -> dict[str, Any]:
    """The inputs that log in to a server."""
    inputs = {"host": server.host, "port": server.port, "user": "tester", "privateKey": server.user_key_text}
    return {"dialErrorLimit": 10, "perDialTimeout": 15, **inputs, **changes}


@dataclass
class LongCommand:
    """A local command that runs for ever: its own process, and one that it has started."""

    outcome: futures.Future[Any]
    pids: list[int]


@pytest.fixture
def long_command(plugin: Plugin, tmp_path: Path) -> LongCommand:
    """Have the plugin run a command that does not end by itself and does not listen to a kind word."""
    pids = tmp_path / "pids"
    create = f"trap '' TERM; sleep 1000 & echo $$ $! > {pids}.new; mv {pids}.new {pids}; wait; sleep 1000"
    outcome = plugin.later.submit(plugin.create, LOCAL, {"create": create})
    assert until(pids.exists)
    return LongCommand(outcome, [int(pid) for pid in pids.read_text(encoding="utf-8").split()])


def test_cancel_ends_a_local_command_and_all_that_it_started(plugin: Plugin, long_command: LongCommand) -> None:
    plugin.stub.Cancel(empty_pb2.Empty())
    with pytest.raises(grpc.RpcError, match="cancelled while the command was running"):
        long_command.outcome.result(SECONDS)
    assert until(lambda: all(map(gone, long_command.pids)))
    with pytest.raises(grpc.RpcError, match="cancelled before the command was started"):
        plugin.create(LOCAL, {"create": "true"})


@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_plugin_and_its_commands(
    plugin: Plugin, long_command: LongCommand, which: signal.Signals
) -> None:
    # The engine signals the plugin's process group.
    os.killpg(plugin.process.pid, which)
    assert plugin.process.wait(SECONDS) == 0
    with pytest.raises(grpc.RpcError, match="cancelled while the command was running"):
        long_command.outcome.result(SECONDS)
    assert until(lambda: all(map(gone, long_command.pids)))


def test_a_call_that_is_given_up_ends_its_command(plugin: Plugin, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    request = provider_pb2.CreateRequest(
        urn=LOCAL, properties=struct({"create": f"echo $$ > {pid}.new; mv {pid}.new {pid}; exec sleep 1000"})
    )
    call = plugin.stub.Create.future(request)
    assert until(pid.exists)
    call.cancel()
    assert until(lambda: gone(int(pid.read_text(encoding="utf-8"))))


def test_a_plugin_whose_engine_was_killed_ends(stand_in: Path, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    # A shell stands for the engine: it starts the plugin and is then killed.
    script = f"{stand_in} 127.0.0.1:1 & echo $! > {pid}.new; mv {pid}.new {pid}; wait"
    with subprocess.Popen(["/bin/sh", "-c", script], stdout=subprocess.PIPE) as engine:
        assert engine.stdout is not None
        assert engine.stdout.readline()
        engine.kill()
    assert until(lambda: gone(int(pid.read_text(encoding="utf-8"))))


def test_cancel_ends_a_remote_command_and_a_dial(plugin: Plugin, server: SshServer) -> None:
    connection = connection_to(server, dialErrorLimit=-1)
    running = plugin.later.submit(plugin.create, REMOTE, {"create": "sleep 1000", "connection": secret(connection)})
    dialling = plugin.later.submit(
        plugin.create, REMOTE, {"create": "true", "connection": secret({**connection, "port": 1})}
    )
    assert until(lambda: server.running == 1)
    assert until(lambda: any("Dial 2/inf failed: retrying" in each.message for each in plugin.engine.messages))
    plugin.stub.Cancel(empty_pb2.Empty())
    for outcome in (running, dialling):
        with pytest.raises(grpc.RpcError, match="cancelled while the command was running"):
            outcome.result(SECONDS)


def test_a_key_that_is_encrypted_logs_in_with_its_password(plugin: Plugin, server: SshServer, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text(server.user_key_text, encoding="utf-8")
    key.chmod(0o600)
    subprocess.run(["ssh-keygen", "-q", "-p", "-N", "key's own", "-f", key], check=True, stdout=subprocess.DEVNULL)
    changes = {"privateKey": key.read_text(encoding="utf-8"), "privateKeyPassword": "key's own"}
    plugin.create(REMOTE, {"create": "true", "connection": secret(connection_to(server, **changes))})
    assert server.commands == ["true"]


RUNNING = "touch running; sleep 2"


def cut(listening: socket.socket, server: SshServer, hang_up: threading.Event | None = None) -> None:
    """Be the way to the server, until RUNNING runs there; then hang up, or first say nothing until that is wanted."""
    with listening.accept()[0] as near, socket.create_connection((server.host, server.port)) as far:
        others = {near: far, far: near}
        while not (server.root / "running").exists():
            for each in select.select(list(others), [], [], 0.05)[0]:
                others[each].sendall(each.recv(65536))
        if hang_up is not None:
            hang_up.wait(120)


def test_a_connection_that_is_cut_is_said_to_be_lost(plugin: Plugin, server: SshServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        plugin.later.submit(cut, listening, server)
        connection = connection_to(server, port=listening.getsockname()[1])
        with pytest.raises(grpc.RpcError, match='"the connection was lost: EOF: running "touch running'):
            plugin.create(REMOTE, {"create": RUNNING, "connection": secret(connection)})
    assert until(lambda: not server.running)  # which must not be in the midst of it when it is stopped


@pytest.mark.long
def test_a_machine_that_dies_without_a_word_is_given_up(plugin: Plugin, server: SshServer) -> None:
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        plugin.later.submit(cut, listening, server, done)
        connection = connection_to(server, port=listening.getsockname()[1])
        with pytest.raises(grpc.RpcError, match='"the connection was lost: no answer for 30s: running "touch running'):
            plugin.create(REMOTE, {"create": RUNNING, "connection": secret(connection)})
        done.set()
    assert until(lambda: not server.running)


def test_a_machine_that_says_nothing_is_given_up(plugin: Plugin, server: SshServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        connection = connection_to(server, port=silent.getsockname()[1], dialErrorLimit=1, perDialTimeout=1)
        with pytest.raises(grpc.RpcError, match=r"after 1 failed attempts: dial 127\.0\.0\.1:\d+: timed out after 1 s"):
            plugin.create(REMOTE, {"create": "true", "connection": secret(connection)})


def test_a_timeout_of_the_resource_is_kept(plugin: Plugin) -> None:
    with pytest.raises(grpc.RpcError, match=r"did not end within the timeout of 0\.5 s"):
        plugin.create(LOCAL, {"create": "sleep 1000"}, timeout=0.5)


def test_an_error_is_its_text_alone(plugin: Plugin) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        plugin.create(LOCAL, {"create": "echo no; exit 3"})
    assert caught.value.details() == 'exit status 3: running "echo no; exit 3":\nno\n'
    plugin.process.terminate()
    assert plugin.process.stderr is not None
    assert plugin.process.stderr.read() == b""


def test_what_is_secret_in_the_inputs_or_the_state_is_in_no_error(plugin: Plugin) -> None:
    environment = secret({"host": "of-a-secret-map", "TOKEN": "in-the-environment"})
    inputs = {"create": "true", "delete": 'echo "$host $TOKEN in-the-state"; exit 1', "environment": environment}
    state = inputs | {"stdout": secret("in-the-state"), "stderr": ""}
    request = provider_pb2.DeleteRequest(urn=LOCAL, properties=struct(state), old_inputs=struct(inputs))
    with pytest.raises(grpc.RpcError) as caught:
        plugin.stub.Delete(request)
    assert caught.value.details() == (
        'exit status 1: running "echo \\"$host $TOKEN [secret]\\"; exit 1":\n[secret] [secret] [secret]\n'
    )


def test_the_end_of_a_long_output_is_in_the_error(plugin: Plugin) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        plugin.create(LOCAL, {"create": "seq 100000; echo the end; exit 1", "logging": "none"})
    assert caught.value.details().endswith("\nthe end\n")
    assert "characters left out" in caught.value.details()


def test_a_long_line_without_an_end_is_logged(plugin: Plugin) -> None:
    plugin.create(LOCAL, {"create": "head -c 200000 /dev/zero | tr '\\0' x"})
    assert [len(each.message) for each in plugin.engine.messages] == [200000]


def test_lines_are_logged_in_order_for_their_resource(plugin: Plugin) -> None:
    plugin.create(LOCAL, {"create": "seq 500"})
    assert [each.message for each in plugin.engine.messages] == [str(number) for number in range(1, 501)]
    assert {(each.urn, each.ephemeral, each.severity) for each in plugin.engine.messages} == {
        (LOCAL, True, engine_pb2.INFO)
    }


def test_bytes_that_are_no_text_do_not_fail(plugin: Plugin) -> None:
    outputs = plugin.create(LOCAL, {"create": "printf 'a\\377b'"}).properties
    assert outputs["stdout"] == "a\ufffdb"


def test_unknown_inputs_stay_unknown_in_a_preview(plugin: Plugin) -> None:
    # What is unknown may be of any type, and the engine has a different sign for some of them.
    unknown_boolean = "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7"
    inputs = {
        "create": "true",
        "stdin": rpc.UNKNOWN,
        "triggers": [rpc.UNKNOWN, 1],
        "environment": rpc.UNKNOWN,
        "addPreviousOutputInEnv": unknown_boolean,
    }
    request = provider_pb2.CheckRequest(urn=LOCAL, news=struct(inputs))
    checked = plugin.stub.Check(request)
    assert not checked.failures
    outputs = plugin.create(LOCAL, inputs, preview=True).properties
    assert outputs["stdin"] == outputs["stdout"] == outputs["stderr"] == rpc.UNKNOWN
    assert list(outputs["triggers"]) == [rpc.UNKNOWN, 1]


def test_wrong_inputs_are_named(plugin: Plugin) -> None:
    connection = {"port": "22", "proxy": {"user": 1, "host": "h"}, "hots": "h", "perDialTimeout": 0.5}
    inputs = {
        "connection": connection,
        "create": 1,
        "logging": "loud",
        "environment": {"A": 1},
        "triggers": {},
        "addPreviousOutputInEnv": "yes",
        "no": 1,
    }
    failures = plugin.stub.Check(provider_pb2.CheckRequest(urn=REMOTE, news=struct(inputs))).failures
    assert {failure.property: failure.reason for failure in failures} == {
        "connection.host": "this input is required",
        "connection.hots": "there is no such input",
        "connection.port": "expected a number",
        "connection.perDialTimeout": "expected a whole number",
        "connection.proxy.user": "expected a string",
        "create": "expected a string",
        "logging": "expected one of stdout, stderr, stdoutAndStderr, none",
        "environment.A": "expected a string",
        "triggers": "expected a list",
        "addPreviousOutputInEnv": "expected true or false",
        "no": "there is no such input",
    }


def test_the_notice_is_given_when_the_plugin_is_configured(plugin: Plugin) -> None:
    plugin.stub.Configure(provider_pb2.ConfigureRequest())
    assert [each.message for each in plugin.engine.messages] == [
        "podnet's stand-in for the command provider 1.2.1 is in use (the official plugin is not installed)"
    ]


def test_version_and_schema(plugin: Plugin) -> None:
    assert plugin.stub.GetPluginInfo(empty_pb2.Empty()).version == "1.2.1"
    schema = json.loads(plugin.stub.GetSchema(provider_pb2.GetSchemaRequest()).schema)
    assert set(schema["resources"]) == {"command:local:Command", "command:remote:Command"}
    command = schema["resources"]["command:remote:Command"]
    assert command["requiredInputs"] == ["connection"]
    assert command["inputProperties"]["connection"]["secret"]
    assert schema["types"]["command:remote:Connection"]["properties"]["dialErrorLimit"]["default"] == 10
