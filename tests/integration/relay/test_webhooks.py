"""Events on the real topics, delivered to a real receiver."""

from __future__ import annotations

import threading
import time
from collections import Counter

import pytest
from examples.ground import eventually
from examples.platform import ROTATED, SECRET, Answer, Platform, Received
from examples.relaying import Relaying, now, target

from processors.relay.records import from_record

pytestmark = pytest.mark.stack


def test_an_event_arrives_as_a_signed_cloud_event(relaying: Relaying) -> None:
    """Structured mode, so that the signature covers the attributes; the receiver verifies with its own library."""
    with Platform() as platform:
        relaying.configure(target(platform.url(), since=now()))
        with relaying.running():
            (id,) = relaying.publish()
            eventually(lambda: platform.received)

    (received,) = platform.received
    assert received.verified
    assert received.path == "/internal/notify/publish"
    assert received.headers["content-type"] == "application/cloudevents+json"
    event = received.event
    assert (event["specversion"], event["type"], event["id"]) == ("1.0", "plugin.compat.notification", id)
    assert event["source"] == "/test"
    assert event["subject"] == event["data"]["recipient"] == f"user:{relaying.tag}-0"
    assert received.id == id


def test_a_new_target_is_told_of_what_comes_from_now_on(relaying: Relaying) -> None:
    """Topics keep a year; nobody wants all of it at once."""
    old = relaying.publish(3)
    with Platform() as platform:
        relaying.configure(new_one := target(platform.url()))
        with relaying.running():
            eventually(lambda: _standing(relaying, new_one["name"]))
            new = relaying.publish(2)
            eventually(lambda: len(platform.received) >= 2)

    assert set(platform.ids()) == set(new)
    assert not set(platform.ids()) & set(old)


def test_every_try_sends_the_same_id_and_bytes_until_one_succeeds(relaying: Relaying) -> None:
    tries: Counter[str] = Counter()

    def third_time(received: Received) -> Answer:
        tries[received.id] += 1
        return Answer(204 if tries[received.id] == 3 else 500)

    with Platform(third_time) as platform:
        relaying.configure(target(platform.url(), since=now()))
        with relaying.running():
            ids = relaying.publish(4)
            eventually(lambda: len(platform.received) >= 12)
            time.sleep(1)

    assert tries == dict.fromkeys(ids, 3)
    assert set(platform.events()) == set(ids)
    assert all(received.verified for received in platform.received)


def test_a_target_that_hangs_delays_no_other(relaying: Relaying) -> None:
    """And has everything once it is released."""
    released = threading.Event()

    def hangs(_: Received) -> Answer:
        released.wait(60)
        return Answer()

    with Platform() as healthy, Platform(hangs) as slow:
        relaying.configure(target(healthy.url(), since=now()), target(slow.url(), since=now()))
        with relaying.running():
            ids = relaying.publish(40)
            eventually(lambda: set(healthy.ids()) == set(ids))
            assert set(slow.ids()) < set(ids)
            released.set()
            eventually(lambda: set(slow.events()) == set(ids))


def test_events_of_one_recipient_arrive_in_order(relaying: Relaying) -> None:
    """The first one fails a few times; those behind it wait, and other recipients do not."""
    tries: Counter[str] = Counter()
    slow: list[str] = []

    def behave(received: Received) -> Answer:
        tries[received.id] += 1
        return Answer(500 if received.id in slow and tries[received.id] < 4 else 204)

    with Platform(behave) as platform:
        relaying.configure(target(platform.url(), since=now()))
        with relaying.running():
            first = relaying.publish(1, keys=1)
            slow += first
            rest = relaying.publish(5, keys=1)
            other = relaying.publish(3, recipient=f"user:{relaying.tag}-other")
            eventually(lambda: {*first, *rest, *other} <= set(platform.ids()))
            eventually(lambda: tries[first[0]] == 4)

    order = [one.id for one in platform.received if one.id in {*first, *rest}]
    assert order == [*first * 4, *rest]


def test_a_refusal_is_tried_three_times_and_becomes_a_dead_letter(relaying: Relaying) -> None:
    with Platform(lambda _: Answer(422)) as platform:
        relaying.configure(target(platform.url(), since=now(), name=f"refuses-{relaying.tag}"))
        with relaying.running():
            (id,) = relaying.publish()
            eventually(lambda: _letters(relaying, id))

    assert platform.ids() == [id] * 3
    (letter,) = _letters(relaying, id)
    headers = dict(letter.headers)
    assert headers["guard.errors.reason"] == b"undeliverable"
    assert headers["guard.errors.processor"] == f"relay-refuses-{relaying.tag}".encode()
    assert headers["__streams.errors.topic"] == b"compat.notifications"
    assert b"422" in (headers["__streams.errors.message"] or b"")


