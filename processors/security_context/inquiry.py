"""Requests to the platform and parsing of replies. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Final, cast

from processors.documents import json_text
from processors.errors import DocumentRefused
from processors.matrix.lint import errors
from processors.matrix.merged import Matrix
from processors.policies import Policies, SecurityPolicy
from processors.policies.lint import lint
from processors.policies.text import policies_in

PUBLISHER: Final = "security-context"
"""The publisher of policies from replies. Policies of other publishers are not touched."""

MOST: Final = 200
"""The most components in a request."""

LARGEST: Final = 4 * 1024 * 1024
"""The most bytes of a reply."""

MOST_VALUES: Final = 200_000
"""The most values in a reply: some 60 advisories for each component, with all their fields."""

Page = tuple[str, ...]
"""The components of one request, in order."""

_PATTERN: Final = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Reply:
    """The policies of the requested components. `foreign` counts others, which are left out.

    Equal replies have equal digests.
    """

    policies: Mapping[str, SecurityPolicy]
    foreign: int
    digest: str


def components(matrix: Matrix, policies: Policies) -> Sequence[str]:
    """The plugins of the matrix, and the components whose policy is ours, which must be confirmed or withdrawn."""
    documents = [document for source in matrix.sources if (document := matrix.document(source.name))]
    released = {release.plugin for document in documents for release in document.releases}
    ruled = {rule.plugin for document in documents for rule in document.rules if not _PATTERN & {*rule.plugin}}
    ours = {id for id, policy in policies.by_component.items() if policy.publisher == PUBLISHER}
    return sorted(released | ruled | ours)


def pages(asked: Sequence[str]) -> Iterator[Page]:
    for first in range(0, len(asked), MOST):
        yield tuple(asked[first : first + MOST])


def body(page: Page) -> bytes:
    return json.dumps({"components": page}, ensure_ascii=False, separators=(",", ":")).encode()


def read(content: bytes, asked: Collection[str], now: int) -> Reply:
    """A reply, completely valid or refused. Raises DocumentRefused that names the place in it."""
    value: Any = json_text.load(content, limit=LARGEST)
    if not isinstance(value, dict):
        raise DocumentRefused("", "expected a mapping with `policies`")
    stated = cast("dict[str, Any]", value)
    if sum(1 for _ in islice(_values(value), MOST_VALUES + 1)) > MOST_VALUES:
        raise DocumentRefused("", f"a reply has at most {MOST_VALUES} values")
    items = stated.get("policies")
    if not isinstance(items, list):  # a response about something else is not an empty reply
        raise DocumentRefused("policies", "expected a list, which may be empty")
    policies = {policy.component_id: policy for policy in policies_in(cast("list[Any]", items), ("policies",))}
    ours = {id: _as_ours(policies[id], now) for id in sorted(policies.keys() & {*asked})}
    if wrong := errors(notice for policy in ours.values() for notice in lint(policy, now)):
        raise DocumentRefused(wrong[0].where, wrong[0].message)
    return Reply(ours, len(policies) - len(ours), _digest(asked, ours))


def _values(value: Any) -> Iterator[Any]:
    """The number of values in it, itself included.

    An error message for each would take more room than the value.
    """
    left: list[Any] = [value]
    while left:
        yield (one := left.pop())
        if isinstance(one, dict):
            left.extend(cast("dict[str, Any]", one).values())
        elif isinstance(one, list):
            left.extend(cast("list[Any]", one))


def _as_ours(policy: SecurityPolicy, now: int) -> SecurityPolicy:
    """A publishing time in the future would outlast every confirmation."""
    at = min(policy.published_at or now, now)
    return replace(policy, publisher=PUBLISHER, published_at=at)


def _digest(asked: Collection[str], policies: Mapping[str, SecurityPolicy]) -> str:
    """The digest covers the request too: an empty reply about one half is not one about the other."""
    said = {id: replace(policy, published_at=0).digest for id, policy in policies.items()}
    text = json.dumps([sorted(asked), said], sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
