"""Floors rise, are believed from the monitor alone, and never sink."""

from pathlib import Path

from processors.configuration.settings import shipped
from processors.errors import MatrixRefused
from processors.matrix.floors import Floor, FloorFold, floor_to_record
from processors.stream.types import Inbound
from processors.stream.wire.schema import Schema

SCHEMA = Schema.read((Path(shipped("schemas")) / "MatrixFloor.avsc").read_text("utf-8"))


def written(serial: int, *, withdrawn: bool = False, key: bytes = b"vendor") -> Inbound:
    value = SCHEMA.encode(floor_to_record("vendor", Floor(serial, "d", withdrawn)))
    return Inbound("compat.matrix-floors", 0, 0, 0, key, value)


def only_ours(record: Inbound) -> None:
    if record.key != b"vendor":
        raise MatrixRefused("not ours")


def test_the_last_floor_counts() -> None:
    fold = FloorFold(SCHEMA.decode, only_ours)

    assert fold.apply([written(1), written(2), written(2), written(3, withdrawn=True)]) == []
    assert fold.snapshot() == {"vendor": Floor(3, "d", True)}


def test_a_floor_does_not_sink() -> None:
    """Somebody has copied a record of the past."""
    fold = FloorFold(SCHEMA.decode, only_ours)

    rejects = fold.apply([written(2), written(1)])

    assert [reject.reason for reject in rejects] == ["untrusted"]
    assert fold.snapshot() == {"vendor": Floor(2, "d", False)}


def test_a_floor_that_somebody_else_wrote_changes_nothing() -> None:
    fold = FloorFold(SCHEMA.decode, only_ours)

    rejects = fold.apply([written(1), written(9, key=b"other")])

    assert [reject.reason for reject in rejects] == ["matrix_refused"]
    assert fold.snapshot() == {"vendor": Floor(1, "d", False)}
