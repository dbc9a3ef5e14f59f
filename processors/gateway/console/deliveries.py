"""What platforms have not taken yet: attempts, the next try, the breaker, and trying again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response

from processors.client.deliveries import RESUME_PARTITION, ask_relay, read_relayed
from processors.configuration.gateway import Role
from processors.gateway.api.callers import AtDesk
from processors.gateway.console.forms import one
from processors.gateway.console.rendering import Page
from processors.gateway.console.routing import PageRoute, show, to
from processors.gateway.console.visitors import Visitor, now_ms, visiting
from processors.gateway.intake import read_form
from processors.gateway.limits import Rate
from processors.gateway.problems import Problem
from processors.relay.delivery import Delivery
from processors.relay.records import DeliveryCommand
from processors.relay.target_status import TargetStatus

SHOWN: Final = 200
PATIENCE: Final = 8.0

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Operator = Annotated[Visitor, visiting(Role.OPERATOR, rate=Rate.LEDGER)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliveries(Page):
    """Deliveries that wait or were given up, oldest first, and targets that are not simply active."""

    template = "deliveries.html"
    said: str
    deliveries: Sequence[Delivery]
    more: int
    troubled: Sequence[tuple[str, TargetStatus]]
    targets: Sequence[str]


@router.get("/deliveries")
async def deliveries(
    request: Request, desk: AtDesk, _: Operator, said: Annotated[str, Query(max_length=20)] = ""
) -> Response:
    relayed = await desk.read(read_relayed, desk.settings)
    page = Deliveries(
        title="Deliveries",
        said=said,
        deliveries=relayed.deliveries[:SHOWN],
        more=max(0, len(relayed.deliveries) - SHOWN),
        troubled=[(name, of) for name, of in sorted(relayed.standings.items()) if of.mode != "ACTIVE"],
        targets=sorted(relayed.standings),
    )
    return show(request, page)


@router.post("/deliveries/replay")
async def replay(request: Request, desk: AtDesk, visitor: Operator) -> Response:
    """Tried again from the first try on; the receiver gets the same id and bytes."""
    fields = await read_form(request)
    wanted = (one(fields, "target"), one(fields, "topic"), one(fields, "id"))
    relayed = await desk.read(read_relayed, desk.settings)
    found = next((d for d in relayed.deliveries if (d.target, d.topic, d.id) == wanted), None)
    if found is None:
        raise Problem("not-found", "there is no such delivery any more; it may have arrived meanwhile")
    command = DeliveryCommand(
        target=found.target, topic=found.topic, id=found.id, at=now_ms(), operator=visitor.who.subject
    )
    await desk.read(ask_relay, desk.settings, {command: found.partition}, PATIENCE)
    return to("/deliveries?said=replayed")


@router.post("/deliveries/resume")
async def resume(request: Request, desk: AtDesk, visitor: Operator) -> Response:
    target = one(await read_form(request), "target")
    relayed = await desk.read(read_relayed, desk.settings)
    if target not in relayed.standings:
        raise Problem("not-found", "the relay knows no such target")
    command = DeliveryCommand(target=target, topic="", id="", at=now_ms(), operator=visitor.who.subject)
    await desk.read(ask_relay, desk.settings, {command: RESUME_PARTITION}, 0.0)
    return to("/deliveries?said=resumed")
