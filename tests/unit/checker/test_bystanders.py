"""What is answered without a check, because only bystanders differ, is what a check would have answered."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import pytest
from examples.matrices import HOUR, NOON, a_document, a_release, a_rule, stated_by
from examples.worlds import DAY, a_matrix, a_world, asked, need
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.checker.bystanders import Bystanders
from processors.checker.check import check
from processors.checker.evaluation import evaluator
from processors.checker.memo import Answered
from processors.checker.parts import KnownParts
from processors.configuration.settings import shipped
from processors.events.subject import (
    Host,
    InstalledPlugin,
    Lifecycle,
    Manifest,
    Provision,
    Subject,
)
from processors.events.subject_record import subject_to_record
from processors.events.topics import INSTALL_REQUESTS, RESULTS
from processors.events.vocabulary import Verdict
from processors.matrix.document import PluginScheme
from processors.matrix.merged import Matrix
from processors.policies import NO_POLICIES
from processors.stream.wire.codec import Codec, OfflineRegistry
from processors.stream.wire.schema import Schemas
from processors.trust.scope import Scope

CODEC = Codec(Schemas.load(shipped("schemas")), OfflineRegistry())
REQUESTS, RESULT = (
    CODEC.decoder(INSTALL_REQUESTS, "InstallRequested"),
    CODEC.encoder(RESULTS, "CompatibilityChecked"),
)
ENCODE = CODEC.encoder(INSTALL_REQUESTS, "InstallRequested").tail


class Answerer(NamedTuple):
    """One that remembers, and what it remembers by."""

    bystanders: Bystanders
    parts: KnownParts

    def knows(self, subject: Subject, matrix: Matrix, now: int = NOON) -> bool:
        return self.bystanders.answer(ENCODE(subject_to_record(subject)), matrix, NO_POLICIES, now) is not None

    def __call__(self, subject: Subject, matrix: Matrix, now: int = NOON) -> Answered:
        return _evaluate(self.bystanders)(ENCODE(subject_to_record(subject)), matrix, NO_POLICIES, now)


def one_that_remembers() -> Answerer:
    parts = KnownParts(REQUESTS.part("manifest"), REQUESTS.part("host"), REQUESTS.part("installed"))
    return Answerer(Bystanders(parts), parts)


def fresh(subject: Subject, matrix: Matrix, now: int = NOON) -> Answered:
    return _evaluate(None)(ENCODE(subject_to_record(subject)), matrix, NO_POLICIES, now)


def _evaluate(bystanders: Bystanders | None):
    said = RESULT.run("plugin_id", "report_digest")
    return evaluator(REQUESTS.tail, RESULT.tail, said.encode, check, bystanders)


CRM = Manifest(
    id="crm",
    version="2.0.0",
    host_range=">=1.0.0",
    runtimes=(),
    requires=(need("base"), need("theme", optional=True)),
)
MATRIX = Matrix.of(
    [
        (
            a_document(
                a_rule("*", action="allow"),
                releases=(
                    a_release("crm", "2.0.0", consumes=(need("api:orders", ">=1.0.0"),)),
                    a_release("orders", "1.0.0", provides=(Provision("api:orders", "1.1.0"),)),
                    a_release("rival", "1.0.0", conflicts=(need("crm", "*"),)),
                    a_release("twin", "1.0.0", provides=(Provision("base", "1.0.0"),)),
                    a_release("quiet", "1.0.0"),
                ),
            ),
            NOON - HOUR,
            NOON + DAY,
        )
    ]
)
BASE, ORDERS = InstalledPlugin("base", "1.4.0"), InstalledPlugin("orders", "1.0.0")
PLAIN = Subject(manifest=CRM, host=Host("corex", "2.0.0"), installed=(BASE, ORDERS))


def beside(*plugins: InstalledPlugin) -> Subject:
    return replace(PLAIN, installed=(*PLAIN.installed, *plugins))


def knowing(matrix: Matrix = MATRIX) -> Answerer:
    """One that has been asked about plugins of which the fleet has many, each in a question that came before."""
    ask = one_that_remembers()
    for subject in (PLAIN, PLAIN, beside(InstalledPlugin("quiet", "1.0.0"), InstalledPlugin("silent", "odd"))):
        assert ask(subject, matrix).verdict is Verdict.ALLOW
    return ask


def test_a_plugin_that_comes_or_goes_and_makes_no_difference_needs_no_check() -> None:
    ask = knowing()

    for subject in (beside(InstalledPlugin("silent", "odd")), beside(InstalledPlugin("quiet", "1.0.0"))):
        assert ask.knows(subject, MATRIX)
        assert ask(subject, MATRIX) == fresh(subject, MATRIX)


@pytest.mark.parametrize(
    ("name", "plugin"),
    [
        ("one that cannot run beside it", InstalledPlugin("foe", "1.0.0", conflicts=(need("crm", "*"),))),
        ("one of which the catalogue says so", InstalledPlugin("rival", "1.0.0")),
        ("one that it needs, in a version that is too old", InstalledPlugin("theme", "0.1.0")),
        (
            "one that needs another version of it",
            InstalledPlugin("user", "1.0.0", requires=(need("crm", "<2.0.0"),)),
        ),
        ("itself", InstalledPlugin("crm", "3.0.0")),
        ("one that is there twice", InstalledPlugin("quiet", "2.0.0")),
    ],
)
def test_a_plugin_that_makes_a_difference_is_checked(name: str, plugin: InstalledPlugin) -> None:
    ask = knowing()
    quiet = InstalledPlugin("quiet", "1.0.0")
    for _ in range(3):  # also once every part of it is known
        subject = beside(quiet, plugin)
        answer = ask(subject, MATRIX)

        assert answer == fresh(subject, MATRIX)
        assert answer.verdict is not Verdict.ALLOW, name


def test_what_it_needs_is_missed_though_everything_that_is_there_is_known() -> None:
    ask = knowing()
    subject = replace(PLAIN, installed=(InstalledPlugin("quiet", "1.0.0"),))

    assert ask(subject, MATRIX) == fresh(subject, MATRIX)
    assert ask(subject, MATRIX).verdict is Verdict.BLOCK


def test_another_matrix_makes_another_plugin_speak() -> None:
    ask = knowing()
    subject = beside(InstalledPlugin("silent", "odd"))
    assert ask.knows(subject, MATRIX)
    against = a_document(
        a_rule("*", action="allow"),
        releases=(a_release("silent", "odd", conflicts=(need("crm", "*"),)),),
        source="vendor",
    )
    matrix = Matrix.of([(against, NOON - HOUR, NOON + DAY)])

    assert not ask.knows(subject, matrix)
    assert ask(subject, matrix) == fresh(subject, matrix)


def test_an_answer_is_not_given_beyond_its_date() -> None:
    ending = replace(CRM, lifecycle=Lifecycle("active", None, NOON + HOUR, ""))
    subject = replace(PLAIN, manifest=ending)
    ask = one_that_remembers()
    for _ in range(3):
        ask(subject, MATRIX)
    assert ask.knows(subject, MATRIX)

    assert not ask.knows(subject, MATRIX, NOON + HOUR)
    assert ask(subject, MATRIX, NOON + HOUR).verdict is Verdict.BLOCK
    assert ask(subject, MATRIX) == fresh(subject, MATRIX), "time went back"


def test_what_is_written_in_an_unusual_way_is_checked() -> None:
    """An array in two blocks says the same, and lies differently."""
    ask = knowing()
    parts = ask.parts.cut(ENCODE(subject_to_record(PLAIN)))
    assert parts is not None
    first, second = parts.installed
    blocks = b"".join((parts.manifest, parts.host, b"\x02", first, b"\x02", second, b"\x00", parts.rest))

    for _ in range(2):
        assert ask.bystanders.answer(blocks, MATRIX, NO_POLICIES, NOON) is None
        assert _evaluate(ask.bystanders)(blocks, MATRIX, NO_POLICIES, NOON).verdict is Verdict.ALLOW


def test_what_is_cut_short_is_not_taken_for_the_whole() -> None:
    whole = ENCODE(subject_to_record(beside(InstalledPlugin("quiet", "1.0.0"))))
    parts = knowing().parts
    known = parts.cut(whole)

    assert known is not None
    for cut in range(len(whole) - len(known.rest)):
        assert parts.cut(whole[:cut]) is None


def assert_never_taken_for_another(matrix: Matrix, allowed: Subject, blocked: Subject, *also: Subject) -> None:
    """What is learnt of one question, and of every part of the other, answers nothing but itself."""
    ask = one_that_remembers()
    for subject in (allowed, allowed, *also, *also, allowed):
        assert ask(subject, matrix).verdict is Verdict.ALLOW
    assert ask.knows(allowed, matrix)
    for _ in range(2):
        assert ask(blocked, matrix) == fresh(blocked, matrix)
        assert ask(blocked, matrix).verdict is Verdict.BLOCK


def test_whoever_ends_a_circle_through_the_catalogue_makes_a_difference() -> None:
    """p needs a, a needs b, for which p itself stands in; a b of its own would need c, and c would need p."""
    matrix = a_matrix(
        a_release("b", "1.0.0", requires=(need("c", "*"),)), a_release("c", "1.0.0", requires=(need("p", "*"),))
    )
    a = InstalledPlugin("a", "1.0.0", requires=(need("b", "*"),))
    more = {"requires": (need("a", "*"),), "provides": (Provision("b", "1.0.0"),)}

    assert_never_taken_for_another(matrix, asked((a, InstalledPlugin("c", "0.9.0")), **more), asked((a,), **more))


def test_what_the_catalogue_says_of_it_counts_however_its_versions_are_read() -> None:
    """The version that is there cannot be read as the matrix declares: other rows are about the one asked for."""
    matrix = a_matrix(a_release("p", "1.0.0.0", conflicts=(need("x", "*"),)), plugins=(PluginScheme("p", "npm"),))
    before = InstalledPlugin("p", "0.9.0.1")
    y, x = InstalledPlugin("y", "1.0.0"), InstalledPlugin("x", "1.0.0")
    other = replace(asked((x,)), manifest=replace(CRM, id="q", requires=()))

    assert_never_taken_for_another(matrix, asked((before, y)), asked((before, x)), other)


def test_a_number_that_is_longer_than_it_need_be_is_not_read_differently_from_an_avro_reader() -> None:
    ask = one_that_remembers()
    subject = asked(())
    for _ in range(3):
        ask(subject, MATRIX)
    parts = ask.parts.cut(ENCODE(subject_to_record(subject)))
    assert parts is not None

    for count in (b"\x80\x00", b"\x80\x00\x00", b"\x82\x00"):
        assert ask.parts.cut(parts.manifest + parts.host + count + parts.rest) is None


def test_a_plugin_that_says_very_much_is_not_remembered() -> None:
    """Who asks decides how much is said, and memory is everybody's."""
    ask = knowing()
    much = tuple(need(f"n{n}", optional=True) for n in range(5000))
    talker = InstalledPlugin("talker", "1.0.0", requires=much)
    for _ in range(3):
        assert ask(beside(talker), MATRIX) == fresh(beside(talker), MATRIX)
    assert not ask.knows(beside(talker), MATRIX)


