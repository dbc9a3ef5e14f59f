"""A seal holds for one record, in one place, under a key that is configured, and for nothing else."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.stream.seals import SEAL, SealRefused, Seals
from processors.stream.types import Inbound

SEALS = Seals("k1", {"k1": b"1" * 32})
OTHERS = Seals("k1", {"k1": b"2" * 32})
ROTATED = Seals("k2", {"k1": b"1" * 32, "k2": b"3" * 32})

texts = st.none() | st.binary(max_size=40)


def sealed(key: bytes | None = b"key", value: bytes | None = b"value", by: Seals = SEALS) -> Inbound:
    return Inbound("uses", 2, 7, 0, key, value, (("ce_id", b"1"), by.seal("uses", key, value)))


def placed(number: int, partition: int = 2, value: bytes | None = b"value") -> Inbound:
    seal = SEALS.seal("log", b"key", value, partition=partition, number=number)
    return Inbound("log", 2, 7, 0, b"key", value, (seal,))


@given(texts, texts)
def test_what_was_sealed_is_believed(key: bytes | None, value: bytes | None) -> None:
    """Whatever key and value hold, also nothing."""
    assert SEALS.check(sealed(key, value)) == ("k1", 0)


@pytest.mark.parametrize(
    "altered",
    [
        pytest.param({"topic": "requests"}, id="another topic"),
        pytest.param({"key": b"other"}, id="another key"),
        pytest.param({"key": None}, id="no key"),
        pytest.param({"value": b"VALUE"}, id="another value"),
        pytest.param({"value": None}, id="a tombstone"),
        pytest.param({"key": b"keyv", "value": b"alue"}, id="the same bytes, cut elsewhere"),
        pytest.param({"headers": ()}, id="no seal"),
        pytest.param({"headers": ((SEAL, None),)}, id="an empty seal"),
        pytest.param({"headers": ((SEAL, b"k1 0"),)}, id="half a seal"),
        pytest.param({"headers": ((SEAL, b"k9 0 00"),)}, id="an unknown key"),
        pytest.param({"headers": ((SEAL, b"k1 -1 00"),)}, id="a number that is none"),
        pytest.param({"headers": ((SEAL, "k1 \u0661 00".encode()),)}, id="a digit of another script"),
        pytest.param({"headers": ((SEAL, b"k1 " + b"9" * 5000 + b" 00"),)}, id="a number without end"),
        pytest.param({"headers": ((SEAL, b"\xff\xfe"),)}, id="bytes that are no text"),
        pytest.param({"headers": ((SEAL, "k1 0 \u00e9".encode()),)}, id="a proof that is not ASCII"),
    ],
)
def test_a_seal_does_not_hold_for_anything_else(altered: dict[str, object]) -> None:
    with pytest.raises(SealRefused):
        SEALS.check(replace(sealed(), **altered))


def test_a_stranger_cannot_seal() -> None:
    """The same key id with another secret."""
    with pytest.raises(SealRefused, match="not made for this record"):
        SEALS.check(sealed(by=OTHERS))


def test_a_seal_in_a_changelog_holds_in_its_partition_only() -> None:
    assert SEALS.check_placed(placed(3), after=2) == ("k1", 3)
    with pytest.raises(SealRefused):
        SEALS.check_placed(placed(3, partition=1), after=2)


def test_a_state_sealed_before_the_one_that_stands_is_refused() -> None:
    """Nor may the very record that stands be taken a second time."""
    for number in (1, 2):
        with pytest.raises(SealRefused, match="number 2 stands before it"):
            SEALS.check_placed(placed(number), after=2)


def test_a_seal_of_a_message_is_none_of_a_changelog() -> None:
    message = Inbound("log", 2, 0, 0, b"key", b"value", (SEALS.seal("log", b"key", b"value"),))
    with pytest.raises(SealRefused):
        SEALS.check_placed(message, after=-1)


def test_during_a_rotation_both_keys_are_believed() -> None:
    """First every process knows the new key, then it seals."""
    both = Seals("k1", ROTATED.keys)

    assert both.check(sealed(by=ROTATED)).key_id == "k2"
    assert ROTATED.check(sealed()).key_id == "k1"
    with pytest.raises(SealRefused, match="`k2`"):
        SEALS.check(sealed(by=ROTATED))


def test_keys_are_not_shown() -> None:
    assert "111" not in repr(SEALS)
