"""`compat-guard ledger`, for administrators: migrations, keys, current state, retention, figures."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, cast, get_args

import typer

from processors.bootstrap.ledger_access import database, public_keys, published_anchors
from processors.cli import talk
from processors.cli.formats import Stream, StreamOption
from processors.cli.ledger.output import Since, Until, instant, show
from processors.cli.ledger.queries import app
from processors.configuration.settings import settings
from processors.errors import SettingsInvalid
from processors.ledger import measures, retention, views
from processors.ledger.database import ensure_months, frozen, make_roles, migrate, reading, writing
from processors.ledger.export import Format
from processors.ledger.keys import new_keys, read_keys, read_public, rotated, write_keys
from processors.ledger.reading import Window
from processors.ledger.whole import verify_all


@app.command("migrate")
def migrate_database(
    roles: Annotated[
        bool, typer.Option("--roles", help="only create the roles of the server, before a dump is restored on it")
    ] = False,
) -> None:
    """Bring the ledger's database up to date, and create its coming months. Idempotent.

    A dump contains no roles, and one that is restored on a server without them loses its owners and grants:
    --roles creates them first, in the server's database `postgres`.
    """
    url = settings().postgres.url.get_secret_value()
    if roles:
        make_roles(url)
        talk().print("the server has the roles of the ledger; a dump may be restored", highlight=False)
        return
    migrate(url)
    talk().print("the ledger's database is up to date", highlight=False)


@app.command("months")
def make_months() -> None:
    """Create the coming months. For a timer; the sink creates the month that it needs by itself."""
    with database("guard_maintenance") as engine, writing(engine) as connection:
        ensure_months(connection)


@app.command("keys")
def keys(
    file: Annotated[Path | None, typer.Argument(help="file of keys; by default GUARD_LEDGER__KEYS")] = None,
    rotate: Annotated[bool, typer.Option("--rotate", help="add a key of each kind and make it current")] = False,
    public: Annotated[bool, typer.Option("--public", help="print the public keys of the anchors as JWKS")] = False,
    published: Annotated[
        Path | None,
        typer.Option("--published", help="JWKS of keys that are lost: new ones verify what those have signed"),
    ] = None,
) -> None:
    """Create the ledger's keys, rotate them, or print the public ones. Existing keys are never lost.

    If the file is lost, create another one with --published: `verify`, retention and the console then accept the
    anchors of both.
    """
    path = file or settings().ledger.keys
    if published is not None and (public or rotate):
        raise SettingsInvalid("--published is for new keys; leave out --public and --rotate")
    if public:
        typer.echo(json.dumps(read_keys(path).public.as_dict(private=False), indent=2))
    elif rotate:
        write_keys(path, rotated(read_keys(path)))
        talk().print(
            f"keys added to {path}; the old ones stay, for what they have signed", highlight=False, soft_wrap=True
        )
    elif path.exists():
        raise SettingsInvalid(f"`{path}` is there already; --rotate adds keys to it")
    else:
        write_keys(path, new_keys(read_public(published) if published is not None else None))
        talk().print(
            f"keys made: {path}. They are secret: keep them out of version control, and in a backup",
            highlight=False,
            soft_wrap=True,
        )


@app.command("rebuild-views")
def rebuild_views(
    check: Annotated[bool, typer.Option("--check", help="only compare; ends with 1 if anything differs")] = False,
) -> None:
    """Rebuild current state from the events, or prove that it is equal to them."""
    with database("guard_maintenance") as engine, frozen(engine) as connection:
        if not check:
            views.rebuild(connection)
        differences = views.compare(connection)
    for found in differences:
        typer.echo(f"{found.table}: {found.unfounded} rows without events, {found.missing} missing")
    if not differences:
        talk().print("current state equals the events", highlight=False)
    raise typer.Exit(1 if differences else 0)


retention_app = typer.Typer(
    add_completion=False, name="retention", help="Remove old months. Never one younger than 365 days."
)
app.add_typer(retention_app)


def _steps() -> list[retention.Step]:
    with database("guard_maintenance") as engine, reading(engine) as connection:
        found = retention.months(connection)
    return retention.plan(found, datetime.now(UTC), settings().ledger.retention_days)


def _show_steps(steps: list[retention.Step], output: Stream) -> None:
    show(
        [
            {
                "month": s.month.name,
                "rows": s.month.rows,
                "youngest": s.month.youngest,
                "action": s.action,
                "why": s.why,
            }
            for s in steps
        ],
        output,
    )


@retention_app.command("plan")
def retention_plan(output: StreamOption = Stream.table) -> None:
    """Show what `run` would do."""
    _show_steps(_steps(), output)


@retention_app.command("run")
def retention_run(
    folder: Annotated[Path, typer.Argument(help="folder to which removed months are exported")],
    format_: Annotated[str, typer.Option("--format", help="csv, jsonl or parquet")] = "jsonl",
    output: StreamOption = Stream.table,
) -> None:
    """Verify, export and detach old months, and drop those that were detached a week ago."""
    if format_ not in get_args(Format):
        raise SettingsInvalid(f"--format `{format_}` is none of {', '.join(get_args(Format))}")
    steps = _steps()
    with database("guard_maintenance") as engine:
        for step in steps:
            retention.carry_out(engine, step, folder, cast(Format, format_), _is_whole)
    _show_steps(steps, output)


def _is_whole(month: retention.Month) -> bool:
    until = int(month.end.timestamp() * 1000)
    with database("guard_auditor") as engine, reading(engine) as connection:
        return not verify_all(connection, published_anchors(), public_keys(None), Window(until=until)).found


@app.command("metrics")
def workflow_metrics(since: Since = None, until: Until = None, output: StreamOption = Stream.table) -> None:
    """Print how well the guard works in a period, by default the last 30 days."""
    end = instant(until, "--until") or int(datetime.now(UTC).timestamp() * 1000)
    start = instant(since, "--since") or end - 30 * 86_400_000
    period = [datetime.fromtimestamp(at / 1000, UTC) for at in (start, end)]
    with database("guard_auditor") as engine, reading(engine) as connection:
        taken = measures.take(connection, *period)
    rows = [
        {
            "measure": measure.name,
            **({"figures": _figures(taken[measure.name])} if output is Stream.table else dict(taken[measure.name])),
            "target": measure.target,
            "meaning": measure.meaning,
            "sql": measure.query.strip(),
        }
        for measure in measures.MEASURES
    ]
    show(rows, output, ("measure", "figures", "target"))


def _figures(taken: measures.Taken) -> str:
    return ", ".join(f"{name} {_figure(value)}" for name, value in taken.items())


def _figure(value: object) -> str:
    return "-" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
