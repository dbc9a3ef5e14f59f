"""Ways out: whoever takes one is not blocked, nobody else is, and the search for them ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from examples.cases import CASES
from examples.questions import HOUR, NOON, document

from processors.checker.case import read_case
from processors.checker.check import check
from processors.checker.labelled_cases import LabelledCase
from processors.checker.plans.effort import AT_MOST, Effort, weight
from processors.checker.plans.solver import MOST_CHANGES
from processors.checker.plans.ways_out import STOPPED, TOO_MANY, ways_out
from processors.checker.validator import validate
from processors.events.subject import (
    Host,
    InstalledPlugin,
    Lifecycle,
    Manifest,
    Migration,
    Provision,
    Requirement,
    Subject,
)
from processors.events.vocabulary import Code
from processors.matrix.document import Release
from processors.matrix.merged import Matrix
from processors.policies import NO_POLICIES

NOTHING_IS_DEMANDED = {"host": "allow", "runtime": "allow", "matrix": "allow"}


def a_release(plugin: str, version: str, **more: Any) -> Release:
    return Release("", "1", 0, plugin, version, {"*": "*"}, **more)


def a_matrix(*releases: Release) -> Matrix:
    return Matrix.of([(document("governance", (), releases, undeclared=NOTHING_IS_DEMANDED), NOON, NOON + HOUR)])


def a_subject(*installed: InstalledPlugin, version: str = "1.0.0", runtime: str = "", **more: Any) -> Subject:
    """com.a is asked for on the newest host, so that no other host is a way out."""
    return Subject(
        manifest=Manifest(id="com.a", version=version, **more),
        host=Host("h", "3.0.0"),
        installed=installed,
        runtimes=(Provision("go", runtime),) if runtime else (),
    )


def an_installed(id: str, version: str = "1.0.0", **more: Any) -> InstalledPlugin:
    return InstalledPlugin(id, version, **more)


def needs(*texts: str) -> tuple[Requirement, ...]:
    return tuple(Requirement(id, range) for id, _, range in (text.partition(" ") for text in texts))


def offered(subject: Subject, *releases: Release) -> list[str]:
    case = read_case(subject, a_matrix(*releases), NO_POLICIES, NOON)
    return [remedy.sentence for remedy in ways_out(case, validate(case)).plans]


PROVIDER = an_installed("com.x", provides=(Provision("x.api", "1.2"),))
CONSUMER = an_installed("com.y", consumes=needs("x.api ^1"))
OFFERS = (Provision("x.api", "1.2"),)


@pytest.mark.parametrize(
    "subject",
    [
        pytest.param(
            a_subject(an_installed("com.x"), requires=needs("com.x >=2.0.0"), conflicts=needs("com.x <2.0.0")),
            id="it conflicts with the old version",
        ),
        pytest.param(
            a_subject(an_installed("com.x", conflicts=needs("com.a")), requires=needs("com.x >=2.0.0")),
            id="the old version conflicts with it",
        ),
        pytest.param(
            a_subject(
                an_installed("com.x", conflicts=needs("com.a")),
                an_installed("com.w", requires=needs("com.x")),
                requires=needs("com.x >=2.0.0"),
            ),
            id="another plugin needs the old version too",
        ),
    ],
)
def test_an_upgrade_wins_over_another_change_of_the_same_plugin(subject: Subject) -> None:
    """What is offered is what was tried: to remove or enable the old version would block again."""
    assert offered(subject, a_release("com.x", "2.0.0")) == ["upgrade com.x to 2.0.0"]


def test_a_disabled_dependency_that_is_too_old_is_upgraded_and_enabled() -> None:
    """An upgrade leaves it switched off."""
    subject = a_subject(an_installed("com.x", enabled=False), requires=needs("com.x >=2.0.0"))

    assert offered(subject, a_release("com.x", "2.0.0")) == ["upgrade com.x to 2.0.0, then enable com.x"]


@pytest.mark.parametrize("declares", ["com.x", "com.y"])
def test_two_dependencies_that_conflict_are_not_offered_together(declares: str) -> None:
    """Each fits alone; the second one would be blocked beside the first."""
    other = {"com.x": "com.y", "com.y": "com.x"}[declares]
    subject = a_subject(requires=needs("com.x", "com.y"))

    apart = a_release(declares, "1.0.0", conflicts=needs(other)), a_release(other, "1.0.0")

    assert offered(subject, *apart) == []
    assert offered(subject, a_release("com.x", "1.0.0"), a_release("com.y", "1.0.0")) == [
        "install com.x 1.0.0, then install com.y 1.0.0"
    ]


@pytest.mark.parametrize(
    ("dependent", "ways_out"),
    [
        (an_installed("com.w", requires=needs("com.a")), []),
        (an_installed("com.w", consumes=needs("x.api ^1")), []),
        (an_installed("com.w"), ["install com.next 1.0.0 instead of com.a"]),
    ],
)
@pytest.mark.parametrize("told", ["installed", "previous", "catalogue"])
def test_a_successor_is_not_offered_where_others_need_the_plugin(
    dependent: InstalledPlugin, ways_out: list[str], told: str
) -> None:
    """It takes the old one's place, so nobody may lose what the old one was for."""
    old = an_installed("com.a", provides=OFFERS if told == "installed" else ())
    subject = a_subject(
        dependent,
        *(() if told == "previous" else (old,)),
        version="2.0.0",
        provides=OFFERS,
        lifecycle=Lifecycle("sunset", replacement="com.next"),
    )
    subject = replace(subject, previous_version="1.0.0")
    known = a_release("com.a", "1.0.0", provides=OFFERS)

    withdrawn = replace(known.lifecycle, status="sunset")  # or to stay with it would be a way out
    releases = (known._replace(lifecycle=withdrawn), a_release("com.next", "1.0.0"))

    assert offered(subject, *releases) == ways_out


