"""Case C-2 of the demo: from a block to an installation under an exception, with the commands as typed."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Sequence
from subprocess import CompletedProcess

from rich.console import Console
from rich.rule import Rule

from processors.cli.demo.scenes import CRM, PLUGINS

Typed = Callable[[Sequence[str]], "CompletedProcess[str]"]
"""Runs a command, shows it and its output, and returns its exit code."""

PENDING = 4
QUIETLY = f"--file={os.devnull}"
"""Sent with a reinstallation, without output: its report is that of case C-1, and need not be shown five times."""
REINSTALL = (
    "request",
    "--manifest",
    os.path.relpath(PLUGINS / "inventory-sync-1.5.0.yaml"),
    "--host=corex@1.9.0",
    f"--installed={CRM}@0.6.0",
    "--runtime=go@1.22",
    "--tenant=demo",
    "--operator=alice",
    "--target=warehouse-1",
    QUIETLY,
)


def play(typed: Typed, request_id: str) -> list[str]:
    """Request an exception for the block of that request, have it approved, install, and show the whole story."""
    return list(_acts(typed, request_id))


def _acts(typed: Typed, request_id: str) -> Generator[str]:
    title = "[bold]Case C-2: people who may take the risk, once and watched[/]"
    Console().print(Rule(title, align="left"))
    risk = "the warehouse goes live tonight; corex 2.0.0 follows on Sunday, and 1.9.0 was tried on staging"
    asked = typed(["exception", "request", request_id, "--requester=alice", f"--risk={risk}"])
    if asked.returncode != PENDING:
        yield f"C-2: asking for the exception ended with {asked.returncode}, expected {PENDING}"
        return
    exception = asked.stdout.split()[-1]
    bare = (*REINSTALL, f"--exception={exception}")
    ready = (
        *bare,
        "--acknowledge-risk=I watch it until Sunday and roll back at the first sign",
        "--monitoring=enhanced:error-rate,latency,host-health,on-call",
    )
    yield from _expect(typed, ready, 1, "it is not approved yet")
    yield from _expect(typed, ["approve", exception, "--as=petra", "--reason=tried on staging"], 0, "the steward")
    yield from _expect(typed, ["approve", exception, "--as=sabine", "--reason=watched"], 0, "security")
    yield from _expect(typed, bare, 1, "the risk is not acknowledged")
    yield from _expect(typed, ready, 0, "everything is there")
    yield from _expect(typed, ready, 1, "it was for one installation")
    yield from _expect(typed, ["exception", "show", exception], 0, "the whole story")


def _expect(typed: Typed, command: Sequence[str], code: int, why: str) -> Generator[str]:
    done = typed(command)
    if done.returncode != code:
        yield f"C-2, {why}: `{' '.join(command[:2])}` ended with {done.returncode}, expected {code}"
