"""What must not be published is an error; what is odd is a warning with its place."""

import pytest
from examples.matrices import HOUR, NOON, a_document, a_release, a_rule

from processors.events.subject import Requirement
from processors.matrix.document import HostDeclaration, MatrixDocument, Override
from processors.matrix.lint import lint

PYTHON = {"corex": HostDeclaration("corex", "pep440")}
TWO_HOSTS = {"corex": HostDeclaration("corex"), "other": HostDeclaration("other")}


@pytest.mark.parametrize(
    ("document", "where", "message", "is_error"),
    [
        pytest.param(a_document(a_rule(min_version="one")), "matrix[0]", "`one`", True, id="an unreadable bound"),
        pytest.param(a_document(a_rule(host_range=">=1,<2")), "matrix[0]", "range", True, id="an unreadable range"),
        pytest.param(
            a_document(hosts={"corex": HostDeclaration("corex", "npm", ("nine",))}),
            "hosts.corex.releases[0]", "`nine`", True, id="an unreadable host version",
        ),
        pytest.param(
            a_document(releases=(a_release("a", "x.y"),)), "releases[0].version", "`x.y`", True, id="a release"
        ),
        pytest.param(
            a_document(releases=(a_release("a", "1.0.0", requires=(Requirement("b", ">>1"),)),)),
            "releases[0].requires[0]", "`>>1`", True, id="an unreadable need",
        ),
        pytest.param(
            a_document(releases=(a_release("a", "1.0.0", hosts={"*": ">>1"}),)),
            "releases[0].host", "`>>1`", True, id="an unreadable host range of a release",
        ),
        pytest.param(
            a_document(releases=(a_release("a", "1.0.0", conflicts=(Requirement("b", ">2 <1"),)),)),
            "releases[0].conflicts[0]", "no version", True, id="a range that nothing satisfies",
        ),
        pytest.param(
            a_document(releases=(a_release("a", "1.0", requires=(Requirement("b", ">=1.*.1"),)),), hosts=PYTHON),
            "releases[0].requires[0]", "pep440", True, id="a need in the dialect of the only host",
        ),
        pytest.param(
            a_document(releases=(a_release("a", "1.0", runtimes=(Requirement("go", ">=1,<2"),)),), hosts=PYTHON),
            "releases[0].runtime[0]", "dialect go", True, id="a runtime in its own dialect on any host",
        ),
        pytest.param(
            a_document(releases=(a_release("a*", "1.0.0"),)), "releases[0].plugin", "`*`", True, id="a glob"
        ),
        pytest.param(
            a_document(releases=(a_release("a", "1.0.0", hosts={"*": ""}),), hosts=TWO_HOSTS),
            "releases[0].host", "2 hosts", True, id="the only host of two",
        ),
        pytest.param(
            a_document(a_rule(overrides=Override("HOST_TO_OLD", "y", NOON + HOUR), action="allow")),
            "matrix[0].overrides.what", "no finding code", True, id="an override of nothing",
        ),
        pytest.param(
            a_document(a_rule(min_version="2.0.0", max_version="1.0.0")), "matrix[0]", "never", False, id="empty"
        ),
        pytest.param(
            a_document(a_rule(host_range=">=3.0.0")), "matrix[0].host_range", "no declared", False, id="no host"
        ),
        pytest.param(a_document(a_rule(host="core")), "matrix[0].host", "`core`", False, id="an unknown host"),
        pytest.param(
            a_document(a_rule(min_version="1.0.0"), a_rule(max_version="2.0.0", action="allow")),
            "matrix[1]", "overlaps matrix[0]", False, id="rows that overlap and disagree",
        ),
        pytest.param(
            a_document(a_rule(), a_rule(action="warn")), "matrix[1]", "overlaps", False, id="equal rows"
        ),
        pytest.param(
            a_document(a_rule(action="allow", overrides=Override("vendor", "y", NOON))),
            "matrix[0].overrides.until", "past", False, id="an override that is past",
        ),
        pytest.param(
            a_document(a_rule(action="allow", overrides=Override("x", "y", NOON + HOUR)), source="vendor"),
            "matrix[0].overrides", "ignored", False, id="an override of a vendor",
        ),
        pytest.param(
            a_document(a_rule(overrides=Override("vendor", "y", NOON + HOUR))),
            "matrix[0].action", "loosens nothing", False, id="an override that blocks",
        ),
        pytest.param(
            a_document(releases=(a_release("a", "1.0.0"),) * 2), "releases[1]", "releases[0]", False, id="twice"
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_or_odd_is_found(document: MatrixDocument, where: str, message: str, is_error: bool) -> None:
    """One notice each, at its place."""
    (notice,) = lint(document, NOON)

    assert (notice.where, notice.is_error) == (where, is_error)
    assert message in notice.message


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(a_document(a_rule(), a_rule(min_version="1.0.0", action="allow")), id="an exception"),
        pytest.param(
            a_document(a_rule(max_version="1.0.0"), a_rule(min_version="1.0.1", action="allow")),
            id="side by side",
        ),
        pytest.param(a_document(a_rule("a*"), a_rule("ab*", "allow")), id="a more specific glob"),
        pytest.param(a_document(a_rule(), a_rule()), id="rows that agree"),
        pytest.param(
            a_document(releases=(a_release("a", "1.0", requires=(Requirement("b", ">=1.8,<2"),)),), hosts=PYTHON),
            id="what the only host's dialect reads, in a release that names no host",
        ),
        pytest.param(
            a_document(releases=(a_release("a", "1.0", databases=(Requirement("b", ">=14 <17"),)),), hosts=PYTHON),
            id="a database as npm reads it on any host",
        ),
        pytest.param(a_document(), id="an empty matrix"),
    ],
)
def test_what_is_in_order_is_not_remarked_on(document: MatrixDocument) -> None:
    assert lint(document, NOON) == []


@pytest.mark.parametrize(
    ("ours", "theirs", "notices"),
    [
        pytest.param("<1.0.0 || >=2.0.0 <3.0.0", ">=1.0.0 <2.0.0 || >=3.0.0", 0, id="stretch beside stretch"),
        pytest.param("<1.0.0 || >=2.0.0 <3.0.0", ">=1.0.0 <2.0.1", 1, id="the last stretch sticks in"),
        pytest.param(">=2.0.0", "<1.9.0", 0, id="one behind the other"),
    ],
)
def test_rows_contradict_each_other_where_they_overlap(ours: str, theirs: str, notices: int) -> None:
    """Ranges of several stretches are compared stretch by stretch."""
    document = a_document(a_rule(host_range=ours), a_rule(host_range=theirs, action="allow"))

    assert len(lint(document, NOON)) == notices


def test_of_many_contradictions_the_first_are_told() -> None:
    """Two hundred rows would make ten thousand lines, and nobody reads the second hundred."""
    actions = ("allow", "block")
    rows = [a_rule(action=actions[n % 2], min_version=f"1.0.{n}", max_version=f"2.0.{n}") for n in range(200)]

    assert len(lint(a_document(*rows), NOON)) == 20


def test_of_very_many_notices_no_error_is_lost() -> None:
    """However many warnings stand before the first error."""
    rows = [a_rule(f"p{n}", host="elsewhere") for n in range(1_500)]
    notices = lint(a_document(*rows, a_rule(min_version="one")), NOON)

    assert [n.where for n in notices if n.is_error] == ["matrix[1500]"]
    assert len(notices) == 1_002
    assert notices[-1].message == "500 more notices are not shown"


def test_a_row_that_binds_another_build_is_told() -> None:
    """Without a build it is about all of them, and no range can name one."""
    releases = (
        a_release("a", "1.0.0+mc1.21.1", hosts={"*": "*"}),
        a_release("a", "1.0.0", hosts={"*": "*"}, requires=(Requirement("b", "2.0.0+b6"),)),
    )

    told = {notice.where: notice.message for notice in lint(a_document(releases=releases), 0)}

    assert "every build of 1.0.0" in "".join(told.values())
    assert "any build satisfies `2.0.0+b6`" in "".join(told.values())


def test_a_release_that_nobody_can_reach_is_told() -> None:
    """No declared release of its host runs it."""
    hosts = {"corex": HostDeclaration("corex", releases=("1.0.0", "2.0.0"))}
    releases = (a_release("a", "1.0.0", hosts={"*": ">=3.0.0"}), a_release("a", "0.9.0", hosts={"*": ">=1.0.0"}))

    told = [n for n in lint(a_document(releases=releases, hosts=hosts), 0) if "nobody can reach it" in n.message]

    assert len(told) == 1
    assert ">=3.0.0" in told[0].message


def test_a_star_in_since_is_explained() -> None:
    """It would leave out the very builds that it seems to begin with."""
    hosts = {"idea": HostDeclaration("idea", dialect="jetbrains")}
    releases = (a_release("a", "1.0.0", hosts={"idea": "since=213.* until=221.*"}),)

    told = lint(a_document(releases=releases, hosts=hosts), 0)

    assert any(n.is_error and "a star has no place" in n.message for n in told)
