"""What a reply changes: only what differs, only what is ours, and nothing if it leaves out too much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.matrix.floors import Floor
from processors.policies import Advisory, Policies, SecurityPolicy
from processors.policies.document import UNUSABLE
from processors.security_context.decision import Decision, InForce, decided, serial
from processors.security_context.inquiry import PUBLISHER, Reply
from processors.security_context.words import told

HOUR = 3_600_000
DAY = 24 * HOUR
NOW = 1_795_521_600_000
PAGE = ("a", "b", "c")


def advisories(*ids: str) -> tuple[Advisory, ...]:
    return tuple(Advisory(id=id, affected=("<2",)) for id in ids)


def policy(
    component: str, *ids: str, until: int | None = NOW + DAY, at: int = NOW, by: str = PUBLISHER
) -> SecurityPolicy:
    return SecurityPolicy(
        component_id=component,
        policy_id=component,
        published_at=at,
        publisher=by,
        advisories=advisories(*ids),
        valid_until=until,
    )


def stated(component: str, *ids: str, **more: int | None) -> SecurityPolicy:
    """As a reply has it: without an end, unless the platform says one."""
    return policy(component, *ids, **({"until": None} | more))


def outcome(
    reply: Sequence[SecurityPolicy],
    held: Sequence[SecurityPolicy],
    floors: Mapping[str, Floor] | None = None,
    accepted: Sequence[str] = (),
) -> Decision:
    said = Reply({one.component_id: one for one in reply}, 0, "sha256:reply")
    return decided(PAGE, said, InForce(Policies.of(held), floors or {}, NOW), DAY, accepted)


def ids(policies: Sequence[SecurityPolicy]) -> list[str]:
    return [one.component_id for one in policies]


def test_what_is_new_or_different_is_published_for_a_day() -> None:
    done = outcome([stated("a", "1"), stated("b", "1", "2")], [policy("b", "1")])

    assert ids(done.changed) == ["a", "b"]
    assert {one.valid_until for one in done.changed} == {NOW + DAY}
    assert (done.confirmed, done.withdrawn, done.is_held) == ((), (), False)


@pytest.mark.parametrize(
    ("left", "confirmed"),
    [
        pytest.param(DAY, False, id="fresh"),
        pytest.param(DAY // 2 + 1, False, id="before half of its time"),
        pytest.param(DAY // 2, True, id="at half of its time"),
        pytest.param(1, True, id="in the last moment"),
        pytest.param(-1, True, id="over"),
    ],
)
def test_what_is_the_same_is_written_again_only_to_hold_for_longer(left: int, confirmed: bool) -> None:
    """As the policy that it was: reports go on naming it by its digest."""
    before = policy("a", "1", until=NOW + left, at=NOW - DAY)
    done = outcome([stated("a", "1")], [before])

    assert done.changed == ()
    assert [one.digest for one in done.confirmed] == [before.digest] * confirmed
    assert [one.valid_until for one in done.confirmed] == [NOW + DAY] * confirmed


def test_a_platform_may_let_a_policy_end_earlier_and_never_later() -> None:
    short = outcome([stated("a", "1", until=NOW + HOUR)], [policy("a", "1")])
    long = outcome([stated("a", "1", until=NOW + 9 * DAY)], [])
    standing = outcome([stated("a", "1", until=NOW + HOUR)], [policy("a", "1", until=NOW + HOUR)])

    assert [one.valid_until for one in short.changed] == [NOW + HOUR]
    assert [one.valid_until for one in long.changed] == [NOW + DAY]
    assert (standing.changed, standing.confirmed) == ((), ())


def test_a_policy_of_somebody_else_is_left_alone() -> None:
    """Whether the reply has another one for its component, or none."""
    theirs = [policy("a", "1", by="petra"), policy("b", "1", by="")]
    done = outcome([stated("a")], theirs)

    assert (done.changed, done.confirmed, done.withdrawn, done.left_alone) == ((), (), (), ("a",))
    assert (done.standing, done.is_held) == (0, False)


def test_what_was_not_asked_about_is_not_touched() -> None:
    done = outcome([], [policy("z", "1")])

    assert (done.withdrawn, done.is_held) == ((), False)


def test_a_policy_without_advisories_that_is_left_out_is_withdrawn() -> None:
    assert outcome([], [policy("a")]).withdrawn == ("a",)


@pytest.mark.parametrize(
    ("standing", "left", "held"),
    [(5, 4, False), (5, 3, True), (10, 8, False), (10, 7, True), (1, 0, True), (4, 3, True), (100, 80, False)],
)
def test_a_reply_that_leaves_out_more_than_a_fifth_takes_no_effect(standing: int, left: int, held: bool) -> None:
    names = [f"X-{n}" for n in range(standing)]
    done = outcome([stated("a", *names[:left])], [policy("a", *names)])

    assert done.is_held is held
    assert len(done.dropped) == standing - left
    assert ids(done.changed) == ["a"] * (not held)


def test_a_baseline_that_is_left_out_counts_like_an_advisory() -> None:
    """Whether the policy goes with it or stays: an empty database of the platform opens nothing."""
    demanding = replace(policy("a"), required_baseline="2026.2")

    for reply in ([], [stated("a")]):
        done = outcome(reply, [demanding])
        assert (done.is_held, done.dropped, done.standing) == (True, ("a required baseline",), 1)
    assert not outcome([replace(stated("a"), required_baseline="2026.3")], [demanding]).is_held


def test_a_held_reply_takes_no_effect_in_anything() -> None:
    """Neither in what it says anew, nor in what it confirms."""
    done = outcome([stated("b", "1"), stated("c", "1")], [policy("a", "1"), policy("c", "1", until=NOW + 1)])

    assert done.is_held
    assert (done.changed, done.confirmed, done.withdrawn) == ((), (), ())


def test_a_reply_that_somebody_has_accepted_takes_effect() -> None:
    done = outcome([], [policy("a", "1")], accepted=["sha256:reply"])

    assert (done.is_held, done.withdrawn, done.dropped) == (False, ("a",), ("a 1",))


def test_an_advisory_that_is_withdrawn_by_name_is_not_dropped() -> None:
    """Neither in the reply that says so, nor once it is gone from later ones."""
    over = replace(policy("a"), advisories=(Advisory(id="1", affected=("<2",), withdrawn_at=NOW - 1),))

    assert not outcome([replace(over, valid_until=None)], [policy("a", "1")]).is_held
    assert not outcome([stated("a")], [over]).is_held


def test_a_policy_that_was_lost_is_published_again_only_if_the_reply_is_that_very_policy() -> None:
    """Whose it was is not known any more; its digest is."""
    lost = replace(policy("a", UNUSABLE, by="", at=0, until=None), policy_id=UNUSABLE)
    very = stated("a", "1")
    floors = {"policy/a": Floor(7, very.digest, False)}

    assert ids(outcome([very], [lost], floors).changed) == ["a"]
    assert outcome([stated("a")], [lost], floors).changed == ()
    assert outcome([], [lost], floors).withdrawn == ()


def test_serials_rise_whatever_the_clock_says() -> None:
    held = InForce(Policies.of([], {"policy/a": Floor(NOW + 5, "", False)}), {"policy/a": Floor(3, "", False)}, NOW)
    beside = InForce(Policies.of([]), {"policy/a": Floor(NOW + 9, "", False)}, NOW)

    assert [serial("a", held), serial("b", held), serial("a", beside)] == [NOW + 6, NOW, NOW + 10]


def test_people_are_told_what_is_missing_and_how_to_go_on() -> None:
    done = outcome([], [policy("a", *(f"X-{n:02}" for n in range(12)))])
    words = told(done, Reply({}, 0, "sha256:reply"))

    assert "12 of 12 advisories and baselines that stand: a X-00" in words
    assert "and 2 more" in words
    assert "sha256:reply" in words


POLICIES = st.dictionaries(st.sampled_from("abcde"), st.frozensets(st.sampled_from("123456")), max_size=5)
OWNERS = st.fixed_dictionaries({id: st.sampled_from([PUBLISHER, "petra"]) for id in "abcde"})


@given(POLICIES, POLICIES, OWNERS, st.integers(-DAY, 2 * DAY))
def test_for_any_reply(
    said: dict[str, frozenset[str]], stood: dict[str, frozenset[str]], owner: dict[str, str], left: int
) -> None:
    """Foreign keys and owners stay; what takes effect loses a fifth at most; a second time changes nothing."""
    held = [policy(id, *sorted(names), until=NOW + left, by=owner[id]) for id, names in stood.items()]
    reply = [stated(id, *sorted(names)) for id, names in said.items()]
    done = outcome(reply, held)
    after = {one.component_id: one for one in held}
    for one in (*done.changed, *done.confirmed):
        after[one.component_id] = one
    for id in done.withdrawn:
        del after[id]

    for one in held:
        if one.publisher != PUBLISHER or one.component_id not in PAGE:
            assert after[one.component_id] is one
    assert after.keys() <= {*stood, *PAGE}
    ours = {(one.component_id, a.id) for one in held if one.publisher == PUBLISHER for a in one.advisories}
    asked = {pair for pair in ours if pair[0] in PAGE}
    lost = asked - {(id, a.id) for id, one in after.items() for a in one.advisories}
    assert len(lost) * 5 <= len(asked)
    if done.is_held:
        assert [*after.values()] == held
    else:
        again = outcome(reply, list(after.values()))
        assert (again.changed, again.confirmed, again.withdrawn) == ((), (), ())
