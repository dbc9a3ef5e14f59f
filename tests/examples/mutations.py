"""Events turned hostile: values that their schema allows and no honest writer sends, and bytes that are none."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

Json = Any

TEXTS = (
    "", " ", "\x00", "0", "-1", "1." + "9" * 4400 + ".0", "9" * 250 + ".0.0", "1.0." + "9" * 200, "9" * 5000,
    "v1.2.3", "1.2.3-" + "9" * 230, "1!1", "1.0rc" + "9" * 200, "[1," + "9" * 200 + ".0)", ">=1.0.0 <" + "9" * 60,
    "||".join("1" for _ in range(80)), "||".join(f"{n}" for n in range(5000)), "*" * 240, "x.x.x", "^" * 100,
    ">=" + "9" * 249, "since=" + "9" * 240, "until=*", "٣.٤.٥", "²", "1.²", "1_0.0.0", "２.０.０", "1e400", "NaN",
    "\u202e1.0.0", "a\u0301" * 40, "\U0001f600" * 300, "é" * 20_000, "a b", "a/b", "a@1", "=cmd|'/c calc'!A0",
    "com.acme.crm", "com.acme.*", "corex", "governance", "vendor#0", "HOST_TOO_OLD", "2026-02-30", "1970-01-01",
    "2026.9", "2026-" + "1" * 4400, "10000-01-01", "1.2.3+" + "b" * 200, "latest", "{}", "[]", "null", "\ud7ff",
    '{"hosts":{"corex":{"dialect":"maven"}}}', '{"hosts":{"corex":{"dialect":"pep440"}}}',
    '{"hosts":{"corex":{"dialect":"jetbrains"}}}', '{"hosts":{"corex":{"dialect":"minimum"}}}',
    '{"hosts":{"corex":{"dialect":"masterminds"}}}', '{"hosts":{"corex":{"dialect":"vscode"}}}',
    '{"governance":{"scan_interval":"999999999999w"}}', '{"weights":{"host":' + "9" * 5000 + "}}", "[" * 5000,
)  # fmt: skip
"""Numbers beyond what Python reads, digits that are not ASCII, what tempts a matcher, dates that are none."""

INTS = (
    0, -1, 1, 2**31 - 1, -(2**31), 2**62, -(2**63), 2**63 - 1, 10**15, 253_402_300_800_000, -62_135_596_800_001,
)  # fmt: skip
"""Among them the instants just beyond what a date can hold."""


def written_out(schema: Json, space: str = "", known: dict[str, Json] | None = None) -> Json:
    """A schema in which each name is replaced by what it stands for. Ours contain no type that contains itself."""
    known = {} if known is None else known
    if isinstance(schema, str):
        return known.get(schema, known.get(f"{space}.{schema}", schema))
    if isinstance(schema, list):
        return [written_out(branch, space, known) for branch in schema]
    space = schema.get("namespace", space)
    whole = {
        key: written_out(below, space, known) if key in ("type", "items", "values") else below
        for key, below in schema.items()
    }
    if "fields" in whole:
        whole["fields"] = [{**f, "type": written_out(f["type"], space, known)} for f in whole["fields"]]
    if "name" in whole:
        known[f"{space}.{whole['name']}"] = whole
    return whole


def mutated(schema: Json, value: Any, rng: random.Random) -> Any:
    """The value with one or a few places changed to what the schema, which is `written_out`, allows."""
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        value = _somewhere(schema, value, rng, rng.choice((0.1, 0.3, 0.6)))
    return value


def garbled(data: bytes, rng: random.Random) -> bytes:
    """Bytes flipped, cut, doubled or put in another place; what stands before the body is mostly left alone."""
    body, head = bytearray(data[5:]), data[:5]
    for _ in range(rng.choice((1, 1, 2, 8))):
        at = rng.randrange(len(body) + 1)
        match rng.randrange(5):
            case 0 if at < len(body):
                body[at] = rng.randrange(256)
            case 1:
                del body[at:]
            case 2:
                body[at:at] = rng.choice((b"\xff" * 10, b"\x01", b"\x00", b"\xfe\xff\xff\xff\x0f", b"\x80" * 12))
            case 3:
                body += body[at : at + 200]
            case _:
                del body[at : at + rng.randrange(1, 9)]
    return (head if rng.random() < 0.97 else rng.randbytes(5)) + bytes(body)


def _somewhere(schema: Json, value: Any, rng: random.Random, here: float) -> Any:
    """Go down to a place, and change that. `here` is the chance to stop on the way."""
    kind = _branch(schema, value)
    stop = rng.random() < here
    match kind["type"] if isinstance(kind, dict) else kind:
        case "record" if not stop or rng.random() < 0.8:
            field = rng.choice(kind["fields"])
            value = {**value, field["name"]: _somewhere(field["type"], value[field["name"]], rng, here)}
        case "array" if value and not stop:
            at = rng.randrange(len(value))
            value = [*value[:at], _somewhere(kind["items"], value[at], rng, here), *value[at + 1 :]]
        case "map" if value and not stop:
            key = rng.choice(sorted(value))
            value = {**value, key: _somewhere(kind["values"], value[key], rng, here)}
        case "array":
            value = _list(kind, value, rng)
        case _:
            value = _any(schema if stop else kind, rng)
    return value


def _list(kind: Mapping[str, Any], value: list[Any], rng: random.Random) -> list[Any]:
    match rng.randrange(4):
        case 0:
            return []
        case 1:
            return value * rng.choice((2, 3, 40))
        case 2:
            return list(reversed(value))
        case _:
            return [*value, _any(kind["items"], rng)]


def _any(kind: Json, rng: random.Random) -> Any:
    """Anything that the type allows."""
    if isinstance(kind, list):
        return _any(rng.choice(kind), rng)
    name = kind["type"] if isinstance(kind, dict) else kind
    if isinstance(name, dict | list):
        return _any(name, rng)
    return _MAKERS[name](kind, rng)


_MAKERS: dict[str, Callable[[Json, random.Random], Any]] = {
    "null": lambda _kind, _rng: None,
    "boolean": lambda _kind, rng: rng.random() < 0.5,
    "int": lambda _kind, rng: rng.choice([n for n in INTS if -(2**31) <= n < 2**31]),
    "long": lambda _kind, rng: rng.choice(INTS),
    "float": lambda _kind, rng: rng.choice((0.0, float("nan"), float("inf"))),
    "double": lambda _kind, rng: rng.choice((0.0, float("nan"), float("inf"))),
    "string": lambda _kind, rng: rng.choice(TEXTS),
    "bytes": lambda _kind, rng: rng.randbytes(rng.randrange(40)),
    "enum": lambda kind, rng: rng.choice(kind["symbols"]),
    "array": lambda kind, rng: [_any(kind["items"], rng) for _ in range(rng.choice((0, 1, 3)))],
    "map": lambda kind, rng: {rng.choice(TEXTS): _any(kind["values"], rng) for _ in range(rng.choice((0, 1, 3)))},
    "record": lambda kind, rng: {field["name"]: _any(field["type"], rng) for field in kind["fields"]},
}


def _branch(schema: Json, value: Any) -> Json:
    """The branch of a union that a value is of, as far as our events need it: they are null or one other type."""
    if isinstance(schema, dict) and isinstance(schema["type"], dict | list):
        return _branch(schema["type"], value)
    if not isinstance(schema, list):
        return schema
    others = [branch for branch in schema if branch != "null"]
    return "null" if value is None else _branch(others[0], value)
