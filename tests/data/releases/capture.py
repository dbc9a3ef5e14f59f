"""Captures what a release leaves behind: the records on its topics, the schemas that they were written with, a dump
of its ledger, and the keys that all of it was sealed and signed with. Run it with the release's own checkout:

    git worktree add /tmp/release COMMIT
    compat-guard seals make /tmp/seals.json
    GUARD_SEAL__KEY_FILE=/tmp/seals.json PYTHONPATH=/tmp/release:/tmp/release/tests python capture.py FOLDER

The keys are made for the capture and open nothing else.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import httpx
from examples.exceptions import BOB, SABINE, SCOPE
from examples.ground import eventually
from examples.guard import Guard, now
from examples.relaying import Relaying, target
from examples.relaying import now as relaying_now

import processors
from processors.client.deliveries import read_relayed
from processors.configuration.settings import shipped
from processors.contracts.files import load_topics
from processors.embedded import Stack
from processors.embedded.postgres import programs
from processors.events.topics import APPROVAL_DECISIONS, EXCEPTION_REQUESTS
from processors.ledger.database import migrate
from processors.ledger.keys import new_keys, write_keys

TOPICS = [topic.name for topic in load_topics(shipped("config") / "topics.yaml").telling]


def play(guard: Guard, folder: Path) -> dict[str, str]:
    """One exception that is approved and lives, one under review, one that was denied; a delivery that waits."""
    approved, reviewed, denied = (SCOPE._replace(tenant=name) for name in ("approved", "reviewed", "denied"))
    with guard.answering(), guard.workflow():
        for scope in (approved, reviewed, denied):
            guard.send(EXCEPTION_REQUESTS, scope.exception_id, guard.events.command(scope))
            eventually(lambda scope=scope: status(guard, scope.exception_id) == "PENDING")
        for person in (BOB, SABINE):
            decision = guard.events.decision(person, now(), approved)
            guard.send(APPROVAL_DECISIONS, approved.exception_id, decision)
        eventually(lambda: status(guard, approved.exception_id) == "APPROVED")
        refusal = guard.events.decision(BOB, now(), denied, decision="deny", reason="not worth it")
        guard.send(APPROVAL_DECISIONS, denied.exception_id, refusal)
        eventually(lambda: status(guard, denied.exception_id) not in ("", "PENDING"))
    relaying, started = Relaying(guard, folder), relaying_now()
    relaying.configure(target("http://127.0.0.1:9/", since=started))
    with relaying.running():
        relaying.publish()
        eventually(lambda: read_relayed(guard.of).deliveries)
    return {id: str(case.status) for id, case in guard.states().items()}


def status(guard: Guard, exception_id: str) -> str:
    case = guard.states().get(exception_id)
    return str(case.status) if case else ""


def filed(stack: Stack, keys: Path, guard: Guard) -> None:
    """Run the sink until everything is in the ledger, and anchored."""
    environment = os.environ | {
        "GUARD_KAFKA__BOOTSTRAP": stack.addresses.bootstrap,
        "GUARD_REGISTRY__URL": stack.addresses.registry,
        "GUARD_POSTGRES__URL": stack.addresses.postgres,
        "GUARD_LEDGER__KEYS": str(keys),
        "GUARD_LEDGER__ANCHOR_EVERY": "1",
    }
    sink = subprocess.Popen([sys.executable, "-m", "processors.cli", "run", "ledger"], env=environment)
    time.sleep(30)
    sink.terminate()
    sink.wait(30)
    subprocess.run([sys.executable, "-m", "processors.cli", "ledger", "verify"], env=environment, check=True)


def text(raw: bytes | None) -> str | None:
    return None if raw is None else base64.b64encode(raw).decode()


def capture(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    seals = Path(os.environ["GUARD_SEAL__KEY_FILE"])
    keys = folder / "ledger.json"
    if not keys.exists():
        write_keys(keys, new_keys())
    with ExitStack() as opened:
        home = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="compat-guard-")))
        stack = opened.enter_context(Stack(home))
        migrate(stack.addresses.postgres)
        guard = Guard(stack.addresses)
        opened.callback(guard.close)
        relay_home = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        states = play(guard, relay_home)
        filed(stack, keys, guard)
        records = [record for topic in TOPICS for record in guard.ground.read(topic)]
        ids = {int.from_bytes(r.value[1:5], "big") for r in records if r.value and r.value[:1] == b"\0"}
        with httpx.Client(base_url=stack.addresses.registry) as client:
            schemas = {
                id: client.get(f"/schemas/ids/{id}").raise_for_status().json()["schema"] for id in sorted(ids)
            }
        dump = subprocess.run(
            [
                programs() / "pg_dump",
                "--format=custom",
                "--compress=9",
                stack.addresses.postgres.replace("+psycopg", ""),
            ],
            check=True,
            capture_output=True,
        ).stdout
    (folder / "ledger.dump").write_bytes(dump)
    (folder / "seals.json").write_text(seals.read_text())
    lines = [
        json.dumps(
            {
                "topic": r.topic,
                "partition": r.partition,
                "offset": r.offset,
                "timestamp": r.timestamp,
                "key": text(r.key),
                "value": text(r.value),
                "headers": [[n, text(c)] for n, c in r.headers],
            }
        )
        for r in records
    ]
    (folder / "records.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "schemas.json").write_text(json.dumps(schemas, indent=1))
    facts = {"version": processors.__version__, "captured_at": now(), "exceptions": states}
    (folder / "facts.json").write_text(json.dumps(facts, indent=1))


if __name__ == "__main__":
    capture(Path(sys.argv[1]))
