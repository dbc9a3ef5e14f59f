"""Security policies as people and databases write them: our own files in YAML or JSON, and OSV records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, cast

from processors.documents import json_text, yaml_text
from processors.documents.files import content_of, naming
from processors.errors import DocumentRefused
from processors.matrix.reading import Fields, Problem, Reading, found, refusal
from processors.policies.document import SEVERITIES, Advisory, SecurityPolicy
from processors.policies.osv import is_osv, read_osv
from processors.versions import Dialect

LARGEST: Final = 16 * 1024 * 1024
"""Bytes of a JSON file; YAML is bounded by its reader."""

_POLICY: Final = (
    "component",
    "policy_id",
    "published_at",
    "valid_until",
    "publisher",
    "required_baseline",
    "dialect",
    "advisories",
)
_ADVISORY: Final = ("id", "aliases", "summary", "severity", "affected", "fixed", "url", "withdrawn_at")
_DIALECTS: Final = tuple(str(dialect) for dialect in Dialect)


def load_policies(files: Iterable[Path], component: str | None = None) -> tuple[SecurityPolicy, ...]:
    """The policies of some files, one for each component, in the order of their ids.

    Raises DocumentRefused that names the file, the place in it and the number of other problems.
    """
    read = list[SecurityPolicy]()
    for file in files:
        with naming(file):
            read += parse_policies(policy_text(file), json=file.suffix == ".json", component=component)
    return merged(read)


def parse_policies(
    content: bytes | str, *, json: bool = False, component: str | None = None
) -> tuple[SecurityPolicy, ...]:
    """As `load_policies`, from the text of one file."""
    policies, problems = inspect_policies(content, json=json, component=component)
    if problems:
        raise refusal(problems)
    return policies


def inspect_policies(
    content: bytes | str, *, json: bool = False, component: str | None = None
) -> tuple[tuple[SecurityPolicy, ...], list[Problem]]:
    """The policies of one file and every problem in it. If there is a problem, they must not be used.

    A file contains a policy, an OSV record, a list of either, or the response of an OSV server: `vulns` with a
    list. `component` replaces the packages of OSV records. Raises DocumentRefused if the text is not YAML or JSON
    at all, or contains contradictory statements about one component.
    """
    if json:
        value, reading = json_text.load(content, limit=LARGEST), Reading()
    else:
        text = yaml_text.load(content)
        value, reading = text.value, Reading(text.lines)
    policies = [p for item, path in _items(value) for p in _policies(reading, item, path, component)]
    return (merged(policies) if not reading.problems else ()), reading.problems


def policies_in(items: Sequence[Any], path: yaml_text.Path) -> tuple[SecurityPolicy, ...]:
    """The policies of a list at `path` in a document, one for each component. Raises DocumentRefused."""
    reading = Reading()
    policies = [p for n, item in enumerate(items) for p in _policies(reading, item, (*path, n), None)]
    if reading.problems:
        raise refusal(reading.problems)
    return merged(policies)


def policy_text(file: Path) -> bytes:
    """The content of the file, up to one byte more than may be read. Raises DocumentRefused if there is none."""
    return content_of(file, LARGEST if file.suffix == ".json" else yaml_text.LIMIT)


def merged(policies: Sequence[SecurityPolicy]) -> tuple[SecurityPolicy, ...]:
    """One policy for each component. Raises DocumentRefused for contradictory statements."""
    by_component: dict[str, list[SecurityPolicy]] = {}
    for policy in policies:
        by_component.setdefault(policy.component_id, []).append(policy)
    return tuple(_merged(id, parts) for id, parts in sorted(by_component.items()))


def _merged(component: str, parts: Sequence[SecurityPolicy]) -> SecurityPolicy:
    dialect = _agreed(component, "dialect", parts)
    advisories: dict[str, Advisory] = {}
    for advisory in (advisory for part in parts for advisory in part.advisories):
        if advisories.setdefault(advisory.id, advisory) != advisory:
            raise DocumentRefused(component, f"the advisory `{advisory.id}` is stated twice, and differently")
    return SecurityPolicy(
        component_id=component,
        policy_id=_agreed(component, "policy_id", parts) or component,
        published_at=max(part.published_at for part in parts),
        publisher=_agreed(component, "publisher", parts),
        required_baseline=_agreed(component, "required_baseline", parts),
        advisories=tuple(advisories.values()),
        dialect=dialect,
        valid_until=min((part.valid_until for part in parts if part.valid_until is not None), default=None),
    )


def _agreed(component: str, what: str, parts: Sequence[SecurityPolicy]) -> str:
    stated = dict.fromkeys(text for part in parts if (text := getattr(part, what)))
    if len(stated) > 1:
        raise DocumentRefused(component, f"expected one {what}, found {' and '.join(f'`{s}`' for s in stated)}")
    return next(iter(stated), "")


def _items(value: Any) -> list[tuple[Any, yaml_text.Path]]:
    """The values that are one policy each, and their places."""
    answer: Any = cast("dict[str, Any]", value).get("vulns") if isinstance(value, dict) else None
    if isinstance(answer, list):
        return [(item, ("vulns", n)) for n, item in enumerate(cast("list[Any]", answer))]
    if isinstance(value, list):
        return [(item, (n,)) for n, item in enumerate(cast("list[Any]", value))]
    return [(value, ())]


def _policies(reading: Reading, value: Any, path: yaml_text.Path, component: str | None) -> list[SecurityPolicy]:
    if is_osv(value):
        return read_osv(reading, value, path, component)
    if not isinstance(value, dict):
        reading.refuse(path, f"expected a policy with `component`, or an OSV record; found {found(value)}")
        return []
    return [_policy(reading.fields(value, path, _POLICY))]


def _policy(stated: Fields) -> SecurityPolicy:
    advisories = stated.items("advisories")
    return SecurityPolicy(
        component_id=stated.id("component"),
        policy_id=stated.optional("policy_id") or "",
        published_at=stated.instant("published_at") or 0,
        publisher=stated.text("publisher"),
        required_baseline=stated.optional("required_baseline") or "",
        advisories=tuple(_advisory(stated, item, n) for n, item in enumerate(advisories)),
        dialect=stated.word("dialect", _DIALECTS) if "dialect" in stated else Dialect.NPM.value,
        valid_until=stated.instant("valid_until"),
    )


def _advisory(policy: Fields, item: Any, n: int) -> Advisory:
    path = (*policy.at("advisories"), n)
    stated = policy.reading.fields(item, path, _ADVISORY)
    affected = stated.texts("affected")
    if not affected:
        policy.reading.refuse(stated.at("affected"), "expected at least one range of affected versions")
    return Advisory(
        id=stated.id("id"),
        aliases=stated.texts("aliases"),
        summary=stated.text("summary"),
        severity=stated.word("severity", SEVERITIES) if "severity" in stated else "",
        affected=affected,
        fixed=stated.texts("fixed"),
        url=stated.text("url"),
        withdrawn_at=stated.instant("withdrawn_at"),
    )
