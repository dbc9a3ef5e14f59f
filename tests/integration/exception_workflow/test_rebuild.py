"""The changelog of exceptions is lost, and comes back from the topics: `compat-guard exception rebuild`."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from examples.compacted import forget_below
from examples.guard import Guard
from examples.outputs import valid
from examples.servers import own_servers
from examples.shell import RISK, Shell, a_shell

from processors.embedded import Addresses
from processors.events.topics import EXCEPTION_STATE

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def guarded(stack: Addresses) -> Iterator[Addresses]:
    """A broker of its own: all exceptions on it are rebuilt, and other modules have other policies."""
    with own_servers(stack.registry) as servers:
        yield servers.addresses


@pytest.fixture
def shell(guarded: Addresses, guard: Guard, tmp_path: Path) -> Iterator[Shell]:
    with a_shell(guarded, tmp_path) as shell:
        yield shell


def test_an_approved_exception_outlives_the_loss_of_its_changelog(shell: Shell, guard: Guard) -> None:
    asked = str(uuid.uuid4())
    install = (
        *("request", "--manifest", str(shell.folder / "plugin.yaml"), "--host", "corex@1.9.0"),
        *("--operator", "alice", "--target", "cluster-7", "--timeout", "60"),
    )
    shell(*install, "--request-id", asked, code=1)
    id = shell("exception", "request", asked, "--risk", RISK, "--requester", "alice", code=4)
    for person in ("petra", "sabine"):
        shell("approve", id, "--as", person)
    approved = valid("exception show", shell("exception", "show", id, "-o", "json"))
    shell("exception", "rebuild")

    lose_changelog(guard)
    refused = shell.told("exception", "rebuild", "--write", code=2)
    shell.stop("exception-workflow")
    differing = shell("exception", "rebuild", code=1)
    rebuilt = shell.told("exception", "rebuild", "--write", code=0)
    shell.start("exception-workflow")

    assert "group `exception-workflow` has members; stop the exception workflow" in refused
    assert f"{id}: the changelog lacks APPROVED" in differing
    assert "written; 0 differ still" in rebuilt
    assert valid("exception show", shell("exception", "show", id, "-o", "json")) == approved
    monitoring = "enhanced:error-rate,latency,host-health,on-call"
    shell(*install, "--exception", id, "--acknowledge-risk", "I know", "--monitoring", monitoring)


def lose_changelog(guard: Guard) -> None:
    """As retention would, where somebody has set it for a topic that is to be compacted."""
    ends = {record.partition: record.offset + 1 for record in guard.ground.read(EXCEPTION_STATE)}
    forget_below(guard.ground, EXCEPTION_STATE, ends)
