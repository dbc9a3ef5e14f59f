"""JSON Schemas of `--output json` of each command: the contract with scripts. Fields are only ever added.

Tests compare real output with them, and every command with JSON output has an entry. Reports and results are those
of their topics, so their schema is derived from the event's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from processors.cli.requests.answers import KNOWN, TIMES
from processors.configuration.settings import shipped
from processors.contracts.avro import parse
from processors.contracts.json_schema import json_schema
from processors.ledger.records import COLUMNS

Schema = dict[str, Any]

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"

_TEXT: Final[Schema] = {"type": "string"}
_COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
_NUMBER: Final[Schema] = {"type": "number"}
_FLAG: Final[Schema] = {"type": "boolean"}
_TIME: Final[Schema] = {"type": "string", "format": "date-time", "description": "ISO 8601, UTC"}
_ANYTHING: Final[Schema] = {"type": "object"}


def _maybe(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _one_of(*words: str) -> Schema:
    return {"type": "string", "enum": list(words)}


def _record(fields: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    properties = {**fields, **(optional or {})}
    return {"type": "object", "properties": properties, "required": list(fields)}


def _by_name(values: Schema) -> Schema:
    return {"type": "object", "additionalProperties": values}


def _texts(*names: str) -> dict[str, Schema]:
    return dict.fromkeys(names, _TEXT)


_FINDING_IN_SHORT = _record(_texts("id", "code", "effect", "sentence"))
_NOTICE = _record({**_texts("where", "message"), "is_error": _FLAG})
_POLICY = {**_texts("component", "policy", "baseline", "digest"), "advisories": _COUNT, "published_at": _TIME}
_EXCEPTION = {
    **_texts("exception", "for", "status", "requester", "risk", "category", "left", "monitoring", "report_digest"),
    **dict.fromkeys(("band", "report", "step", "approval_id"), _maybe(_TEXT)),
    **dict.fromkeys(("asked_until", "due", "valid_until"), _maybe(_TIME)),
    **{"round": _COUNT, "uses": _COUNT, "score": _maybe(_COUNT), "what_next": _TEXT},
    **{"findings": _list(_TEXT), "controls": _list(_TEXT)},
    "approved_by": _list(_record({**_texts("who", "step"), "at": _TIME})),
}
_LETTER = {**_texts("id", "from", "processor", "reason", "stage", "message"), "when": _TIME, "truncated": _FLAG,
           "again": _FLAG}  # fmt: skip
_DELIVERY = {
    **_texts("target", "id", "type", "status", "message", "from"),
    **{"attempts": _COUNT, "bytes": _COUNT, "urgent": _FLAG, "at": _TIME, "next": _TEXT},
}
_LEDGER_TEXTS = [n for n in COLUMNS if n not in ("partition", "offset", "appended_at", "finding_codes", "payload")]
_ROW = {
    **{"time": _TIME, **_texts("who", "event", "outcome", "row_hash")},
    **dict.fromkeys(_LEDGER_TEXTS, _maybe(_TEXT)),
    **{"partition": _COUNT, "offset": _COUNT, "sequence": _COUNT, "finding_codes": _list(_TEXT)},
    **{"payload": _ANYTHING, "value_digest": _TEXT},
}
_PLACE = {**_texts("kind", "topic", "message"), "partition": _COUNT}
_TALLY = _record({**dict.fromkeys(("total", "right", "false_allows", "false_blocks"), _COUNT), "accuracy": _NUMBER})
_STEPS = _record(
    {
        "steps": _list({**_record(_texts("step")), "additionalProperties": True}),
        "refusals": _list(_record(_texts("about", "why", "way_out"))),
        "unknown": _list(_TEXT),
    }
)
_RULES = _list(
    _record(
        {
            "step": _one_of("add", "remove", "foreign"),
            **_texts("principal", "resource", "name", "pattern", "operation", "host"),
        }
    )
)
_MONTHS = _list(_record({**_texts("month", "action", "why"), "rows": _COUNT, "youngest": _maybe(_TIME)}))


def _event(name: str) -> Schema:
    """An event's record, with times in the format of the command line."""
    found = json_schema(parse(json.loads((shipped("schemas") / f"{name}.avsc").read_text("utf-8"))))
    for time in {*TIMES, "at", "due_at", "valid_until"} & found["properties"].keys():
        optional = "anyOf" in found["properties"][time]
        found["properties"][time] = _maybe(_TIME) if optional else _TIME
    return found