def test_kinds_of_hosts_that_come_one_after_the_other_are_all_answered() -> None:
    """Each may read versions in another dialect, of which a few are remembered at a time."""
    ask = one_that_remembers()
    for kind in ("", "npm", "wordpress", "jetbrains", "minecraft", "jenkins", "grafana", "nextcloud", "") * 3:
        subject = replace(PLAIN, manifest=replace(CRM, host=kind))
        assert ask(subject, MATRIX) == fresh(subject, MATRIX)


NAMES = ("crm", "base", "theme", "orders", "rival", "twin", "quiet", "silent", "b1", "b2", "b3")
plugins = st.builds(
    InstalledPlugin,
    st.sampled_from(NAMES),
    st.sampled_from(["1.0.0", "1.4.0", "2.0.0", "odd", "x" * 70]),
    st.sampled_from([True, True, True, False]),
    st.sampled_from([(), (), (), (need("base"),), (need("crm", "<2.0.0"),), (need("gone"),)]),
    st.sampled_from([(), (), (), (need("crm", "*"),), (need("b1", "*"),)]),
    st.sampled_from([(), (), (), (Provision("base", "1.0.0"),), (Provision("api:orders", "0.1.0"),)]),
    st.sampled_from([(), (), (), (need("api:orders"),)]),
)
manifests = st.sampled_from(
    [
        CRM,
        CRM,
        replace(CRM, version="2.1.0", requires=(need("base"), need("b1", optional=True))),
        replace(CRM, version="2.2.0", conflicts=(need("b2", "*"),), replaces=("b3",)),
        replace(CRM, version="2.3.0", provides=(Provision("b1", "1.0.0"),)),
    ]
)


