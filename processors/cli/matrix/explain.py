"""`compat-guard matrix explain`: which rows decide about a plugin on a host, and why."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from processors.cli import tables, talk
from processors.cli.formats import Listing, ListingOption
from processors.cli.matrix.in_effect import in_effect
from processors.client.matrices import matrix_of
from processors.configuration.settings import settings
from processors.errors import SettingsInvalid, nearest, shorten
from processors.events.report import RowWeighed
from processors.events.vocabulary import Code
from processors.matrix.document import GOVERNANCE, Rule, strictness
from processors.matrix.schemes import plugin_dialect
from processors.matrix.weighing import Weighing, weigh
from processors.matrix.writing import instant
from processors.versions import Dialect


def explain(
    plugin: Annotated[str, typer.Argument(help="plugin and version, such as com.powerx.plugins.crm@0.5.0")],
    host: Annotated[str, typer.Argument(help="host and version, such as corex@1.9.0")],
    matrix: Annotated[
        list[Path] | None,
        typer.Option(
            "--matrix",
            help="matrix file; repeatable, one source each",
            show_default="the matrix in effect",
        ),
    ] = None,
    output: ListingOption = Listing.table,
) -> None:
    """Show which rows decide about a plugin on a host, and why. `check` also judges dependencies.

    Ends with 1 if the rows block the plugin there, with 0 if they allow it, with or without a warning.
    """
    now = time.time_ns() // 1_000_000
    merged = matrix_of(matrix, settings(), now) if matrix else in_effect()
    (plugin_id, version), (host_id, host_version) = _pair(plugin), _pair(host)
    merged = merged.on(host_id)
    if not merged.names_host(host_id):
        meant = nearest(host_id, merged.hosts_named)
        raise SettingsInvalid(
            f"no source names the host `{shorten(host_id)}`, so a check there is blocked; {meant}"
        )
    declared = merged.host(host_id)
    dialect = declared.dialect if declared else "npm"
    own = plugin_dialect(merged, plugin_id, Dialect(dialect), versions=(version,))
    weighing = weigh(merged, host_id, host_version, dialect, plugin_id, version, now, own)
    unlisted = "allow" if weighing.listed else merged.undeclared.matrix
    action = max(_action(weighing), unlisted, key=strictness)
    if output is Listing.json:
        typer.echo(json.dumps(_as_json(weighing, action)))
    else:
        _show(weighing, action)
    raise typer.Exit(1 if action == "block" else 0)


def _action(weighing: Weighing) -> str:
    """What a check derives from the rows: the strictest of them, without what governance overrides by its code.

    Governance overrides neither its own rows nor unreadable ones.
    """
    if weighing.broken or weighing.override_of(Code.MATRIX_BLOCK) is None:
        return weighing.action
    return max(map(_loosened, weighing.decisive), key=strictness, default="allow")


def _loosened(rule: Rule) -> str:
    return "warn" if rule.action == "block" and rule.source != GOVERNANCE else rule.action


def _pair(text: str) -> tuple[str, str]:
    name, _, version = text.rpartition("@")
    if not name or not version:
        raise SettingsInvalid(f"expected a name and a version such as corex@1.9.0, found `{shorten(text)}`")
    return name, version


def _show(weighing: Weighing, action: str) -> None:
    if weighing.rows:
        tables.show(("", "row", "action", "is about", "why"), map(_weighed, weighing.rows))
    for rule, error in weighing.broken:
        talk().print(Text(f"{rule.source}#{rule.row} blocks, because it cannot be read: {error}"))
    typer.echo(action if weighing.listed else f"{action}; {_unlisted(weighing)}, so `undeclared.matrix` decides")


def _unlisted(weighing: Weighing) -> str:
    if weighing.count or weighing.broken:
        return "no source that speaks for this plugin mentions this release"
    return "no row mentions this release"


def _weighed(row: RowWeighed) -> Sequence[str]:
    return ("decides" if row.decisive else "", f"{row.source}#{row.row}", row.action, row.says, row.why)


def _as_json(weighing: Weighing, action: str) -> dict[str, Any]:
    return {
        "action": action,
        "listed": weighing.listed,
        "count": weighing.count,
        "rows": [asdict(row) for row in weighing.rows],
        "overrides": [
            {"row": f"{rule.source}#{rule.row}", "what": o.what, "why": o.why, "until": instant(o.until)}
            for rule, o in weighing.overrides
        ],
        "broken": [{"row": f"{rule.source}#{rule.row}", "why": str(error)} for rule, error in weighing.broken],
    }