def _letters(relaying: Relaying, id: str) -> list:
    return [letter for letter in relaying.guard.dead_letters() if id.encode() in (letter.value or b"")]


def test_either_secret_verifies_while_one_is_rotated(relaying: Relaying) -> None:
    (relaying.folder / "old").write_text(ROTATED)
    with Platform(secret=ROTATED) as platform:
        relaying.configure(target(platform.url(), since=now(), secrets=[{"file": "secret"}, {"file": "old"}]))
        with relaying.running():
            relaying.publish()
            eventually(lambda: len(platform.received) == 1)
            platform.use_secret(SECRET)
            relaying.publish()
            eventually(lambda: len(platform.received) == 2)

    assert [received.verified for received in platform.received] == [True, True]


def test_a_rotation_to_the_wrong_secret_holds_the_target_and_loses_nothing(relaying: Relaying) -> None:
    """The receiver answers 401 to everything; nothing is given up, and all of it arrives once it knows us again."""
    with Platform(lambda received: Answer(204 if received.verified else 401), secret=ROTATED) as platform:
        relaying.configure(target(platform.url(), since=now()))
        with relaying.running():
            ids = relaying.publish(30)
            eventually(lambda: len(platform.received) >= 18)  # those in flight, and probes one at a time
            platform.use_secret(SECRET)
            eventually(lambda: {one.id for one in platform.received if one.verified} == set(ids))

    assert all(not _letters(relaying, id) for id in ids[:3])


def test_a_target_that_is_gone_is_left_alone_also_after_a_restart(relaying: Relaying) -> None:
    """410 disables it; another address begins anew, with everything that waited."""
    with Platform(lambda _: Answer(410)) as platform, Platform() as new:
        gone = target(platform.url(), since=now(), in_flight=1)
        relaying.configure(gone)
        with relaying.running():
            ids = relaying.publish(5)
            eventually(lambda: platform.received)
            eventually(lambda: _standing(relaying, gone["name"]) == "DISABLED")
        with relaying.running():
            ids += relaying.publish(1)
            time.sleep(2)
        assert len(platform.received) == 1
        relaying.configure(gone | {"url": new.url()})
        with relaying.running():
            eventually(lambda: set(new.events()) == set(ids))


def _standing(relaying: Relaying, name: str) -> str:
    read = relaying.guard.codec.decoder("compat.relay-state", "RelayState")
    key = f"{name}/standing".encode()
    found = [from_record(read(r.value)) for r in relaying.guard.ground.read("compat.relay-state") if r.key == key]
    return str(max(found, key=lambda standing: standing.changed_at).mode) if found else ""


def test_what_waits_survives_a_restart(relaying: Relaying) -> None:
    """With the number of its tries, and the same bytes."""
    with Platform(lambda _: Answer(503)) as platform:
        relaying.configure(target(platform.url(), since=now(), retry=["1s"] * 40))
        with relaying.running():
            ids = relaying.publish(3)
            eventually(lambda: set(platform.ids()) == set(ids))
        platform.behave = lambda _: Answer(204)
        with relaying.running():
            eventually(lambda: len(platform.received) >= 6)

        assert set(platform.events()) == set(ids)


def test_an_address_outside_of_the_networks_is_not_connected_to(relaying: Relaying) -> None:
    with Platform() as platform:
        relaying.configure(
            target(platform.url(), since=now(), networks=["10.0.0.0/8"], allow_plaintext=True, retry=["100ms"])
        )
        with relaying.running():
            (id,) = relaying.publish()
            eventually(lambda: _letters(relaying, id))

    assert platform.received == []
    (letter,) = _letters(relaying, id)
    assert b"outside of its `networks`" in (dict(letter.headers)["__streams.errors.message"] or b"")


def test_only_the_recipients_that_a_target_is_for_are_told(relaying: Relaying) -> None:
    with Platform() as platform:
        relaying.configure(target(platform.url(), since=now(), recipients=["role:*"]))
        with relaying.running():
            relaying.publish()
            (id,) = relaying.publish(recipient="role:matrix-ops")
            eventually(lambda: platform.received)
            time.sleep(0.5)

    assert platform.ids() == [id]