@st.composite
def fleets(draw: st.DrawFn) -> Iterator[Subject]:
    """Questions of one fleet: a few manifests and plugins, in ever new combinations."""
    pool = draw(st.lists(plugins, min_size=2, max_size=8))
    kinds = draw(st.lists(manifests, min_size=1, max_size=2))
    chosen = random.Random(draw(st.integers(0, 2**32)))
    subjects: list[Subject] = []
    for _ in range(10):
        there = chosen.sample(pool, chosen.randrange(len(pool) + 1))
        base = chosen.choice([(BASE, ORDERS)] * 5 + [(BASE,), ()])
        before = chosen.choice([None, None, None, "1.0.0"])
        subjects.append(
            replace(PLAIN, manifest=chosen.choice(kinds), installed=(*base, *there), previous_version=before)
        )
    return subjects  # type: ignore[return-value] - a composite's function returns its value


@settings(max_examples=60)
@given(fleets(), st.integers(0, 2 * DAY))
def test_every_answer_is_what_a_check_gives(subjects: list[Subject], later: int) -> None:
    ask = one_that_remembers()
    for now in (NOON, NOON + later):
        for subject in subjects:
            assert ask(subject, MATRIX, now) == fresh(subject, MATRIX, now)


def test_in_small_worlds_too_every_answer_is_what_a_check_gives() -> None:
    """Circles, stand-ins, interfaces and versions that are read in several ways, all of them often."""
    known = 0
    for number in range(int(os.environ.get("GUARD_WORLDS", "60"))):
        matrix, fleet = a_world(random.Random(number))
        ask = one_that_remembers()
        for subject in fleet * 2:
            known += ask.knows(subject, matrix)
            assert ask(subject, matrix) == fresh(subject, matrix), (number, subject)
    assert known > 125


@pytest.mark.parametrize("scope", [Scope(), Scope(("a", "p")), Scope(hosts=frozenset({"corex"}))])
def test_beside_a_source_with_a_scope_too(scope: Scope) -> None:
    """What counts of it depends on the host that is asked about."""
    known = 0
    for number in range(25):
        (matrix, fleet), (other, _) = a_world(random.Random(number)), a_world(random.Random(number + 1000))
        governance, stated = matrix.document("governance"), other.document("governance")
        assert governance
        assert stated
        both = ((document, NOON, NOON + DAY) for document in (governance, stated_by("vendor", stated)))
        ask, merged = one_that_remembers(), Matrix.of(both, {"vendor": scope})
        elsewhere = [replace(subject, host=Host("other", "2.0.0")) for subject in fleet]
        for subject in (*fleet, *elsewhere) * 2:
            known += ask.knows(subject, merged)
            assert ask(subject, merged) == fresh(subject, merged), (number, subject)
    assert known > 20