@pytest.mark.parametrize(
    ("beside", "ways_out"),
    [
        (an_installed("com.z", conflicts=needs("com.x")), ["remove com.z, then enable com.x"]),
        (an_installed("com.z", conflicts=needs("com.x"), enabled=False), ["enable com.x"]),
        (an_installed("com.z"), ["enable com.x"]),
    ],
)
def test_a_plugin_is_not_enabled_beside_one_that_it_conflicts_with(
    beside: InstalledPlugin, ways_out: list[str]
) -> None:
    """Two that cannot run beside each other would run, so the other one has to go first."""
    assert offered(a_subject(an_installed("com.x", enabled=False), beside, requires=needs("com.x"))) == ways_out


@pytest.mark.parametrize(
    ("foe", "others", "ways_out"),
    [
        (PROVIDER, (CONSUMER,), []),
        (an_installed("com.x", "1.1.0"), (CONSUMER,), []),
        (PROVIDER, (CONSUMER, an_installed("com.z", provides=OFFERS)), ["remove com.x"]),
        (an_installed("com.x"), (an_installed("com.y", requires=needs("com.x")),), []),
        (an_installed("com.x"), (an_installed("com.y"),), ["remove com.x"]),
    ],
)
def test_a_plugin_whose_api_is_used_is_not_removed(
    foe: InstalledPlugin, others: tuple[InstalledPlugin, ...], ways_out: list[str]
) -> None:
    """Unless somebody else offers it; what the catalogue knows of it counts as well."""
    known = a_release("com.x", "1.1.0", provides=OFFERS)

    assert offered(a_subject(foe, *others, conflicts=needs("com.x")), known) == ways_out


def many(demand: str) -> list[str]:
    return [f"{demand}{n}" for n in range(5_000)]


def searched(subject: Subject, *releases: Release) -> tuple[Effort, str]:
    """The effort that such a question gets, and what is said of the search."""
    case = read_case(subject, a_matrix(*releases), NO_POLICIES, NOON)
    findings = validate(case)
    return Effort.of(case, findings), ways_out(case, findings).note


def test_a_search_over_thousands_of_ranges_and_releases_stops_and_says_so() -> None:
    """Every range that is judged counts, so that a manifest of 94 kB holds nobody up."""
    subject = a_subject(requires=needs(*many("com.x >=1.0.")))

    search, note = searched(
        subject, *(a_release("com.x", f"9.0.{n}", requires=needs(f"com.gone{n}")) for n in range(200))
    )

    assert (search.left, note) == (AT_MOST, STOPPED)


@pytest.mark.parametrize(
    ("subject", "changes"),
    [
        (a_subject(requires=needs(*many("com.x >=1.0."))), ["install com.x 2.0.0 first"]),
        (a_subject(runtime="1.22", runtimes=needs(*many("go >=2.0."))), ["provide go 2.0.4999"]),
        (a_subject(an_installed("com.x", "2.0.0"), conflicts=needs(*many("com.x >=1.0."))), ["remove com.x"]),
    ],
)
def test_one_thing_that_misses_thousands_of_demands_is_repaired_once(subject: Subject, changes: list[str]) -> None:
    """What such a question may take is enough for it, and for no more than a few evaluations."""
    assert offered(subject, a_release("com.x", "2.0.0")) == changes


def test_more_targets_than_changes_are_given_up_at_once() -> None:
    """Also where thousands of installed plugins all name the one that is asked for."""
    foes = (an_installed(f"p{n}", conflicts=needs("com.a")) for n in range(2_000))

    assert offered(a_subject(*foes)) == []


