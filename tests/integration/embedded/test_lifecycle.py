"""`compat-guard stack`: from the first word to the last process. Without network: the cache is full by then."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from processors.embedded import Addresses, Stack
from processors.embedded.artifacts import KAFKA, REGISTRY
from processors.embedded.cache import installed
from processors.embedded.inspection import inspect
from processors.embedded.progress import Silent
from processors.errors import StackPartFailed
from tests.integration.embedded.clients import a_name, a_schema, register, schema_of

pytestmark = pytest.mark.stack

DEAD = "http://127.0.0.1:9"
NO_NETWORK = {"HTTPS_PROXY": DEAD, "HTTP_PROXY": DEAD, "GUARD_MAVEN_MIRROR": DEAD, "NO_PROXY": ""}
CLI = [sys.executable, "-c", "from processors.cli import main; main()", "stack"]


@pytest.fixture(scope="module", autouse=True)
def full_cache() -> None:
    """The one thing that needs the network, and only on a machine that has never run the stack."""
    for release in (KAFKA, REGISTRY):
        installed(release, Silent())


@contextmanager
def stack_up(folder: Path) -> Iterator[tuple[subprocess.Popen[str], Addresses]]:
    """A `stack up` of its own process, once it has said that it is ready."""
    process = subprocess.Popen(
        [*CLI, "up", "--data", str(folder), "--json"],
        env=os.environ | NO_NETWORK,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        line = process.stdout.readline()
        assert line, process.stderr and process.stderr.read()
        yield process, Addresses.from_json(json.loads(line))
    finally:
        process.kill()
        process.communicate()


def run(command: str, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*CLI, command, "--data", str(folder), *options], capture_output=True, text=True, check=False
    )


def all_gone(processes: list[psutil.Process], within: float) -> bool:
    return not psutil.wait_procs(processes, timeout=within)[1]


def test_sigterm_ends_everything(folder: Path) -> None:
    """It leaves no process behind and ends well; stdout had the one line and nothing else. `down` sends SIGINT."""
    with stack_up(folder) as (process, addresses):
        servers = psutil.Process(process.pid).children(recursive=True)
        assert folder.resolve() == addresses.data
        assert len(servers) > 3
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=90)

        assert (process.returncode, rest) == (0, "")
        assert all_gone(servers, within=0)


def test_the_servers_die_with_a_killed_owner(folder: Path) -> None:
    """Where the kernel can promise it, a kill -9 of the owner needs no cleaning up."""
    if sys.platform != "linux":
        pytest.skip("only Linux tells a child that its parent ended")
    with stack_up(folder) as (process, _):
        servers = psutil.Process(process.pid).children(recursive=True)
        process.kill()

        assert all_gone(servers, within=90)


def test_a_folder_serves_one_stack_and_others_can_see_and_end_it(folder: Path) -> None:
    """A second `up` is refused, `status` sees the first, `down` ends it by SIGINT, and then `status` says so."""
    with stack_up(folder) as (process, addresses):
        second = run("up", folder)
        seen = run("status", folder, "--json")
        servers = psutil.Process(process.pid).children(recursive=True)
        down = run("down", folder)
        rest, _ = process.communicate(timeout=30)

        assert second.returncode == 2
        assert f"process {process.pid}" in second.stderr.replace("\n", " ")
        assert seen.returncode == 0
        assert addresses.as_json() == json.loads(seen.stdout)["addresses"]
        assert (down.returncode, process.returncode, rest) == (0, 0, "")
        assert all_gone(servers, within=0)
        assert run("status", folder).returncode == 3


def is_kafka(process: psutil.Process) -> bool:
    try:
        return "kafka.Kafka" in process.cmdline()
    except psutil.NoSuchProcess:
        return False  # it has ended since it was listed


def test_a_signal_during_the_start_ends_everything_too(folder: Path) -> None:
    """Nobody has to wait for a start that is not wanted any more, and it does not count as a success."""
    process = subprocess.Popen(
        [*CLI, "up", "--data", str(folder), "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    servers: list[psutil.Process] = []
    try:
        while process.poll() is None and not servers:
            time.sleep(0.05)
            servers = [child for child in psutil.Process(process.pid).children() if is_kafka(child)]
    finally:
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=90)

    assert (process.returncode, rest) == (130, b"")
    assert all_gone(servers, within=0)
    assert all(part.state == "down" for part in inspect(folder).parts)


def test_a_server_that_ends_by_itself_ends_the_stack(folder: Path) -> None:
    """A stack with a hole would only confuse; the error says which server it was."""
    with stack_up(folder) as (process, _):
        pid = next(part.pid for part in inspect(folder).parts if part.name == "registry")
        psutil.Process(pid).kill()
        _, said = process.communicate(timeout=90)

        assert process.returncode == 3
        assert "registry ended with code -9" in said


def test_an_impossible_folder_is_refused(tmp_path: Path) -> None:
    """A mistake of the user is said in one line."""
    (tmp_path / "file").touch()

    refused = run("up", tmp_path / "file" / "data")

    assert refused.returncode == 2
    assert "cannot keep a stack in" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_ids_and_addresses_survive_a_restart(folder: Path) -> None:
    """The next start on the same folder is the same stack: ports, password, and what a schema id means."""
    with Stack(folder) as first:
        before = first.addresses
        number = register(before.registry, a_name("subject"), a_schema(("kept", "string"))).json()["id"]
    with Stack(folder) as second:
        assert before == second.addresses
        assert [field["name"] for field in schema_of(before.registry, number)["fields"]] == ["kept"]


def spoil_kafka(folder: Path) -> None:
    (folder / "kafka" / "data").mkdir(parents=True)  # no cluster id in it


def spoil_registry(folder: Path) -> None:
    (folder / "registry").mkdir(parents=True)
    (folder / "registry" / "schemas.mv.db").write_bytes(b"not a database" * 1000)


def spoil_postgres(folder: Path) -> None:
    (folder / "postgres" / "cluster").mkdir(parents=True)
    (folder / "postgres" / "password").write_text("unused")


@pytest.mark.parametrize(
    ("part", "spoil", "hint"),
    [
        ("kafka", spoil_kafka, "meta.properties"),
        ("registry", spoil_registry, "schemas.mv.db"),
        ("postgres", spoil_postgres, "postgresql.conf"),
    ],
)
def test_a_broken_part_is_named(folder: Path, part: str, spoil: Callable[[Path], None], hint: str) -> None:
    """The error names the part, quotes its log and says where that is; the others are ended."""
    spoil(folder)

    with pytest.raises(StackPartFailed) as failure:
        Stack(folder, registry=None if part == "registry" else DEAD).start()

    assert part == failure.value.part
    assert hint in failure.value.log_tail
    assert f"{part}.log" in str(failure.value)
    assert all(status.state == "down" for status in inspect(folder).parts)
