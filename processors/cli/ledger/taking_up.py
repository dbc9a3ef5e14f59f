"""`compat-guard ledger take-up` and `losses`: continue where the ledger cannot file what comes next."""

from __future__ import annotations

from typing import Annotated

import typer

from processors.bootstrap.ledger import bounds, identify
from processors.bootstrap.ledger_access import database
from processors.cli import talk
from processors.cli.formats import Stream, StreamOption
from processors.cli.ledger.output import show
from processors.cli.ledger.queries import app
from processors.configuration.settings import settings
from processors.ledger import losses, origins, taking_up
from processors.ledger.database import reading, writing


@app.command("take-up")
def take_up_topics(
    topic: Annotated[list[str] | None, typer.Option("--topic", help="take up this topic; may be repeated")] = None,
    cluster: Annotated[
        str | None, typer.Option("--cluster", help="id of the cluster that topics have moved to, for good")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="take up every topic that is listed")] = False,
) -> None:
    """Continue with topics whose next records the ledger cannot file as they are.

    They were created again, are permanently on another cluster, have lost their newest records, or no longer hold
    the records that the ledger would file next. What was filed before stays unchanged. Records that the ledger had
    not filed are lost, which is noted; `ledger losses` lists it. Then start the sink again, unless something does.
    Without an option it only shows what it has found, because this cannot be undone.
    """
    of = settings()
    with database("guard_maintenance") as engine, writing(engine) as connection:
        found = taking_up.obstacles(taking_up.standing(connection), identify(of), bounds(of))
        for obstacle in found:
            typer.echo(f"{obstacle.topic}: {_told(obstacle)}")
        chosen = taking_up.confirmed(found, topic or (), cluster, everything=yes)
        taking_up.take_up(connection, chosen)
    count = len({obstacle.topic for obstacle in chosen})
    talk().print("1 topic taken up" if count == 1 else f"{count} topics taken up", highlight=False)


def _told(found: taking_up.Obstacle) -> str:
    match found:
        case origins.Change():
            return f"{_origin(found.noted)} -> {_origin(found.found)}"
        case losses.Loss():
            gone = losses.offsets(found.first, found.next_offset)
            return f"partition {found.partition} no longer has {gone}, which were not filed"
        case losses.Truncation():
            return (
                f"partition {found.partition} ends at {found.end}, and was filed up to {found.filed}; all "
                "partitions of the topic get new chains, and are read again"
            )


def _origin(origin: origins.Origin) -> str:
    return f"{origin.topic_id or 'unknown'} on cluster {origin.cluster_id}"


@app.command("losses")
def list_losses(output: StreamOption = Stream.table) -> None:
    """List records that expired before they were filed: which, and who gave them up when, the newest first."""
    with database("guard_auditor") as engine, reading(engine) as connection:
        rows = [one._asdict() for one in losses.noted(connection)]
    show(rows, output)
    talk().print("1 loss" if len(rows) == 1 else f"{len(rows)} losses", highlight=False)
