"""Every command, typed on one installation that runs: what the manual tells people to type works."""

from __future__ import annotations

import json
import shlex
import tempfile
import uuid
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from examples import commands
from examples.gateways import PLUGINS
from examples.ground import Ground, eventually
from examples.installation import Installation
from examples.shell import RISK

from processors.cli.root import every_command
from processors.embedded import Addresses
from processors.events.topics import INSTALL_REQUESTS

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

COMMANDS = {path for path, _ in every_command()}
ELSEWHERE = {
    "run": "in the fixture",
    "stack up": "integration/embedded",
    "stack down": "integration/embedded",
    "stack status": "integration/embedded",
    "acls apply": "integration/access, with an authorizer",
    "deliveries show": "integration/relay, with a target",
    "deliveries replay": "integration/relay",
    "deliveries resume": "integration/relay",
    "matrix sync": "unit/cli/matrix, with sources over HTTP",
}
"""Where the others are."""

BLOCKED = (
    f"--manifest {PLUGINS}/inventory-sync-1.5.0.yaml --host corex@1.9.0 --runtime go@1.22 "
    "--installed com.powerx.plugins.crm@0.6.0"
)
JENKINS = '{"plugins": {"git": {"name": "git", "version": "5.2.0", "requiredCore": "2.401"}}}'
POLICY = "component: com.powerx.plugins.crm\nadvisories: []\n"


class Desk:
    """Somebody who types one command after the other."""

    def __init__(self, installation: Installation) -> None:
        self.installation, self.folder = installation, installation.folder / "desk"
        self.folder.mkdir()
        self.typed = set[str]()

    def __call__(self, line: str, code: int | Collection[int] = 0) -> str:
        """Gives what the command wrote to stdout."""
        words = shlex.split(line)
        self.typed.add(next(path for n in (3, 2, 1) if (path := " ".join(words[:n])) in COMMANDS))
        done = commands.run(*words, environment=self.installation.environment, cwd=self.folder)
        meant = {code} if isinstance(code, int) else code
        assert done.returncode in meant, f"`{line}` ended with {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def json(self, line: str, code: int | Collection[int] = 0) -> Any:
        return json.loads(self(f"{line} --output json", code))

    def file(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, "utf-8")


@pytest.fixture(scope="module")
def desk(stack: Addresses) -> Iterator[Desk]:
    """Not in pytest's folder, which every run that begins closes to the user that Postgres runs as."""
    with ExitStack() as closing:
        folder = Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="compat-guard-commands-")))
        installation = closing.enter_context(Installation(folder).running(stack.registry))
        installation.environment["GUARD_LEDGER__ANCHOR_EVERY"] = "2"
        closing.enter_context(installation.processors())
        yield Desk(installation)


def test_every_command_ends_as_its_page_says(desk: Desk) -> None:
    matrices(desk)
    request = requests(desk)
    exceptions(desk, request)
    policies(desk)
    files(desk)
    dead_letters(desk)
    operations(desk)
    ledger(desk, request)

    assert desk.typed | ELSEWHERE.keys() == COMMANDS
    assert not desk.typed & ELSEWHERE.keys()


def matrices(desk: Desk) -> None:
    sample = desk.installation.config / "compat_matrix.yaml"
    desk.file("update-center.json", JENKINS)
    desk(f"matrix lint {sample}")
    desk("matrix status", code=1)
    desk("matrix keys publisher.json")
    desk(f"matrix sign {sample} --key publisher.json")
    desk(f"matrix publish {sample}")
    desk("matrix status")
    assert "governance" in desk("matrix show")
    desk("matrix explain com.powerx.legacy.reports@1.2.0 corex@1.9.0", code=1)
    desk.file("vendor.yaml", desk("matrix import jenkins update-center.json"))
    desk("matrix publish vendor.yaml")
    desk("matrix withdraw jenkins")
    assert {source["source"] for source in desk.json("matrix status")} == {"governance"}


def requests(desk: Desk) -> str:
    """Gives the id of one that was blocked."""
    id = str(uuid.uuid4())
    desk(f"check {BLOCKED} --matrix {desk.installation.config}/compat_matrix.yaml", code=1)
    desk("plan --from corex@1.9.0 --host corex@2.0.0 --installed com.powerx.plugins.crm@0.6.0")
    desk(f"request {BLOCKED} --request-id {id} --target cluster-7", code=1)
    desk(f"report {id} --output markdown", code=1)
    desk(f"recheck {id}", code=1)
    desk(f"replay --matrix {desk.installation.config}/compat_matrix.yaml --since 1d")
    assert id in desk("watch --from-beginning --count 1 --output json")
    return id


