"""Ports of a data folder."""

from __future__ import annotations

import socket
import subprocess
import sys
from dataclasses import astuple, replace
from pathlib import Path
from random import sample

from processors.embedded.ports import HOST, RANGE, answers, free_port, is_free, ports_of


def test_ports_are_remembered(tmp_path: Path) -> None:
    """Clients that were told an address may keep it."""
    assert ports_of(tmp_path / "ports.json") == ports_of(tmp_path / "ports.json")


def test_ports_differ_and_lie_below_those_of_clients(tmp_path: Path) -> None:
    """A client that reconnects must never be given the port of the server that it looks for."""
    ports = astuple(ports_of(tmp_path / "ports.json"))

    assert len(set(ports)) == 5
    assert all(port in RANGE for port in ports)


def test_a_port_that_somebody_took_is_chosen_again(tmp_path: Path) -> None:
    """Only that one; and the other choice is remembered."""
    before = ports_of(tmp_path / "ports.json")
    with socket.create_server((HOST, before.registry)):
        assert not is_free(before.registry)
        assert answers(before.registry)
        after = ports_of(tmp_path / "ports.json")

    assert after.registry != before.registry
    assert after == replace(before, registry=after.registry) == ports_of(tmp_path / "ports.json")


def test_a_spoilt_memory_is_no_reason_to_fail(tmp_path: Path) -> None:
    """The file is a convenience."""
    (tmp_path / "ports.json").write_text("{")

    assert ports_of(tmp_path / "ports.json") == ports_of(tmp_path / "ports.json")


def test_a_port_is_given_to_one_process_alone() -> None:
    """Two stacks that start at once would otherwise meet now and then: a server takes seconds before it listens."""
    given = free_port()
    assert is_free(given)
    turns = [given, *sample(RANGE, 20)]
    program = (
        "import random; from processors.embedded.ports import free_port; "
        f"turns = iter({turns}); random.choice = lambda _: next(turns); print(free_port())"
    )
    other = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert int(other.stdout) in set(turns) - {given}
