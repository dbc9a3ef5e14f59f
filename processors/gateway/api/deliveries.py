"""GET deliveries: the relay's pending deliveries, and those that were given up; and POST to retry one."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel

from processors.bootstrap.sealing import seals
from processors.client.deliveries import (
    command_record,
    delivery_facts,
    read_relayed,
    replay_commands,
    target_facts,
)
from processors.configuration.gateway import Role
from processors.gateway.api.callers import AtDesk, holding
from processors.gateway.auth.principal import Principal
from processors.gateway.limits import Rate
from processors.gateway.problems import Problem, documented

PREFIX: Final = "/internal/deliveries"
MOST: Final = 1_000
"""The most deliveries in a response."""

router = APIRouter(tags=["deliveries"])
Operator = Annotated[Principal, holding(Role.OPERATOR, rate=Rate.LEDGER)]
Word = Annotated[str | None, Query(max_length=200)]


class Replayed(BaseModel):
    """How many deliveries are tried again: an event has one for each target."""

    replayed: int


@router.get(PREFIX, summary="What is not delivered yet", operation_id="deliveries", responses=documented())
async def deliveries(
    desk: AtDesk,
    who: Operator,  # noqa: ARG001 - it is admitted
    target: Word = None,
    status: Annotated[Literal["pending", "dead"] | None, Query()] = None,
) -> dict[str, Any]:
    """Those that wait or were given up, oldest first, at most 1,000, and how the targets stand."""
    relayed = await desk.read(read_relayed, desk.settings)
    shown = [
        facts
        for facts in map(delivery_facts, relayed.deliveries)
        if target in (None, facts["target"]) and status in (None, facts["status"])
    ]
    standings = {name: standing for name, standing in relayed.standings.items() if target in (None, name)}
    return {"targets": target_facts(standings), "deliveries": shown[:MOST]}


@router.post(
    PREFIX + "/{event_id}/replay",
    status_code=202,
    summary="Try the deliveries of an event again",
    operation_id="replayDeliveries",
    responses=documented(404),
)
async def replay_deliveries(event_id: str, desk: AtDesk, who: Operator, target: Word = None) -> Replayed:
    """From the first try on, with the same id and bytes. A relay does it as soon as one runs."""
    relayed = await desk.read(read_relayed, desk.settings)
    found = [d for d in relayed.deliveries if d.id == event_id and target in (None, d.target)]
    if not found:
        raise Problem("not-found", "there is no such delivery")
    by = seals(desk.settings)
    for command, partition in replay_commands(found, who.subject).items():
        await desk.publish(command_record(desk.events, by, command, partition))
    return Replayed(replayed=len(found))
