"""What platforms have not taken yet: attempts, the next try, the breaker, and trying again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, NamedTuple
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from processors.client.deliveries import (
    RESUME_PARTITION,
    NobodyObeyed,
    Relayed,
    ask_relay,
    read_relayed,
    replay_commands,
)
from processors.configuration.gateway import Role
from processors.configuration.settings import Settings
from processors.gateway.api.callers import AtDesk
from processors.gateway.console.forms import one
from processors.gateway.console.rendering import Page
from processors.gateway.console.routing import PageRoute, show, to
from processors.gateway.console.visitors import Visitor, now_ms, visiting
from processors.gateway.desk import Desk
from processors.gateway.intake import read_form
from processors.gateway.limits import Rate
from processors.gateway.problems import Problem
from processors.relay.delivery import Delivery
from processors.relay.records import DeliveryCommand
from processors.relay.target_status import Mode, TargetStatus

SHOWN: Final = 200
"""Deliveries on a page, and those that one form has tried again."""

PATIENCE: Final = 8.0

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Operator = Annotated[Visitor, visiting(Role.OPERATOR, rate=Rate.LEDGER)]
Word = Annotated[str, Query(max_length=200)]


class Target(NamedTuple):
    """Where events go: how it stands, how many wait for it, and how many were given up."""

    name: str
    standing: TargetStatus
    waiting: int
    given_up: int


class Line(NamedTuple):
    """A delivery and when it is tried next: None where that is never, or not before somebody does something."""

    delivery: Delivery
    due: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliveries(Page):
    """All targets, those with trouble first, and what waits or was given up, oldest first. `chosen` is the target
    that it is about, empty for all."""

    template = "deliveries.html"
    said: str
    targets: Sequence[Target]
    chosen: str
    lines: Sequence[Line]
    more: int
    most: int = SHOWN


@router.get("/deliveries")
async def deliveries(request: Request, desk: AtDesk, _: Operator, target: Word = "", said: Word = "") -> Response:
    relayed, every = await desk.read(_read, desk.settings)
    chosen = [one for one in relayed.deliveries if target in ("", one.target)]
    page = Deliveries(
        title="Deliveries",
        said=said,
        targets=every,
        chosen=target,
        lines=[Line(one, due(one, relayed.standings.get(one.target))) for one in chosen[:SHOWN]],
        more=max(0, len(chosen) - SHOWN),
    )
    return show(request, page)


@router.post("/deliveries/replay")
async def replay(request: Request, desk: AtDesk, visitor: Operator) -> Response:
    """One delivery, or what was given up for a target, from the first try on; the receiver gets the same id and
    bytes."""
    fields = await read_form(request)
    target, topic, id = one(fields, "target"), one(fields, "topic"), one(fields, "id")
    relayed = await desk.read(read_relayed, desk.settings)
    found = [
        each
        for each in relayed.deliveries
        if each.target == target and ((each.topic, each.id) == (topic, id) if id else not each.pending)
    ][:SHOWN]
    if not found:
        return _back("gone", one(fields, "chosen"))
    commands = replay_commands(found, visitor.who.subject)
    return _back(await _asked(desk, commands, PATIENCE, "replayed"), one(fields, "chosen"))


@router.post("/deliveries/resume")
async def resume(request: Request, desk: AtDesk, visitor: Operator) -> Response:
    fields = await read_form(request)
    target = one(fields, "target")
    relayed = await desk.read(read_relayed, desk.settings)
    if target not in relayed.standings:
        raise Problem("not-found", "the relay knows no such target")
    command = DeliveryCommand(target=target, topic="", id="", at=now_ms(), operator=visitor.who.subject)
    return _back(await _asked(desk, {command: RESUME_PARTITION}, 0.0, "resumed"), one(fields, "chosen"))


def _read(settings: Settings) -> tuple[Relayed, list[Target]]:
    """In a thread: there may be many deliveries."""
    relayed = read_relayed(settings)
    return relayed, targets(relayed)


def targets(relayed: Relayed) -> list[Target]:
    """Every target that the relay knows or that something waits for, those that are not sent anything first."""
    counted = Counter((one.target, one.pending) for one in relayed.deliveries)
    found = [
        Target(name, relayed.standings.get(name, TargetStatus()), counted[name, True], counted[name, False])
        for name in sorted({*relayed.standings, *(name for name, _ in counted)})
    ]
    return sorted(found, key=lambda target: (target.standing.mode is Mode.ACTIVE, not target.given_up))


def due(delivery: Delivery, standing: TargetStatus | None) -> int | None:
    """When it is tried next: not before its target is sent anything at all."""
    if not delivery.pending or (standing is not None and standing.mode is Mode.DISABLED):
        return None
    held = 0 if standing is None or standing.mode is Mode.ACTIVE else standing.not_before
    return max(delivery.next_at, held)


async def _asked(desk: Desk, commands: Mapping[DeliveryCommand, int], patience: float, done: str) -> str:
    """What to say of it. What no relay has taken up yet is kept for the next one."""
    try:
        identity = f"gateway-deliveries-{desk.settings.ordinal}"
        await desk.read(ask_relay, desk.settings, commands, patience, identity)
    except NobodyObeyed:
        return "kept"
    return done


def _back(said: str, chosen: str) -> Response:
    return to(f"/deliveries?{urlencode({'said': said, **({'target': chosen} if chosen else {})})}")