def _report() -> Schema:
    """The facts of the report, and what is known of the result; for an offline check, its matrix files."""
    result = _event("CompatibilityChecked")["properties"]
    report = result["report"]
    beside = {name: _maybe(result[name]) for name in KNOWN}
    more = {**beside, "decided": result["verdict"], "matrix_files": _list(_TEXT)}
    return _record({**report["properties"], "report_digest": _TEXT}, more)


def _bare_report() -> Schema:
    report = _event("CompatibilityChecked")["properties"]["report"]
    return _record({**report["properties"], "report_digest": _TEXT})


def _watched() -> Schema:
    result = _event("CompatibilityChecked")
    return _record({**result["properties"], "id_conflict": _FLAG})


def _recheck() -> Schema:
    changes = _record({**_texts("before", "after"), **dict.fromkeys(("gone", "come"), _list(_FINDING_IN_SHORT))})
    return _record(
        {**_texts("request_id", "recheck_of", "verdict"), "changes": _maybe(changes), "report": _bare_report()}
    )


def _replay() -> Schema:
    change = {
        **_texts("plugin_id", "plugin_version", "host", "host_version", "before", "after", "example"),
        **{"subjects": _COUNT, "requests": _COUNT, "finding": _maybe(_FINDING_IN_SHORT)},
    }
    return _record(
        {
            **{"since": _TIME, **_texts("before", "after")},
            **dict.fromkeys(("requests", "subjects", "unreadable", "left_out"), _COUNT),
            "counts": _list(_record({**_texts("before", "after"), "subjects": _COUNT})),
            "changes": _list({**_record(change), "additionalProperties": True}),
        }
    )


def _plan() -> Schema:
    return json.loads((shipped("schemas") / "InstallationPlan.schema.json").read_text("utf-8"))


def _story() -> Schema:
    return _record({**_EXCEPTION, "history": _list(_event("ExceptionDecided"))})


def _of(schema: Schema) -> Callable[[], Schema]:
    return lambda: schema


_MATRIX = _record(
    {
        "digest": _TEXT,
        "sources": _list(
            _record(
                {
                    **_texts("source", "revision", "state", "digest"),
                    **{"rows": _COUNT, "issued_at": _TIME, "expires_at": _TIME},
                }
            )
        ),
    }
)
_DOCUMENT = {**_record({**_texts("source", "revision"), "matrix": _list(_ANYTHING)}), "additionalProperties": True}
_STATED_POLICY = {**_record(_texts("component")), "additionalProperties": True}