def exceptions(desk: Desk, request: str) -> None:
    """One whose extension is denied, one that is withdrawn, and one that is revoked."""

    def asked() -> str:
        return desk(f"exception request {request} --risk '{RISK}' --for 1d --requester alice", 4).strip()

    def approved(id: str) -> str:
        for person in ("petra", "sabine"):
            desk(f"approve {id} --as {person}")
        return id

    id = asked()
    desk(f"exception amend {id} --control 'two people watch it' --requester alice", code=4)
    desk(f"exception extend {approved(id)} --for 1d --requester alice", code=4)
    desk(f"deny {id} --as petra --reason 'not that long'")
    desk(f"exception withdraw {asked()} --requester alice --reason solved")
    desk(f"exception revoke {approved(asked())} --as lena --reason misused")
    assert desk.json(f"exception show {id}")["status"] == "REVOKED"
    assert id in desk("exception list --all")
    desk("exception rebuild")


def policies(desk: Desk) -> None:
    desk.file("policy.yaml", POLICY)
    desk("policies lint policy.yaml")
    desk("policies publish policy.yaml")
    assert "com.powerx.plugins.crm" in desk("policies list")
    desk("policies show com.powerx.plugins.crm --output yaml")
    desk("policies withdraw com.powerx.plugins.crm")


def files(desk: Desk) -> None:
    desk(f"manifest lint {PLUGINS}/inventory-sync-1.5.0.yaml")
    desk(f"manifest show {PLUGINS}/inventory-sync-1.5.0.yaml")
    desk("satisfies --dialect npm '>=1.2 <2' 1.9.0")
    desk("explain HOST_TOO_OLD")
    desk("schema matrix status")
    desk("manual")
    desk("accuracy")


def dead_letters(desk: Desk) -> None:
    ground = Ground(desk.installation.of.kafka.bootstrap, desk.installation.of.registry.url)
    ground.write(INSTALL_REQUESTS, [(b"com.acme.junk", b"\xde\xad")])
    ground.close()
    eventually(lambda: desk.json("dead-letters list"))
    (letter,) = desk.json("dead-letters list")
    desk(f"dead-letters show {letter['id']}")
    desk(f"dead-letters replay {letter['id']} --dry-run")


def operations(desk: Desk) -> None:
    desk("topics lint")
    desk("topics diff")
    desk("topics apply")
    desk("topics asyncapi")
    desk("topics page")
    desk("topics release")
    desk("acls show")
    desk("acls page")
    desk("acls diff", code=1)
    desk(f"config check {desk.installation.config}")
    desk("config show")
    desk("gateway keys gateway-keys.json")
    desk("gateway openapi")
    desk("seals make seals.json")
    desk("seals rotate seals.json")
    desk("seals promote seals.json")
    desk("deliveries list")
    desk("doctor")


def ledger(desk: Desk, request: str) -> None:
    desk("ledger migrate")
    desk("ledger months")
    desk("ledger keys other-keys.json")
    eventually(lambda: desk.json("ledger search --approver lena --state REVOKED", (0, 1)))
    revoked, *_ = desk.json("ledger search --approver lena --state REVOKED")
    desk(f"ledger show {request}")
    desk(f"ledger who {revoked['approver']} --reason 'who was it?'")
    assert "who was it?" in desk("ledger looks")
    eventually(lambda: desk(f"ledger prove {revoked['event_id']}", (0, 3)))
    desk.file("proof.json", desk(f"ledger prove {revoked['event_id']}"))
    desk("ledger verify-proof proof.json")
    desk("ledger export all.jsonl")
    desk("ledger report --since 2026-01-01 --output html --file report.html")
    desk("ledger anchors")
    desk("ledger verify")
    desk("ledger rebuild-views --check")
    desk("ledger reconcile")
    desk("ledger take-up")
    desk("ledger losses")
    desk("ledger metrics")
    desk("ledger retention plan")
    desk("ledger retention run archive")
