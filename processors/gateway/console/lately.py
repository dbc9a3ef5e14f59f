"""Results as they came by lately, each in one line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from processors.errors import EventUnreadable
from processors.events.results import Result
from processors.events.topics import RESULTS
from processors.gateway.console.narrowing import EVERYTHING, Narrowing
from processors.gateway.console.visitors import Visitor
from processors.gateway.desk import Desk
from processors.stream.types import Inbound
from processors.stream.wire.codec import Decoder

SHOWN: Final = 50
"""Results that are listed."""


class ResultLine(NamedTuple):
    """A result in one line. `at` is milliseconds."""

    at: int
    request_id: str
    plugin: str
    name: str
    """What people call the plugin; empty where its manifest does not say."""
    environment: str
    target: str
    """The installation, such as a cluster; empty where nobody said."""
    host: str
    verdict: str
    risk: int
    operator: str
    summary: str
    codes: Sequence[str]
    """Of all that was found."""

    def is_meant(self, narrowed: Narrowing) -> bool:
        return narrowed.admits((self.plugin, self.name), (self.target, self.environment, self.host), self.verdict)


def lately(desk: Desk, visitor: Visitor, narrowed: Narrowing = EVERYTHING) -> list[ResultLine]:
    """The newest results of the visitor's tenants that this replica has seen. In a thread."""
    decode = desk.events.decoder(RESULTS, "CompatibilityChecked")
    lines: list[ResultLine] = []
    for record in reversed(desk.live.recent()):
        line = line_of(record, decode, visitor)
        if line is not None and line.is_meant(narrowed):
            lines.append(line)
        if len(lines) >= SHOWN:
            break
    return lines


def line_of(record: Inbound, decode: Decoder, visitor: Visitor) -> ResultLine | None:
    """A result in one line; None for what cannot be read, is another tenant's, or only confirms an earlier one."""
    try:
        result = Result(decode(record.value))
    except EventUnreadable:
        return None
    if result.tenant not in visitor.who.tenants or result.recheck_of:
        return None
    return ResultLine(
        at=record.timestamp,
        request_id=result.request_id,
        plugin=result.plugin,
        name=result.plugin_name,
        environment=result.environment,
        target=result.target,
        host=result.where,
        verdict=result.record["verdict"],
        risk=result.record["report"]["risk"]["score"],
        operator=result.operator,
        summary=result.summary,
        codes=result.codes,
    )
