"""What an operator sees of deliveries, and does about them."""

from __future__ import annotations

import json
import os
import subprocess

import pytest
from examples import commands
from examples.ground import eventually
from examples.outputs import valid
from examples.platform import Answer, Platform
from examples.relaying import Relaying, now, target
from examples.sealing import SEALS

from processors.client.deliveries import command_record, read_relayed, replay_commands
from processors.stream.io.atomically import publish_atomically
from processors.stream.loop.dead_letters import read_letter
from processors.stream.seals import Seals

pytestmark = pytest.mark.stack

STRANGERS = Seals("k1", {"k1": bytes(32)})
"""Keys of somebody who knows how a seal is made."""


def command(relaying: Relaying, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "GUARD_KAFKA__BOOTSTRAP": relaying.guard.of.kafka.bootstrap,
        "GUARD_REGISTRY__URL": relaying.guard.of.registry.url,
        "COLUMNS": "300",
    }
    return commands.run(*words, environment=environment)


def listed(relaying: Relaying, name: str) -> dict:
    return valid("deliveries list", command(relaying, "deliveries", "list", "--target", name, "-o", "json").stdout)


def mode(relaying: Relaying, name: str) -> str:
    """How the target stands; empty before the relay has said so for the first time."""
    return listed(relaying, name)["targets"].get(name, {}).get("mode", "")


def test_a_delivery_that_was_given_up_is_shown_and_tried_again(relaying: Relaying) -> None:
    """The receiver has mended what it refused, and gets the same id and bytes."""
    with Platform(lambda _: Answer(422)) as platform:
        to = target(platform.url(), since=now())
        relaying.configure(to)
        with relaying.running():
            (id,) = relaying.publish()
            eventually(lambda: [d["status"] for d in listed(relaying, to["name"])["deliveries"]] == ["dead"])
            shown = valid("deliveries show", command(relaying, "deliveries", "show", id).stdout)
            letters = command(relaying, "dead-letters", "replay", "--processor", f"relay-{to['name']}")

            platform.behave = lambda _: Answer(204)
            done = command(relaying, "deliveries", "replay", id)
            eventually(lambda: len(platform.received) == 4)
            eventually(lambda: listed(relaying, to["name"])["deliveries"] == [])

    assert (done.returncode, done.stdout) == (0, "1 delivery is tried again\n")
    assert shown["attempts"] == 3
    assert shown["message"].startswith("422")
    assert json.loads(shown["body"])["id"] == id
    assert letters.stdout == "sent 0 records again\n"
    assert set(platform.events()) == {id}


def test_a_target_that_was_gone_by_mistake_is_resumed(relaying: Relaying) -> None:
    with Platform(lambda _: Answer(410)) as platform:
        to = target(platform.url(), since=now())
        relaying.configure(to)
        with relaying.running():
            ids = relaying.publish(3)
            eventually(lambda: mode(relaying, to["name"]) == "DISABLED")
            table = command(relaying, "deliveries", "list", "--target", to["name"]).stdout
            platform.behave = lambda _: Answer(204)
            done = command(relaying, "deliveries", "resume", to["name"])
            eventually(lambda: set(platform.events()) == set(ids))
            eventually(lambda: listed(relaying, to["name"])["deliveries"] == [])

    assert done.returncode == 0
    assert f"{to['name']} is DISABLED" in table
    assert "410 Gone" in table


def test_what_nobody_carries_out_is_said_and_kept(relaying: Relaying) -> None:
    """No relay runs: the command ends with 3, and the next relay does it."""
    with Platform(lambda _: Answer(422)) as platform:
        to = target(platform.url(), since=now())
        relaying.configure(to)
        with relaying.running():
            (id,) = relaying.publish()
            eventually(lambda: [d["status"] for d in listed(relaying, to["name"])["deliveries"]] == ["dead"])
        done = command(relaying, "deliveries", "replay", id, "--wait", "1")
        platform.behave = lambda _: Answer(204)
        with relaying.running():
            eventually(lambda: len(platform.received) == 4)

    assert done.returncode == 3
    assert "compat-guard run relay" in done.stderr


@pytest.mark.parametrize("words", [("show", "nobody"), ("replay", "nobody"), ("resume", "nobody")])
def test_what_is_not_there_is_said(relaying: Relaying, words: tuple[str, ...]) -> None:
    done = command(relaying, "deliveries", *words)

    assert done.returncode == 2
    assert "nobody" in done.stderr


def test_a_command_that_none_of_our_programs_sealed_moves_nothing(relaying: Relaying) -> None:
    """Whoever may write the topic knows every schema, and has no key of the seals. An operator's command stands
    whatever tombstone is written over it."""
    with Platform(lambda _: Answer(422)) as platform:
        to = target(platform.url(), since=now())
        relaying.configure(to)
        with relaying.running():
            (id,) = relaying.publish()
            eventually(lambda: [d["status"] for d in listed(relaying, to["name"])["deliveries"]] == ["dead"])
        (given_up,) = [d for d in read_relayed(relaying.guard.of).deliveries if d.id == id]
        ((again, partition),) = replay_commands([given_up], "mallory").items()
        forged = command_record(relaying.guard.codec, STRANGERS, again, partition)
        publish_atomically(relaying.guard.ground.settings, to["name"], [forged])
        platform.behave = lambda _: Answer(204)
        with relaying.running():
            eventually(lambda: refused(relaying, forged.key))
            assert [d["status"] for d in listed(relaying, to["name"])["deliveries"]] == ["dead"]

        ours = command_record(relaying.guard.codec, SEALS, again, partition)
        publish_atomically(relaying.guard.ground.settings, to["name"], [ours, ours._replace(value=None)])
        with relaying.running():
            eventually(lambda: listed(relaying, to["name"])["deliveries"] == [])

    assert len(platform.received) == 4  # three tries, and the one that an operator asked for


def refused(relaying: Relaying, key: bytes | None) -> bool:
    """Whether a record of that key lies among the dead letters because nobody of us sealed it."""
    ground = relaying.guard.ground
    letters = [read_letter(record) for record in ground.read(ground.settings.dead_letters)]
    return ("seal_refused", key) in {(letter.reason, letter.record.key) for letter in letters}
