"""Loopback ports: chosen once per data folder, remembered, and chosen again when somebody took them."""

from __future__ import annotations

import random
import socket
from dataclasses import asdict, dataclass, fields
from json import JSONDecodeError, dumps, loads
from pathlib import Path

from processors.embedded.staging import write_whole

HOST = "127.0.0.1"

RANGE = range(20_000, 30_000)
"""Below the ports that operating systems hand out to clients: a client that reconnects while its server is
away could otherwise be given the server's own port, and would then keep it from coming back."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of one stack, all different."""

    kafka: int
    controller: int
    registry: int
    management: int
    postgres: int


def ports_of(file: Path) -> Ports:
    """The ports that the file remembers, with another one for each that is taken. The file is up to date after.

    Nobody listens on them when this returns. A stranger may take one before the server does: call again then.
    """
    remembered = _read(file)
    chosen: dict[str, int] = {}
    for field in fields(Ports):
        port = remembered.get(field.name)
        usable = port is not None and port not in chosen.values() and is_free(port)
        chosen[field.name] = port if usable and port else free_port()
    ports = Ports(**chosen)
    write_whole(file, dumps(asdict(ports)))
    return ports


def is_free(port: int) -> bool:
    """Whether a server could listen there. A port whose last connections linger in TIME_WAIT is free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def answers(port: int) -> bool:
    """Whether somebody accepts connections there."""
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


def free_port(following: int = 0) -> int:
    """A port that nobody listens on, nor on the `following` ones.

    No other process that asks here is given any of them until this one ends, which leaves its server all the time
    that it needs to start.
    """
    while True:
        first = random.choice(RANGE)  # noqa: S311  spreads stacks that start at once; no secret
        wanted = range(first, first + following + 1)
        if wanted.stop <= RANGE.stop and all(is_free(port) and _claim(port) for port in wanted):
            return first


def _claim(port: int) -> bool:
    """Whether the number is this process's until it ends.

    The mark is its UDP port, which no server uses: that needs no file, and the kernel takes it back by itself.
    """
    mark = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        mark.bind((HOST, port))
    except OSError:
        mark.close()
        return False
    mark.detach()
    return True


def _read(file: Path) -> dict[str, int]:
    try:
        return loads(file.read_text("utf-8"))
    except (FileNotFoundError, JSONDecodeError):
        return {}
