"""Of the versions that are on offer one answers for all, whatever their order and number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.checker.case import readable
from processors.checker.offers import Offers
from processors.versions import Dialect, parse_range

RANGES = ["*", ">=1.0.0", "^1.0.0", "<1.2.0", ">=1.1.0-rc.1 <1.1.0", "<1.0.0 || >=1.2.0 <2.0.0", "1.1.0 || 9.0.0"]
texts = st.sampled_from(["0.9.0", "1.0.0", "v1.0.0", "1.1.0-rc.1", "1.1.0-rc.2", "1.1.0", "1.2.0", "2.0.0", "odd"])


def offers(versions: list[str]) -> Offers:
    return Offers(versions, lambda text: readable(text, Dialect.NPM))


@given(st.lists(texts, min_size=1), st.sampled_from(RANGES))
def test_the_best_is_the_newest_that_is_admitted(versions: list[str], text: str) -> None:
    """As whoever tries them all one by one would find."""
    range = parse_range(text)
    read = [v for v in (readable(version, Dialect.NPM) for version in versions) if v is not None]
    admitted = [v for v in read if range.admits(v)]
    best = offers(versions).best(range)

    assert best.version == max(admitted or read, default=None)
    assert best.text in versions
    assert offers(versions).fit(range) == bool(admitted)
    assert offers(versions).may_fit(range) == (bool(admitted) or "odd" in versions)


@pytest.mark.parametrize("versions", [["v1.0.0", "1.0.0"], ["1.0.0", "v1.0.0"]])
def test_of_two_spellings_the_same_one_stands(versions: list[str]) -> None:
    """In any order of what is installed, so that the report is the same."""
    assert offers(versions).best(parse_range("*")).text == "1.0.0"
