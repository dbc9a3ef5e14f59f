"""Splits a source's matrix into the events of one refresh, and assembles them again.

The parts of a refresh share a `Refresh`. The refresh takes effect when all parts are there and the digest of their
content equals the one that they state.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple, cast

from processors.errors import MatrixRefused, shorten
from processors.matrix.canonical import digest_of, settings_text
from processors.matrix.document import STRICTEST_FIRST, MatrixDocument, Release, Row, Rule
from processors.matrix.floors import Floor
from processors.matrix.reading import LONGEST_ID, LONGEST_TEXT
from processors.matrix.records import release_from_record, release_to_record, rule_from_record, rule_to_record
from processors.matrix.text import is_source_name, read_settings
from processors.trust.statements import Statement

TOPIC: Final = "compat.matrix-refreshes"
EVENT: Final = "MatrixRefreshed"
LARGEST_PART: Final = 512 * 1024
"""The most bytes of one encoded part."""

MOST_PARTS: Final = 2_000
MOST_SERIAL: Final = 2**62
_ENVELOPE: Final = 1024
"""An upper bound for the fields beside signature, settings and rows."""


class Refresh(NamedTuple):
    """What the parts of one refresh share. Times are milliseconds since the epoch, UTC."""

    source: str
    revision: str
    digest: str
    issued_at: int
    expires_at: int
    parts: int
    serial: int
    withdrawn: bool
    signature: str

    @property
    def statement(self) -> Statement:
        """What the source signs. A withdrawal has no content, so its digest and expiry are meaningless."""
        purpose = "matrix-withdrawal" if self.withdrawn else "matrix-refresh"
        return Statement(
            purpose, self.source, self.revision, self.digest, self.issued_at, self.expires_at, self.serial
        )

    @property
    def floor(self) -> Floor:
        return Floor(self.serial, self.digest, self.withdrawn)


class Part(NamedTuple):
    """One part, its rows read. `settings` is empty in all but the first."""

    refresh: Refresh
    number: int
    settings: str
    rules: tuple[Rule, ...]
    releases: tuple[Release, ...]


def key_of(source: str, part: int) -> bytes:
    """The key of a part on the topic: a refresh replaces the one before it part by part."""
    return f"{source}/{part:04d}".encode()


def part_at(key: bytes | None) -> tuple[str, int] | None:
    """Source and part number of a key; None if it is not the key of a part."""
    source, _, number = (key or b"").decode("utf-8", "replace").rpartition("/")
    if not is_source_name(source) or not (number.isascii() and number.isdigit()) or len(number) > 9:
        return None
    return (source, int(number)) if key == key_of(source, int(number)) else None


def statement_of(document: MatrixDocument, issued_at: int, serial: int) -> Statement:
    """What the source has to sign for the document to take effect as issued then."""
    expires_at = issued_at + document.expires_after
    return Statement(
        "matrix-refresh", document.source, document.revision, document.digest, issued_at, expires_at, serial
    )


def split(
    document: MatrixDocument, statement: Statement, signature: str, *, largest: int = LARGEST_PART
) -> Iterator[dict[str, Any]]:
    """The parts as records of MatrixRefreshed, none of which takes more than `largest` bytes when encoded.

    Raises MatrixRefused, before the first part, if a single row or the settings alone take more than that.
    """
    settings = settings_text(document)
    chunks = _chunks(document, largest - _ENVELOPE - len(signature), _size(settings))
    refresh = Refresh(
        document.source,
        document.revision,
        document.digest,
        statement.issued_at,
        statement.expires_at,
        len(chunks),
        statement.serial,
        False,
        signature,
    )
    return (_record(document, refresh, number, settings, chunk) for number, chunk in enumerate(chunks, 1))


def withdrawal_of(source: str, at: int, serial: int) -> Statement:
    """What a source has to sign to be taken out of effect."""
    return Statement("matrix-withdrawal", source, "", "", at, at, serial)


def withdrawal(statement: Statement, signature: str) -> dict[str, Any]:
    """The record of MatrixRefreshed that withdraws a source. It takes the place of the first part."""
    at = statement.issued_at
    refresh = Refresh(statement.source, "", "", at, at, 1, statement.serial, True, signature)
    return {**refresh._asdict(), "part": 1, "settings": "", "rules": [], "releases": []}


class _Chunk(NamedTuple):
    """Which rows go into a part: rules first, then releases, each in order."""

    rules: range
    releases: range


def _chunks(document: MatrixDocument, room: int, first: int) -> list[_Chunk]:
    cuts, used = [0], first
    for number, size in enumerate(_sizes(document)):
        if size > room or first > room:
            raise MatrixRefused(
                f"row {number} of `{document.source}` is larger than a part may be; shorten its texts"
            )
        if used + size > room:
            cuts.append(number)
            used = 0
        used += size
    rules, total = len(document.rules), document.rows
    ends = [*cuts[1:], total]
    return [
        _Chunk(range(min(start, rules), min(end, rules)), range(max(start - rules, 0), max(end - rules, 0)))
        for start, end in zip(cuts, ends, strict=True)
    ]


def _sizes(document: MatrixDocument) -> Iterator[int]:
    for rule in document.rules:
        yield _size(rule_to_record(rule)) + _size([*rule.labels])
    for release in document.releases:
        yield _size(release_to_record(release)) + _size([*release.hosts])


def _size(value: Any) -> int:
    """The most bytes that a value takes in Avro: three for the length of a text, eight around a list or map."""
    if isinstance(value, str):
        return len(value.encode()) + 4
    if isinstance(value, dict):
        return 8 + sum(map(_size, cast("dict[str, Any]", value).values()))
    if isinstance(value, list):
        return 8 + sum(map(_size, cast("list[Any]", value)))
    return 11


def _record(
    document: MatrixDocument, refresh: Refresh, number: int, settings: str, chunk: _Chunk
) -> dict[str, Any]:
    return {
        **refresh._asdict(),
        "part": number,
        "settings": settings if number == 1 else "",
        "rules": [rule_to_record(document.rules[n]) for n in chunk.rules],
        "releases": [release_to_record(document.releases[n]) for n in chunk.releases],
    }


def refresh_of(record: Row) -> Refresh:
    """The refresh that a decoded event is a part of."""
    return Refresh(*(record[name] for name in Refresh._fields))


def read_part(record: Row) -> Part:
    """A part from its decoded event. Raises MatrixRefused if it cannot be a part of any matrix.

    Texts have the same limits as in a file, because every answer that a row leads to repeats them.
    """
    refresh = refresh_of(record)
    _refuse_unless(len(refresh.revision) <= LONGEST_ID, f"a revision has at most {LONGEST_ID} characters")
    _refuse_unless(is_source_name(refresh.source), f"`{shorten(refresh.source)}` cannot be the name of a source")
    number = record["part"]
    _refuse_unless(1 <= number <= refresh.parts <= MOST_PARTS, f"there is no part {number} of {refresh.parts}")
    _refuse_unless(refresh.withdrawn or refresh.issued_at < refresh.expires_at, "it expires before it is issued")
    _refuse_unless(
        0 <= refresh.serial <= MOST_SERIAL, f"its serial is {refresh.serial}, at most {MOST_SERIAL} is counted"
    )
    source, revision = refresh.source, refresh.revision
    rules = tuple([rule_from_record(rule, source, revision) for rule in record["rules"]])
    odd = next((rule for rule in rules if rule.action not in STRICTEST_FIRST), None)
    _refuse_unless(odd is None, f"`{shorten(odd.action)}` of row {odd.row} is not an action" if odd else "")
    long = next((rule for rule in rules if not _is_bounded(rule)), None)
    _refuse_unless(long is None, f"a text of row {long.row} is longer than a file may have it" if long else "")
    releases = tuple([release_from_record(release, source, revision) for release in record["releases"]])
    return Part(refresh, number, record["settings"], rules, releases)


def _is_bounded(rule: Rule) -> bool:
    """Versions and ranges need no limit: one that is too long is refused unread where it is asked about."""
    return (
        len(rule.plugin) <= LONGEST_ID
        and len(rule.host) <= LONGEST_ID
        and len(rule.notes) <= LONGEST_TEXT
        and len(rule.docs) <= LONGEST_TEXT
    )


def assemble(parts: Mapping[int, Part]) -> MatrixDocument:
    """The whole matrix from all parts of one refresh, by number.

    Raises MatrixRefused if a part is missing or the digest is not that of the content, DocumentRefused if the
    settings cannot be read.
    """
    refresh = next(iter(parts.values())).refresh
    ordered = [parts[number] for number in range(1, refresh.parts + 1) if number in parts]
    _refuse_unless(len(ordered) == refresh.parts, f"{len(ordered)} of {refresh.parts} parts are there")
    head = read_settings(ordered[0].settings)
    rules = tuple([rule for part in ordered for rule in part.rules])
    releases = tuple([release for part in ordered for release in part.releases])
    digest = digest_of(refresh.source, head, rules, releases)
    _refuse_unless(
        digest == refresh.digest,
        f"the refresh of `{refresh.source}` names the digest {shorten(refresh.digest)}, its content has {digest}",
    )
    return MatrixDocument(
        source=refresh.source,
        revision=refresh.revision,
        digest=digest,
        published_at=refresh.issued_at,
        expires_after=refresh.expires_at - refresh.issued_at,
        hosts=head.hosts,
        plugins=head.plugins,
        undeclared=head.undeclared,
        weights=head.weights,
        severity=head.severity,
        governance=head.governance,
        rules=rules,
        releases=releases,
    )


def _refuse_unless(holds: bool, message: str) -> None:
    if not holds:
        raise MatrixRefused(message)