def test_what_would_take_too_many_changes_is_called_that() -> None:
    """It is no dead end: all that is missing could be installed."""
    subject = a_subject(requires=needs(*(f"p{n}" for n in range(MOST_CHANGES + 1))))
    case = read_case(subject, a_matrix(*(a_release(f"p{n}", "1.0.0") for n in range(99))), NO_POLICIES, NOON)
    ways = ways_out(case, validate(case))

    assert (ways.note, ways.derivation, ways.plans) == (TOO_MANY, (), ())


def a_crowd(plugins: int, versions: int, **says: Callable[[int, int], tuple[Requirement, ...]]) -> list[Release]:
    """Releases of many plugins; what each says comes of the numbers of plugin and version."""
    return [
        a_release(f"p{n}", f"{v}.0.0", **{key: of(n, v) for key, of in says.items()})
        for n in range(plugins)
        for v in range(1, versions + 1)
    ]


@pytest.mark.parametrize(
    ("wanted", "releases", "note"),
    [
        pytest.param(
            ("p0", "p1"),
            a_crowd(2, 5_000, conflicts=lambda n, v: needs(f"p{1 - n} >={v % 7}.0.0")),
            STOPPED,
            id="10,000 releases that exclude each other",
        ),
        pytest.param(
            ("p0",),
            a_crowd(500, 2, requires=lambda n, _: needs(f"p{(n + 1) % 500}")),
            TOO_MANY,
            id="a circle of 500",
        ),
        pytest.param(
            ("p0",),
            a_crowd(200, 3, requires=lambda n, v: needs(f"p{n + 1} >={v}.0.0")),
            STOPPED,
            id="a chain of 200",
        ),
        pytest.param(tuple(f"p{n}" for n in range(500)), a_crowd(500, 1), TOO_MANY, id="500 dependencies"),
    ],
)
def test_a_hostile_catalogue_ends_at_a_limit_that_is_told(
    wanted: tuple[str, ...], releases: list[Release], note: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check is asked again a bounded number of times, whatever the catalogue holds."""
    asked: list[Subject] = []
    evaluate = Effort.evaluate
    monkeypatch.setattr(Effort, "evaluate", lambda self, subject: asked.append(subject) or evaluate(self, subject))
    case = read_case(a_subject(requires=needs(*wanted)), a_matrix(*releases), NO_POLICIES, NOON)

    assert ways_out(case, validate(case)).note == note
    assert len(asked) <= AT_MOST // 40


def test_a_search_that_has_spent_its_effort_takes_no_further_step() -> None:
    case = read_case(a_subject(requires=needs("com.x")), a_matrix(), NO_POLICIES, NOON)
    search = Effort.of(case, validate(case))

    tries = 0
    while search.left > 0:
        search.evaluate(case.subject)
        tries += 1

    assert tries <= 20_000 // 40


@pytest.mark.parametrize(
    "field",
    [
        {"requires": needs("p")},
        {"conflicts": needs("p")},
        {"replaces": ("p",)},
        {"runtimes": needs("go")},
        {"databases": needs("mysql")},
        {"provides": OFFERS},
        {"consumes": needs("x.api")},
        {"migrations": (Migration("1"),)},
        {"components": (Provision("ssl"),)},
    ],
    ids=str,
)
def test_every_list_of_a_question_has_weight(field: dict[str, tuple[Any, ...]]) -> None:
    """A list that weighs nothing is one that a hostile manifest makes long."""
    [(name, [one])] = field.items()

    light, heavy = (weighed(a_subject(**{name: (one,) * length})) for length in (1, 101))

    assert heavy == light + 100


@pytest.mark.parametrize("what", ["requires", "conflicts", "provides", "consumes"])
def test_what_is_installed_has_weight(what: str) -> None:
    one = OFFERS if what == "provides" else needs("x.api")

    light, heavy = (weighed(a_subject(an_installed("com.y", **{what: one * length}))) for length in (1, 101))

    assert heavy == light + 100


def weighed(subject: Subject) -> int:
    return weight(read_case(subject, a_matrix(), NO_POLICIES, NOON), ())


def test_a_finding_has_more_weight_than_what_it_is_about() -> None:
    case = read_case(a_subject(requires=needs("com.x")), a_matrix(), NO_POLICIES, NOON)
    missing = tuple(finding for finding in validate(case) if finding.code is Code.DEPENDENCY_MISSING)

    assert weight(case, missing) > weight(case, ()) + len(missing)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_report_without_ways_out_is_otherwise_the_same(case: LabelledCase) -> None:
    """What the impact of a matrix is measured by: verdict, findings, risk and rows."""
    asked = (case.subject, case.matrix, case.now, "sha256:" + "0" * 64, case.policies)
    whole, without = check(*asked).report, check(*asked, with_ways=False).report

    assert without.remediations == ()
    assert without == replace(
        whole,
        summary=without.summary,
        remediations=(),
        remediation_note=without.remediation_note,
        derivation=(),
        closest=without.closest,
    )
