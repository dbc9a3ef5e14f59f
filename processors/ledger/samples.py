"""Events as the guard writes them, for tests and measurements: whole cases, the same for the same number."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, cast

from processors.configuration.settings import shipped

_IDS = uuid.UUID("0b0e2f3a-94a6-5a0c-8f0c-1d9b6c9b6a11")
START = 1_790_000_000_000
DAY = 86_400_000


class Sample(NamedTuple):
    """One event, and its topic."""

    topic: str
    event: str
    key: str
    value: dict[str, Any]


def an_id(*parts: object) -> str:
    return str(uuid.uuid5(_IDS, "/".join(map(str, parts))))


def blank(event: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """An event with the given fields; the others have the schema's default or a minimal value."""
    return _filled(_schema(event), fields, {})


def story(number: int) -> Iterator[Sample]:
    """A whole case: blocked, excepted, approved by two people, installed under monitoring."""
    request, again, exception = an_id("request", number), an_id("again", number), an_id("exception", number)
    scope = _scope(number)
    at = START + number * 1000
    report = _report(scope)
    answer = {**_answer(number, scope), "request_id": request, "verdict": "BLOCK", "report": report}
    yield _request(number, request, at)
    yield Sample("compat.results", "CompatibilityChecked", request, _event("CompatibilityChecked", number, answer))
    block = {**answer, "finding_codes": ["HOST_TOO_OLD"]}
    yield Sample("compat.blocks", "InstallBlocked", request, _event("InstallBlocked", number, block))
    asked = {
        **scope,
        **{"exception_id": exception, "request_id": request, "kind": "REQUESTED", "category": "WAIVER", "at": at},
        **{"requester": f"bob-{number % 50}@example.com", "risk_statement": "we accept it", "report": report},
        "finding_ids": ["00112233aabbccdd"],
    }
    yield _of_exception("compat.exception-requests", "ExceptionRequested", exception, number, asked)
    for step in range(2):
        decided = {"exception_id": exception, "at": at + step, "proof": "not.a.token"}
        yield _of_exception("compat.approval-decisions", "ApprovalDecided", exception, (number, step), decided)
    yield from _decisions(number, exception, {**scope, "request_id": request}, at)
    yield _request(number, again, at + 1000, exception_id=exception)
    passed = {
        **{**answer, "request_id": again, "verdict": "ALLOW_BY_EXCEPTION", "exception_id": exception},
        **{"approval_id": an_id("approval", number), "monitoring_profile": "strict"},
    }
    yield Sample(
        "compat.results", "CompatibilityChecked", again, _event("CompatibilityChecked", (number, 2), passed)
    )
    finished = {
        **{"request_id": again, "exception_id": exception, "at": at + 2000, "tenant": scope["tenant"]},
        **{"plugin_id": scope["plugin_id"], "plugin_version": scope["plugin_version"]},
        **{"outcome": "SUCCEEDED", "monitoring": "ATTACHED", "monitoring_profile": "strict"},
        "operator": _operator(number),
    }
    yield _of_exception("compat.install-outcomes", "InstallFinished", exception, number, finished)


def traffic(number: int) -> Iterator[Sample]:
    """The most common events: a request, its result, and for every fifth a block."""
    request, scope = an_id("traffic", number), _scope(number)
    blocked = number % 5 == 0
    answer = {
        **{**_answer(number, scope), "request_id": request, "report": _report(scope, blocked=blocked)},
        "verdict": "BLOCK" if blocked else "ALLOW",
    }
    yield _request(number, request, START + number)
    yield Sample(
        "compat.results", "CompatibilityChecked", request, _event("CompatibilityChecked", ("t", number), answer)
    )
    if blocked:
        block = {**answer, "finding_codes": ["HOST_TOO_OLD"]}
        yield Sample("compat.blocks", "InstallBlocked", request, _event("InstallBlocked", ("t", number), block))


def _scope(number: int) -> dict[str, str]:
    return {
        **{"tenant": f"tenant-{number % 40}", "environment": "production"},
        **{"plugin_id": f"plugin-{number % 200}", "plugin_version": f"1.{number % 30}.0"},
        **{"host": "corex", "host_version": f"1.{number % 12}.0"},
    }


def _operator(number: int) -> str:
    return f"alice-{number % 300}@example.com"


def _answer(number: int, scope: Mapping[str, str]) -> dict[str, Any]:
    return {**scope, "operator": _operator(number), "band": "HIGH", "score": 70, "action": "UPGRADE"}


def _request(number: int, request_id: str, at: int, **more: Any) -> Sample:
    scope = _scope(number)
    subject = {
        "manifest": {"id": scope["plugin_id"], "version": scope["plugin_version"], "host_range": ">=2.0.0"},
        "host": {"name": scope["host"], "version": scope["host_version"]},
        "installed": [{"id": f"plugin-{n}", "version": "2.3.1"} for n in range(6)],
    }
    fields = {
        **{"request_id": request_id, "requested_at": at, "operator": _operator(number), "action": "UPGRADE"},
        **{"tenant": scope["tenant"], "subject": subject, **more},
    }
    return Sample(
        "compat.install-requests", "InstallRequested", scope["plugin_id"], blank("InstallRequested", fields)
    )


