"""`compat-guard deliveries`: the pending deliveries of the relay, and those that were given up."""

from __future__ import annotations

import getpass
import json
import time
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from processors.cli import tables
from processors.cli.formats import Listing, ListingOption
from processors.configuration.settings import settings
from processors.errors import SettingsInvalid, shorten
from processors.matrix.writing import instant

if TYPE_CHECKING:
    from processors.client.deliveries import Relayed
    from processors.relay.delivery import Delivery

app = typer.Typer(
    add_completion=False,
    help="Pending deliveries of the relay: show and retry them.",
    no_args_is_help=True,
)


class Which(StrEnum):
    pending = "pending"
    dead = "dead"


Target = Annotated[str | None, typer.Option(help="only those for this target")]
Patience = Annotated[float, typer.Option("--wait", help="seconds to wait until a relay has done it", min=0)]


@app.command("list")
def list_deliveries(
    target: Target = None,
    status: Annotated[Which | None, typer.Option(help="only those that wait, or that were given up")] = None,
    output: ListingOption = Listing.table,
) -> None:
    """List deliveries that wait or were given up, oldest first, and the status of the targets."""
    relayed = _relayed()
    found = [
        d
        for d in relayed.deliveries
        if _is_one(d, target) and (status is None or d.pending is (status == "pending"))
    ]
    standings = {name: of for name, of in relayed.standings.items() if target in (None, name)}
    if output is Listing.json:
        from processors.client.deliveries import target_facts  # noqa: PLC0415 - the help needs no client library

        shown = {"targets": target_facts(standings), "deliveries": [_facts(one) for one in found]}
        typer.echo(json.dumps(shown))
        return
    for name, of in sorted(standings.items()):
        if of.mode != "ACTIVE":
            until = "" if of.mode == "DISABLED" else f", next probe {instant(of.not_before)}"
            typer.echo(f"{name} is {of.mode} since {instant(of.changed_at)}: {of.message}{until}")
    if not found:
        typer.echo("nothing waits")
        return
    columns = ("target", "id", "type", "status", "attempts", "next", "message")
    tables.show(columns, [[str(facts[name]) for name in columns] for facts in map(_facts, found)])


@app.command()
def show(
    delivery_id: Annotated[str, typer.Argument(metavar="ID", help="id of the event, as in the list")],
    target: Target = None,
) -> None:
    """Show everything about the deliveries of one event as JSON, a line each, with the body."""
    for delivery in _named(_relayed(), [delivery_id], target):
        typer.echo(json.dumps(_facts(delivery) | {"body": delivery.body.decode(errors="replace")}))


@app.command()
def replay(
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="ids of events, as in the list")],
    target: Target = None,
    wait: Patience = 10.0,
) -> None:
    """Retry deliveries from the first attempt on: those that were given up, and those with a longer wait.

    The receiver gets the same id and bytes as before. Ends with 2 if there is no such delivery, and with 3 if no
    relay has carried out the command in time; it stays on the topic until one does.
    """
    from processors.client.deliveries import ask_relay, replay_commands  # noqa: PLC0415 - as above

    found = _named(_relayed(), ids, target)
    ask_relay(settings(), replay_commands(found, _operator()), wait)
    typer.echo(f"{len(found)} {'delivery is' if len(found) == 1 else 'deliveries are'} tried again")


@app.command()
def resume(target: Annotated[str, typer.Argument(help="name of the target, as in config/relay.yaml")]) -> None:
    """Resume a target at once that is held, disabled or failing."""
    from processors.client.deliveries import RESUME_PARTITION, ask_relay  # noqa: PLC0415 - as above
    from processors.relay.records import DeliveryCommand  # noqa: PLC0415 - as above

    if target not in (known := _relayed().standings):
        raise SettingsInvalid(
            f"the relay knows no target `{shorten(target)}`; it knows {', '.join(sorted(known)) or 'none'}"
        )
    command = DeliveryCommand(target=target, topic="", id="", at=_now(), operator=_operator())
    ask_relay(settings(), {command: RESUME_PARTITION}, 0)
    typer.echo(f"{target} is resumed by every relay that runs")


def _relayed() -> Relayed:
    from processors.client.deliveries import read_relayed  # noqa: PLC0415 - the help needs no client library

    return read_relayed(settings())


def _named(relayed: Relayed, ids: Sequence[str], target: str | None) -> Sequence[Delivery]:
    """Raises SettingsInvalid if one of them is missing: nothing is done partially."""
    found = [d for d in relayed.deliveries if d.id in ids and _is_one(d, target)]
    if missing := [id for id in ids if id not in {d.id for d in found}]:
        raise SettingsInvalid(
            f"there is no delivery `{shorten(missing[0])}`; `compat-guard deliveries list` shows what is kept"
        )
    return found


def _is_one(delivery: Delivery, target: str | None) -> bool:
    return target in (None, delivery.target)


def _facts(delivery: Delivery) -> dict[str, Any]:
    from processors.client.deliveries import delivery_facts  # noqa: PLC0415 - as above

    return delivery_facts(delivery)


def _operator() -> str:
    return getpass.getuser()


def _now() -> int:
    return time.time_ns() // 1_000_000