OUTPUTS: Final[Mapping[str, Callable[[], Schema]]] = {
    "check": _report,
    "request": _report,
    "report": _report,
    "plan": _plan,
    "watch": _watched,
    "recheck": _recheck,
    "replay": _replay,
    "exception list": _of(_list(_record(_EXCEPTION))),
    "exception show": _story,
    "matrix lint": _of(_list(_NOTICE)),
    "matrix publish": _of(
        _record(
            {
                **_texts("source", "revision", "digest"),
                **{"rows": _COUNT, "parts": _COUNT, "serial": _COUNT, "issued_at": _TIME, "expires_at": _TIME},
            }
        )
    ),
    "matrix show": _of({"anyOf": [_MATRIX, _DOCUMENT]}),
    "matrix explain": _of(
        _record(
            {
                **{"action": _one_of("allow", "warn", "block"), "listed": _FLAG, "count": _COUNT},
                "rows": _list(
                    _record(
                        {
                            **_texts("source", "revision", "says", "action", "why"),
                            **{"row": _COUNT, "decisive": _FLAG},
                        }
                    )
                ),
                "overrides": _list(_record({**_texts("row", "what", "why"), "until": _TIME})),
                "broken": _list(_record(_texts("row", "why"))),
            }
        )
    ),
    "matrix status": _of(
        _list(
            _record(
                {
                    **_texts("source", "level", "revision", "digest"),
                    **dict.fromkeys(("age_hours", "used_percent", "expires_in_hours"), _NUMBER),
                    **dict.fromkeys(("issued_at", "warns_at", "expires_at"), _TIME),
                }
            )
        )
    ),
    "matrix sync": _of(_list(_record({**_texts("source", "step", "revision", "why"), "code": _COUNT}))),
    "policies lint": _of(_list(_NOTICE)),
    "policies publish": _of(_list(_record({**_POLICY, "state": _one_of("published", "unchanged")}))),
    "policies list": _of(_list(_record(_POLICY))),
    "policies show": _of({"anyOf": [_STATED_POLICY, _list(_STATED_POLICY)]}),
    "manifest lint": _of(_list(_record(_texts("file", "level", "path", "problem", "write")))),
    "manifest show": _of(
        {
            **_record({**_texts("ecosystem", "host", "dialect"), "not_stated": _list(_TEXT)}),
            "additionalProperties": True,
        }
    ),
    "accuracy": _of(
        _record(
            {
                **{"all": _TALLY, "by_dialect": _by_name(_TALLY), "by_code": _by_name(_TALLY)},
                "wrong": _list(
                    _record(
                        {
                            **_texts("name", "group"),
                            "codes": _list(_TEXT),
                            **dict.fromkeys(("expected_block", "blocked", "right"), _FLAG),
                        }
                    )
                ),
            }
        )
    ),
    "ledger search": _of(_list(_record(_ROW))),
    "ledger show": _of(_list(_record({**_ROW, "story": _TEXT}))),
    "ledger verify": _of(_list(_record({**_PLACE, "sequence": _COUNT}))),
    "ledger reconcile": _of(_list(_record({**_PLACE, "offset": _COUNT}))),
    "ledger looks": _of(_list(_record({"at": _TIME, **_texts("login", "pseudonym", "reason")}))),
    "ledger losses": _of(
        _list(
            _record(
                {
                    **_texts("topic", "by"),
                    **dict.fromkeys(("partition", "life", "first", "last"), _COUNT),
                    "at": _TIME,
                }
            )
        )
    ),
    "ledger retention plan": _of(_MONTHS),
    "ledger retention run": _of(_MONTHS),
    "ledger metrics": _of(
        _list({**_record(_texts("measure", "target", "meaning", "sql")), "additionalProperties": True})
    ),
    "dead-letters list": _of(_list(_record(_LETTER))),
    "dead-letters show": _of(
        _record({**_LETTER, "key": _maybe(_TEXT), "bytes": _maybe(_COUNT), "headers": _by_name(_maybe(_TEXT))})
    ),
    "deliveries list": _of(
        _record({"targets": _by_name(_record(_texts("mode", "message"))), "deliveries": _list(_record(_DELIVERY))})
    ),
    "deliveries show": _of(_record({**_DELIVERY, "body": _TEXT})),
    "topics lint": _of(_list(_record(_texts("where", "message")))),
    "topics diff": _of(_STEPS),
    "topics apply": _of(_STEPS),
    "acls diff": _of(_RULES),
    "acls apply": _of(_RULES),
    "config show": _of(_list(_record(_texts("variable", "value", "origin", "means")))),
    "doctor": _of(
        _list(
            _record({**_texts("part", "found", "to_do"), "state": _one_of("ok", "warning", "wrong", "unreachable")})
        )
    ),
}
"""By command. For JSON Lines, the schema describes one line; a stream has no end."""

LINES: Final = frozenset({"watch"})
"""Commands whose schema is that of one line."""


def schema_of(command: str) -> Schema:
    """The schema of a command's JSON. Raises KeyError for one that writes none."""
    what = "A line of what" if command in LINES else "What"
    title = f"{what} `compat-guard {command} --output json` writes"
    return {"$schema": DRAFT, "title": title, **OUTPUTS[command]()}
