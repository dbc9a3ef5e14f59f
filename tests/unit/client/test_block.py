"""Which findings of a block an exception is asked for."""

import pytest

from processors.client.block import chosen
from processors.errors import SettingsInvalid
from processors.exception_workflow.rules.scope import Blocking

TOO_OLD, API, RUNTIME = "a" * 16, "b" * 16, "c" * 16
BLOCK = (Blocking(TOO_OLD, "HOST_TOO_OLD"), Blocking(API, "API_BREAK"), Blocking(RUNTIME, "API_BREAK"))


@pytest.mark.parametrize(
    ("named", "meant"),
    [
        ([TOO_OLD], [TOO_OLD]),
        (["HOST_TOO_OLD"], [TOO_OLD]),
        (["API_BREAK"], [API, RUNTIME]),
        ([RUNTIME, "API_BREAK"], [RUNTIME, API]),
    ],
)
def test_a_finding_is_named_by_its_id_or_by_a_code_that_means_all_that_have_it(
    named: list[str], meant: list[str]
) -> None:
    """The text report shows codes, the JSON one ids. What is named twice is meant once."""
    assert chosen(BLOCK, named) == meant


@pytest.mark.parametrize(
    ("name", "way_out"),
    [("HOST_TO_OLD", "did you mean `HOST_TOO_OLD`?"), ("f" * 16, "known are API_BREAK, HOST_TOO_OLD")],
)
def test_a_name_that_fits_no_finding_is_repeated_with_those_that_would(name: str, way_out: str) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        chosen(BLOCK, ["HOST_TOO_OLD", name])

    assert str(refused.value) == f"--finding `{name}` blocks nothing in this report; {way_out}"


def test_where_nothing_blocks_the_workflow_answers() -> None:
    """That nothing needs an exception is the better answer than that the name is wrong."""
    assert chosen((), ["HOST_TOO_OLD"]) == ["HOST_TOO_OLD"]
