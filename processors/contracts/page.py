"""The contract as a page for people, in Markdown: every topic, event, field and type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from processors.contracts.avro import Array, Enum, Field, Fixed, Map, Primitive, Record, Schema, Union, parse, walk
from processors.contracts.files import Contract
from processors.contracts.topics import Topic

_INTRODUCTION = """\
# Topics and events

Topics are the only contract between the guard's processors, and between the guard and other systems. This page is
made by `compat-guard topics page > schemas/README.md` from the `.avsc` files beside it and `config/topics.yaml`.

A record's value is Avro in Confluent's wire format: a zero byte, the schema's id in the registry (four bytes, big
endian), the body. The subject is `<topic>-value`, its compatibility FULL_TRANSITIVE: every released schema reads
what any other wrote. The record's key is UTF-8 text. Writers may use any partitioner; the guard
forwards commands to the partition of murmur2. Read with `isolation.level=read_committed`: records of aborted
transactions do not count.

To change a schema, give each added field a default, keep names and types, and check it with
`compat-guard topics lint`. Released versions are in `released/<Event>/<n>.avsc`, written by
`compat-guard topics release`; a change that is incompatible with any of them is refused.

`masking` of a field says what ledger and logs show of it: `clear` text, a `pseudonym`, free `text` without secrets,
a `digest`, a JSON `document` or `labels` whose parts are masked one by one, or an anchor's `signature`. The topic
itself holds the value unmasked. Fields of one name are masked alike everywhere. A text without a statement
is hidden.
"""


def page(contract: Contract) -> str:
    """The whole page. Assumes a contract without problems."""
    schemas = {event: parse(raw) for event, raw in contract.schemas.items()}
    lines = [_INTRODUCTION, *_topics(contract)]
    for topic in contract.topics.topics:
        if topic.event and isinstance(event := schemas[topic.event], Record):
            lines += ["", f"## {topic.event}", "", f"`{topic.name}`. {event.doc}.", "", *_fields(event)]
    for name, part in sorted(_parts(schemas).items()):
        lines += ["", f"### {name}", "", f"{part.doc}.", "", *_inside(part)]
    return "\n".join(lines) + "\n"


def _topics(contract: Contract) -> Iterator[str]:
    yield "| topic | event | key | partitions | kept | written by | owner |"
    yield "|---|---|---|---|---|---|---|"
    file = contract.topics
    for topic in file.topics:
        writers = ", ".join(topic.written_by)
        cells = (
            topic.name,
            _carried(topic),
            topic.key,
            str(file.partitions(topic)),
            _kept(topic),
            writers,
            topic.owner,
        )
        yield f"| {' | '.join(cells)} |"


def _carried(topic: Topic) -> str:
    if topic.event:
        return f"[{topic.event}](#{topic.event.lower()})"
    return "nothing but its time" if topic.empty else "the record as it came, and why"


def _kept(topic: Topic) -> str:
    if isinstance(topic.retention, str):
        return "newest of each key"
    if topic.retention < timedelta(days=1):
        return f"{topic.retention / timedelta(hours=1):g} h"
    return f"{topic.retention / timedelta(days=1):g} d"


def _parts(schemas: Mapping[str, Schema]) -> dict[str, Record | Enum]:
    """Every named type that is no event itself, by its short name."""
    found = (part for schema in schemas.values() for _, part in walk(schema) if isinstance(part, Record | Enum))
    return {name: part for part in found if (name := _short(part.name)) not in schemas}


def _inside(part: Record | Enum) -> Iterator[str]:
    if isinstance(part, Record):
        yield from _fields(part)
    else:
        yield ", ".join(f"`{symbol}`" for symbol in part.symbols)


def _fields(record: Record) -> Iterator[str]:
    yield "| field | type | default | meaning |"
    yield "|---|---|---|---|"
    for field in record.fields:
        yield f"| {field.name} | {_type(field.type)} | {_default(field)} | {field.doc} |"


def _default(field: Field) -> str:
    return "" if field.default is None else f"`{field.default}`"


def _type(schema: Schema) -> str:  # noqa: PLR0911 - one return a kind of type
    match schema:
        case Primitive(logical="timestamp-millis"):
            return "time, ms since 1970 UTC"
        case Primitive():
            return schema.name
        case Array():
            return f"list of {_type(schema.items)}"
        case Map():
            return f"map to {_type(schema.values)}"
        case Union():
            return " or ".join(_type(branch) for branch in schema.branches)
        case Fixed():
            return f"{schema.size} bytes"
        case Record() | Enum():
            return f"[{_short(schema.name)}](#{_short(schema.name).lower()})"


def _short(name: str) -> str:
    return name.rpartition(".")[2]
