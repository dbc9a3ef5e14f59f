"""OSV events as ranges: whatever the dialect, they admit what the schema's own evaluation calls affected."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.policies.ranges import EVENTS, Event, Span, dialect_of, exactly, spans, written
from processors.versions import Dialect, parse_range, parse_version

VERSIONS = {
    Dialect.NPM_PRERELEASE: (
        "0.0.0-0", "0.9.0", "1.0.0-rc.1", "1.0.0", "1.0.1", "1.2.0-0", "1.2.0", "2.0.0-beta", "2.0.0", "3.1.4",
    ),
    Dialect.PEP440: ("0.dev0", "0.9", "1.0.dev1", "1.0rc1", "1.0", "1.0.post1", "1.2", "2.0a1", "2.0", "1!0.1"),
    Dialect.MAVEN: (
        "0.9", "1.0-alpha-1", "1.0-rc1", "1.0", "1.0-sp", "1.0.1", "1.2-SNAPSHOT", "1.2", "2.0", "5.2.4.3",
    ),
}  # fmt: skip


def is_affected(version: str, events: list[Event], dialect: Dialect) -> bool:
    """The evaluation as the schema describes it: go through the events in order, with the version in hand."""
    at = parse_version(version, dialect)

    def place(event: Event) -> tuple[int, object, int]:
        if event == ("introduced", "0"):
            return (0, 0, 0)
        return (1, parse_version(event.version, dialect), EVENTS.index(event.kind))

    affected = False
    for event in sorted((e for e in events if e.kind != "limit"), key=place):
        if event == ("introduced", "0"):
            affected = True
            continue
        other = parse_version(event.version, dialect)
        affected = {
            "introduced": affected or at >= other,
            "fixed": affected and not at >= other,
            "last_affected": affected and not at > other,
        }[event.kind]
    limits = [event.version for event in events if event.kind == "limit"]
    below = not limits or any(limit == "*" or at < parse_version(limit, dialect) for limit in limits)
    return affected and below


def events(dialect: Dialect) -> st.SearchStrategy[list[Event]]:
    some = st.sampled_from(VERSIONS[dialect])
    return st.lists(
        st.builds(Event, st.just("introduced"), some | st.just("0"))
        | st.builds(Event, st.sampled_from(["fixed", "last_affected"]), some)
        | st.builds(Event, st.just("limit"), some | st.just("*")),
        max_size=6,
    )


@pytest.mark.parametrize("dialect", VERSIONS)
@settings(deadline=None)  # versions are read for the first time, on a busy machine
@given(data=st.data())
def test_ranges_admit_exactly_what_the_schema_calls_affected(dialect: Dialect, data: st.DataObject) -> None:
    """For each version of a small world, and however the events are mixed up."""
    happened = data.draw(events(dialect))

    ranges = [parse_range(written(span, dialect), dialect) for span in spans(happened, dialect)]

    for version in VERSIONS[dialect]:
        admitted = any(range.admits(parse_version(version, dialect)) for range in ranges)
        assert is_affected(version, happened, dialect) == admitted, version


@pytest.mark.parametrize("dialect", VERSIONS)
def test_a_span_without_ends_is_everything(dialect: Dialect) -> None:
    everything = parse_range(written(Span(None, None), dialect), dialect)

    assert all(everything.admits(parse_version(version, dialect)) for version in VERSIONS[dialect])


@pytest.mark.parametrize("dialect", VERSIONS)
def test_a_listed_version_is_that_version_alone(dialect: Dialect) -> None:
    for version in VERSIONS[dialect]:
        one = parse_range(exactly(version, dialect), dialect)
        assert [v for v in VERSIONS[dialect] if one.admits(parse_version(v, dialect))] == [version]


@pytest.mark.parametrize(
    ("ecosystem", "dialect"),
    [
        ("npm", Dialect.NPM_PRERELEASE),
        ("Go", Dialect.NPM_PRERELEASE),
        ("crates.io", Dialect.NPM_PRERELEASE),
        ("PyPI", Dialect.PEP440),
        ("Maven", Dialect.MAVEN),
        ("Maven:https://repo.example.org/maven", Dialect.MAVEN),
        ("RubyGems", Dialect.MAVEN),
        ("Debian:12", Dialect.MAVEN),
    ],
)
def test_every_ecosystem_has_a_dialect(ecosystem: str, dialect: Dialect) -> None:
    assert dialect_of(ecosystem) is dialect
