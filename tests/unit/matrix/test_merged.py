"""Many sources seen as one matrix."""

from types import MappingProxyType

import pytest
from examples.matrices import HOUR, NOON, a_document, a_release, a_rule

from processors.errors import MatrixRefused
from processors.events.vocabulary import Dimension, Severity
from processors.matrix.document import (
    DEFAULT_SEVERITIES,
    DEFAULT_WEIGHTS,
    HostDeclaration,
    Override,
    Undeclared,
)
from processors.matrix.merged import Matrix
from processors.trust.scope import Scope
from processors.versions import Dialect

GOVERNANCE = a_document(
    a_rule(),
    undeclared={"host": "warn"},
    weights={Dimension.HOST: 10},
    releases=(a_release("com.acme.crm", "1.0.0"),),
)
VENDOR = a_document(
    a_rule("com.acme.*"),
    source="a-vendor",
    undeclared={"runtime": "block"},
    weights={Dimension.HOST: 99, Dimension.MATRIX: 1},
    severity={Severity.PATCH: 5},
    hosts={"corex": HostDeclaration("corex", "maven", ("2.1.0",), ("iam",), "2026.1")},
    releases=(a_release("com.acme.crm", "1.0.0"), a_release("com.acme.crm", "v1.1.0")),
)
BOTH = Matrix.of([(VENDOR, NOON, NOON + 2 * HOUR), (GOVERNANCE, NOON, NOON + HOUR)])
SPOKEN_FOR = BOTH.under(frozenset(), {"a-vendor": Scope(hosts=frozenset({"corex"}))}).on("corex")
"""The vendor speaks for the host, and so for every plugin on it."""


def test_sources_stand_in_the_order_of_their_names() -> None:
    assert [source.name for source in BOTH.sources] == ["a-vendor", "governance"]


def test_the_strictest_policy_for_the_undeclared_wins() -> None:
    """Of those that are stated; a default tightens nothing that is stated."""
    assert BOTH.undeclared == Undeclared(host="warn", runtime="block", matrix="warn")
    assert Matrix.EMPTY.undeclared == Undeclared()


def test_weights_are_of_one_source() -> None:
    """Governance's before all others', over the defaults; severities come from the first source that states any."""
    assert SPOKEN_FOR.weights == BOTH.weights == {**DEFAULT_WEIGHTS, Dimension.HOST: 10}
    assert SPOKEN_FOR.severities[Severity.PATCH] == 5
    assert SPOKEN_FOR.severities[Severity.MAJOR] == 100
    assert SPOKEN_FOR.on("other").severities == BOTH.severities == DEFAULT_SEVERITIES


def test_a_host_is_what_all_sources_know_of_it_that_speak_for_it() -> None:
    """Releases add up; the dialect is governance's."""
    known = ("1.8.0", "1.9.0", "2.0.0")

    assert BOTH.host("corex") == HostDeclaration("corex", "npm", known)
    assert SPOKEN_FOR.host("corex") == HostDeclaration("corex", "npm", (*known, "2.1.0"), ("iam",), "2026.1")
    assert BOTH.host("unknown") is None


def test_what_sources_speak_for_is_part_of_the_digest() -> None:
    """The same sources give another answer by it. A source without a stated scope leaves the digest as it was."""
    assert SPOKEN_FOR.digest != BOTH.digest
    assert BOTH.under(frozenset(), {"stranger": Scope(("*",))}).digest == BOTH.digest


def test_the_baseline_of_every_source_binds() -> None:
    """Also where one source's declaration of the host stands before the other's."""
    own = a_document(hosts={"corex": HostDeclaration("corex", security_baseline="2025.1")})
    matrix = BOTH.add(own, NOON, NOON + HOUR)

    assert [(b.source.name, b.text) for b in matrix.baselines("corex")] == [
        ("a-vendor", "2026.1"),
        ("governance", "2025.1"),
    ]
    assert matrix.baselines("unknown") == ()


def test_releases_of_all_sources_bind() -> None:
    assert [r.source for r in BOTH.release("com.acme.crm", "1.0.0")] == ["a-vendor", "governance"]
    assert [r.version for r in BOTH.releases("com.acme.crm")] == ["1.0.0", "v1.1.0", "1.0.0"]


def test_another_spelling_is_the_same_release_where_the_dialect_says_so() -> None:
    assert [r.version for r in BOTH.release("com.acme.crm", "1.1.0", Dialect.NPM)] == ["v1.1.0"]
    assert not BOTH.release("com.acme.crm", "1.1.0")
    assert not BOTH.release("com.acme.crm", "nonsense", Dialect.NPM)


@pytest.mark.parametrize(("plugin", "mentioned"), [("com.acme.crm", True), ("com.acme.x", True), ("org.x", False)])
def test_a_plugin_is_mentioned_by_id_glob_or_release(plugin: str, mentioned: bool) -> None:
    assert BOTH.mentions(plugin) is mentioned


def test_a_source_expires_at_its_instant() -> None:
    """Not one millisecond before."""
    assert BOTH.expired(NOON + HOUR - 1) == ()
    assert [source.name for source in BOTH.expired(NOON + HOUR)] == ["governance"]


def test_time_alone_changes_an_answer_at_known_instants() -> None:
    """When a source expires, and when an override ends."""
    loosened = a_document(a_rule(overrides=Override("a-vendor", "agreed", NOON + 5)))
    matrix = BOTH.add(loosened, NOON, NOON + HOUR)

    assert [matrix.next_change(t) for t in (NOON, NOON + 5, NOON + HOUR, NOON + 2 * HOUR)] == [
        NOON + 5,
        NOON + HOUR,
        NOON + 2 * HOUR,
        None,
    ]


def test_a_source_that_is_stated_twice_is_refused() -> None:
    """Of two documents one would be lost without a word; `add` says which one stands."""
    other = a_document(a_rule("com.other"))

    with pytest.raises(MatrixRefused, match="the source `governance` is stated twice"):
        Matrix.of([(GOVERNANCE, NOON, NOON + HOUR), (other, NOON, NOON + HOUR)])


def test_one_source_is_swapped_and_the_other_matrix_stays() -> None:
    smaller = BOTH.without("a-vendor")

    assert [source.name for source in smaller.sources] == ["governance"]
    assert [source.name for source in BOTH.sources] == ["a-vendor", "governance"]
    assert smaller.add(VENDOR, NOON, NOON + 2 * HOUR).digest == BOTH.digest
    assert smaller.digest != BOTH.digest


def test_hosts_cannot_be_changed_from_outside() -> None:
    assert isinstance(BOTH.hosts, MappingProxyType)
