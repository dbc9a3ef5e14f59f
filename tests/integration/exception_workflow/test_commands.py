"""Case C-2 as people play it: commands, a development key, and processors in processes of their own."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from examples.outputs import valid
from examples.shell import RISK, Shell, a_shell

from processors.embedded import Addresses

pytestmark = pytest.mark.stack


@pytest.fixture
def shell(guarded: Addresses, tmp_path: Path) -> Iterator[Shell]:
    with a_shell(guarded, tmp_path) as shell:
        yield shell


def test_case_c2_from_the_command_line(shell: Shell) -> None:
    """Blocked, asked, approved by two people, installed under monitoring; what is refused says why."""
    tenant, asked, elsewhere = f"cli-{uuid.uuid4().hex[:6]}", str(uuid.uuid4()), str(uuid.uuid4())
    install = (
        *("request", "--manifest", str(shell.folder / "plugin.yaml"), "--host", "corex@1.9.0"),
        *("--tenant", tenant, "--operator", "alice", "--target", "cluster-7", "--timeout", "60"),
    )
    shell(*install, "--request-id", asked, code=1)

    shell("exception", "request", asked, code=2)
    id = shell("exception", "request", asked, "--risk", RISK, "--requester", "alice", code=4)
    again = shell.told("exception", "request", asked, "--risk", RISK + " Really.", "--requester", "alice", code=2)
    typo = shell.told("exception", "request", asked, "--risk", RISK, "--finding", "HOST_TO_OLD", code=2)
    nowhere = shell.told("exception", "request", "nonsense", "--risk", RISK, code=2)
    unheard = shell.told("exception", "show", "nonsense", code=2)
    uncovered = shell.told(*install, "--exception", "nonsense", "--acknowledge-risk", "I know", code=1)
    (waiting,) = [
        e for e in valid("exception list", shell("exception", "list", "-o", "json")) if e["exception"] == id
    ]
    shell("approve", id, "--as", "sabine", code=2)
    shell("approve", id, "--as", "petra")
    stranger = shell.told("exception", "amend", id, "--risk", RISK, "--requester", "mallory", code=2)
    shell(*install, "--tenant", f"{tenant}-2", "--request-id", elsewhere, code=1)
    other = shell.told("exception", "amend", id, "--request", elsewhere, "--requester", "alice", code=2)
    shell("exception", "amend", id, "--control", "two people watch it", "--requester", "alice", code=4)
    shell("approve", id, "--as", "petra")
    approval = shell("approve", id, "--as", "sabine", "--reason", "watched")
    shell(*install, "--exception", id, code=1)
    passed = shell(
        *install,
        *("--exception", id, "--acknowledge-risk", "I know"),
        *("--monitoring", "enhanced:error-rate,latency,host-health,on-call"),
        *("-o", "json"),
    )
    shown = valid("exception show", shell("exception", "show", id, "-o", "json"))

    assert f"is PENDING; nothing was changed; `compat-guard exception amend {id}` changes it" in again
    assert "--finding `HOST_TO_OLD` blocks nothing in this report; did you mean `HOST_TOO_OLD`?" in typo
    assert "`nonsense`; `compat-guard watch --from-beginning` lists those that are kept" in nowhere
    assert "`nonsense`; `compat-guard exception list --all` shows all" in unheard
    assert "NO_SUCH_EXCEPTION" in uncovered
    assert "exception show" not in uncovered
    assert (waiting["step"], waiting["left"][:1]) == ("steward", "7")
    assert "NOT_THE_REQUESTER" in stranger
    assert f"`compat-guard exception request {elsewhere}`" in other
    assert (shown["risk"], shown["category"], shown["controls"]) == (RISK, "MITIGATED", ["two people watch it"])
    assert valid("request", passed)["verdict"] == "BLOCK", "the report is what it was; the envelope lets it pass"
    assert (shown["status"], shown["approval_id"], shown["uses"]) == ("CONSUMED", approval, 1)
    assert [step["event"] for step in shown["history"]] == [
        "requested",
        "review_opened",
        "already_open",
        "refused",
        "step_approved",
        "refused",
        "amended",
        "step_approved",
        "approved",
        "refused",
        "used",
    ]


def test_an_approved_exception_is_extended_once_and_revoked(shell: Shell) -> None:
    """An extension is approved anew; a revocation takes effect at once and needs the role."""
    tenant, asked = f"cli-{uuid.uuid4().hex[:6]}", str(uuid.uuid4())
    ask = ("request", "--manifest", str(shell.folder / "plugin.yaml"), "--host", "corex@1.9.0", "--tenant", tenant)
    shell(*ask, "--request-id", asked, "--timeout", "60", code=1)
    id = shell(
        "exception",
        "request",
        asked,
        "--risk",
        RISK,
        "--requester",
        "alice",
        "--for",
        "1d",
        "--finding",
        "HOST_TOO_OLD",
        code=4,
    )
    for person in ("petra", "sabine"):
        shell("approve", id, "--as", person)
    waits = shell.told("exception", "extend", id, "--for", "3d", "--requester", "alice", code=4)
    early = shell.told("exception", "revoke", id, "--as", "lena", "--reason", "leaks", code=2)
    for person in ("petra", "sabine"):
        shell("approve", id, "--as", person)
    shell("exception", "extend", id, "--for", "1d", "--requester", "alice", code=2)
    shell("exception", "revoke", id, "--as", "petra", "--reason", "leaks", code=2)
    shell("exception", "revoke", id, "--as", "lena", "--reason", "leaks")
    shell("exception", "withdraw", id, code=2)

    shown = valid("exception show", shell("exception", "show", id, "-o", "json"))
    assert "until the extension is approved, the exception covers nothing; a denial ends it" in waits
    assert "`compat-guard deny` ends it, or `compat-guard exception withdraw` by the requester" in early
    assert shown["status"] == "REVOKED"
    assert shown["valid_until"] > time.strftime("%Y-%m-%d", time.gmtime(time.time() + 86_400 * 3.5))