def _report(scope: Mapping[str, str], *, blocked: bool = True) -> dict[str, Any]:
    finding = {
        **{"id": "00112233aabbccdd", "code": "HOST_TOO_OLD", "dimension": "HOST", "effect": "BLOCK"},
        **{"severity": "MAJOR", "subject": scope["plugin_id"], "object": scope["host"]},
        **{"required": {"constraint": ">=2.0.0"}, "found": scope["host_version"], "distance": "MAJOR"},
        "sentence": f"{scope['plugin_id']} needs corex >=2.0.0, and this host runs {scope['host_version']}.",
    }
    return {
        **{name: scope[name] for name in ("plugin_id", "plugin_version", "host", "host_version")},
        "summary": f"{scope['plugin_id']} does not fit." if blocked else f"{scope['plugin_id']} fits.",
        "findings": [finding] if blocked else [],
        "verdict": "BLOCK" if blocked else "ALLOW",
    }


_APPROVAL = ("requested", "step_approved", "approved")
_STATES = ("UNKNOWN", "PENDING", "IN_REVIEW", "APPROVED", "CONSUMED")


def _decisions(number: int, exception: str, scope: Mapping[str, str], at: int) -> Iterator[Sample]:
    for change, event in enumerate((*_APPROVAL, "used"), 1):
        fields = {
            **{**scope, "exception_id": exception, "round": 1, "sequence": change, "at": at + change * 60_000},
            **{"event": event, "from_state": _STATES[change - 1], "to_state": _STATES[change], "band": "HIGH"},
            "actor": f"carol-{number % 20}@example.com" if "approved" in event else "clock",
            "step": "security" if "approved" in event else "",
            "approval_id": an_id("approval", number) if change >= 3 else None,
            "valid_until": START + 30 * DAY if change >= 3 else None,
            "uses": 1 if event == "used" else 0,
        }
        yield _of_exception("compat.exception-decisions", "ExceptionDecided", exception, (number, change), fields)


def _of_exception(topic: str, event: str, exception: str, number: object, fields: Mapping[str, Any]) -> Sample:
    return Sample(topic, event, exception, _event(event, number, fields))


_ID_FIELDS = {
    **{"CompatibilityChecked": "result_id", "InstallBlocked": "block_id", "ExceptionRequested": "command_id"},
    **{"ApprovalDecided": "decision_id", "ExceptionDecided": "event_id", "InstallFinished": "outcome_id"},
}


def _event(event: str, number: object, fields: Mapping[str, Any]) -> dict[str, Any]:
    return blank(event, {_ID_FIELDS[event]: an_id(event, number), **fields})


@lru_cache(maxsize=32)
def _schema(event: str) -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads(Path(shipped("schemas") / f"{event}.avsc").read_text()))


_LEAST: Mapping[str, Any] = {"string": "", "int": 0, "long": 0, "boolean": False, "null": None}


def _filled(schema: Mapping[str, Any], fields: Mapping[str, Any], named: dict[str, Any]) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for spec in schema["fields"]:
        name, type_ = spec["name"], spec["type"]
        _learn(type_, named)
        if name in fields:
            record[name] = _shaped(type_, fields[name], named)
        else:
            record[name] = spec["default"] if "default" in spec else _least(type_, named)
    return record


def _learn(type_: Any, named: dict[str, Any]) -> None:
    if isinstance(type_, list):
        for branch in cast("list[Any]", type_):
            _learn(branch, named)
    elif isinstance(type_, dict):
        spec = cast("dict[str, Any]", type_)
        if "name" in spec:
            named[f"compat.{spec['name']}"] = spec
        for inner in (spec.get("items"), spec.get("values"), *(f["type"] for f in spec.get("fields", ()))):
            _learn(inner, named)


def _shaped(type_: Any, value: Any, named: dict[str, Any]) -> Any:
    """A given value, with the records in it completed."""
    type_ = named.get(type_, type_) if isinstance(type_, str) else type_
    if isinstance(type_, list):
        branches = [branch for branch in cast("list[Any]", type_) if branch != "null"]
        return None if value is None else _shaped(branches[0], value, named)
    if isinstance(type_, dict):
        spec = cast("dict[str, Any]", type_)
        if spec["type"] == "record":
            return _filled(spec, value, named)
        if spec["type"] == "array":
            return [_shaped(spec["items"], item, named) for item in value]
    return value


def _least(type_: Any, named: dict[str, Any]) -> Any:
    type_ = named.get(type_, type_) if isinstance(type_, str) else type_
    if isinstance(type_, str):
        return _LEAST[type_]
    if isinstance(type_, list):
        return _least(cast("list[Any]", type_)[0], named)
    spec = cast("dict[str, Any]", type_)
    if spec["type"] == "record":
        return _filled(spec, {}, named)
    if spec["type"] == "enum":
        return spec["symbols"][0]
    return [] if spec["type"] == "array" else {} if spec["type"] == "map" else _LEAST[spec["type"]]
