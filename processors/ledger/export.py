"""Exports events to files for other tools: CSV, JSON Lines or Parquet, each with a manifest of its content."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, text

from processors.errors import SettingsInvalid
from processors.ledger.queries import SELECTED, Wanted, every

Format = Literal["csv", "jsonl", "parquet"]
Row = Mapping[str, Any]
CHUNK = 5_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def export(
    connection: Connection, wanted: Wanted, path: Path, format_: Format, progress: Callable[[int], None]
) -> Path:
    """Write matching events to a file, oldest first, and return the path of its manifest.

    Both files are written completely or not at all. `progress` is called for each row or chunk of rows. Raises
    SettingsInvalid if the file cannot be written.
    """
    beside = path.with_name(f".{path.name}.part")
    counted = _Counted(every(connection, wanted), progress)
    try:
        _WRITERS[format_](beside, map(plain, counted))
        beside.replace(path)
        manifest = path.with_name(f"{path.name}.manifest.json")
        facts = _manifest(connection, wanted, path, format_, counted.rows)
        manifest.write_text(json.dumps(facts, indent=2) + "\n", "utf-8")
    except OSError as error:
        raise SettingsInvalid(f"`{path}` cannot be written: {error.strerror}") from None
    finally:
        beside.unlink(missing_ok=True)
    return manifest


class _Counted:
    def __init__(self, rows: Iterable[Row], progress: Callable[[int], None]) -> None:
        self._rows, self._progress = rows, progress
        self.rows = 0

    def __iter__(self) -> Iterator[Row]:
        for row in self._rows:
            self.rows += 1
            self._progress(1)
            yield row


def plain(row: Row) -> dict[str, Any]:
    """A row for other tools: times in ISO 8601, bytes in hex, the payload as it was hashed."""
    instant = datetime.fromtimestamp(row["appended_at"] / 1000, UTC).isoformat(timespec="milliseconds")
    return {
        **row,
        "appended_at": instant,
        "value_digest": bytes(row["value_digest"]).hex(),
        "row_hash": bytes(row["row_hash"]).hex(),
    }


def _csv(path: Path, rows: Iterator[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, SELECTED)
        writer.writeheader()
        for row in rows:
            flat = {**row, "finding_codes": " ".join(row["finding_codes"])}
            writer.writerow({name: inert(value) for name, value in flat.items()})


def inert(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula: a text that begins like one is prefixed with `'`.

    JSON Lines and Parquet have every text unchanged.
    """
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _jsonl(path: Path, rows: Iterator[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _parquet(path: Path, rows: Iterator[dict[str, Any]]) -> None:
    try:
        pa: Any = import_module("pyarrow")
        parquet: Any = import_module("pyarrow.parquet")
    except ImportError:
        raise SettingsInvalid("Parquet needs pyarrow; install `compat-guard[export]`") from None
    numbers: dict[str, Any] = {"partition": pa.int32(), "offset": pa.int64(), "sequence": pa.int64()}
    kinds = numbers | {"finding_codes": pa.list_(pa.string())}
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in SELECTED])
    with parquet.ParquetWriter(path, schema) as writer:
        while chunk := list(islice(rows, CHUNK)):
            writer.write_table(pa.Table.from_pylist(chunk, schema))


_WRITERS: Mapping[Format, Callable[[Path, Iterator[dict[str, Any]]], None]] = {
    "csv": _csv,
    "jsonl": _jsonl,
    "parquet": _parquet,
}


def _manifest(connection: Connection, wanted: Wanted, path: Path, format_: Format, rows: int) -> dict[str, Any]:
    """What the file contains, and the heads of the chains, so that the export can be compared with signed
    anchors."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    heads = connection.execute(
        text("SELECT topic, partition, sequence, hash FROM ledger.chain_head ORDER BY topic, partition")
    )
    return {
        "file": path.name,
        "format": format_,
        "digest": f"sha256:{digest}",
        "rows": rows,
        "wanted": {name: value for name, value in asdict(wanted).items() if value is not None},
        "chains": [
            {"topic": topic, "partition": partition, "sequence": sequence, "head": f"sha256:{bytes(head).hex()}"}
            for topic, partition, sequence, head in heads
        ],
    }
