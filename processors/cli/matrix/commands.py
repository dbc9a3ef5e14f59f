"""`compat-guard matrix`: lint, publish, show and query the compatibility matrix."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from processors.bootstrap.scopes import scopes
from processors.cli import tables, talk
from processors.cli.formats import Contents, ContentsOption, Listing, ListingOption
from processors.cli.matrix.explain import explain
from processors.cli.matrix.importing import import_
from processors.cli.matrix.in_effect import in_effect
from processors.cli.matrix.signing import Key, Serial, keys, read_signature, shown, withdraw
from processors.cli.matrix.status import status
from processors.cli.matrix.sync import sync
from processors.client.matrices import refuse_shipped
from processors.configuration.settings import settings
from processors.documents.files import naming
from processors.documents.yaml_writing import to_yaml
from processors.errors import AccessDenied, MatrixRefused, SettingsInvalid, shorten
from processors.matrix.document import MatrixDocument
from processors.matrix.fold import MOST_AHEAD
from processors.matrix.lint import Notice, errors
from processors.matrix.lint import lint as notices_of
from processors.matrix.merged import Matrix, Source
from processors.matrix.parts import statement_of
from processors.matrix.reading import Problem, Reading
from processors.matrix.revisions import precedes, unnamed
from processors.matrix.text import inspect_matrix, load_matrix, matrix_text
from processors.matrix.uncounted import beside_governance
from processors.matrix.writing import instant, written

app = typer.Typer(
    add_completion=False,
    help="The compatibility matrix: lint, publish, sync, show and query it.",
    no_args_is_help=True,
)
app.command()(status)
app.command()(sync)
app.command()(explain)
app.command("import")(import_)
app.command()(keys)
app.command()(withdraw)


File = Annotated[Path, typer.Argument(help="matrix file, YAML or JSON", show_default=False)]


@app.command()
def lint(file: File, output: ListingOption = Listing.table) -> None:
    """Check a matrix without any server. Ends with 1 if something in it must not be published."""
    with naming(file):
        document, problems = inspect_matrix(matrix_text(file), json=file.suffix == ".json")
    found = [_notice(problem) for problem in problems] or [*notices_of(document, _now()), *_uncounted(document)]
    if output is Listing.json:
        typer.echo(json.dumps([notice._asdict() for notice in found]))
    elif found:
        tables.show(("", "where", "what"), [(_kind(notice), notice.where, notice.message) for notice in found])
    else:
        typer.echo(f"no problems in {document.rows} rows; the digest is {document.digest}")
    raise typer.Exit(1 if errors(found) else 0)


@app.command()
def publish(
    file: File,
    issued_at: Annotated[str | None, typer.Option(help="when it was issued; default: as stated, else now")] = None,
    impact: Annotated[
        bool, typer.Option("--impact", help="first show which verdicts of past requests would change, and ask")
    ] = False,
    since: Annotated[str, typer.Option("--since", help="how far --impact looks back")] = "7d",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="publish without asking; also what is older")] = False,
    key: Key = None,
    serial: Serial = None,
    signature: Annotated[
        Path | None, typer.Option("--signed", help="what `matrix sign` printed, instead of a key")
    ] = None,
    output: ListingOption = Listing.table,
) -> None:
    """Put a matrix in effect: signed, and all of its parts in one transaction, or none.

    An unchanged matrix may be published again, which renews its expiry. Ends with 2, without writing anything, if
    the guard would refuse it; with 3 if a server does not answer; with 1 if a question was answered with no: that
    of --impact, or whether to replace a newer revision.

    With access rules on the broker, --impact needs a principal with the roles `matrix-publisher` and `operator`,
    because it reads past requests and policies. Everybody else publishes without it; an operator runs `replay`.
    """
    refuse_shipped(file)
    document = _sound(file)
    issued = _issued(document, issued_at)
    for notice in _uncounted(document):
        talk().print(f"warning: {notice.where}: {notice.message}", markup=False, highlight=False)
    if impact and not _wanted_still(document, since, yes=yes):
        raise typer.Exit(1)
    if not yes and not _newer_or_wanted(document):
        raise typer.Exit(1)
    from processors.client.matrix_topic import (  # noqa: PLC0415 - lint needs no client library
        Signed,
        publish_signed,
        signed,
    )

    if signature is None:
        said = signed(settings(), document, issued, key=key, serial=serial)
    else:
        number, proof = read_signature(signature)
        said = Signed(statement_of(document, issued, number), proof)
    parts = publish_signed(settings(), document, said)
    done: dict[str, Any] = {
        "source": document.source,
        "revision": document.revision,
        "rows": document.rows,
        "parts": parts,
        "digest": document.digest,
        "issued_at": instant(issued),
        "expires_at": instant(issued + document.expires_after),
        "serial": said.statement.serial,
    }
    _show_one(done, output)


@app.command()
def sign(
    file: File,
    issued_at: Annotated[str | None, typer.Option(help="when it is issued; default: as stated, else now")] = None,
    key: Key = None,
    serial: Serial = None,
) -> None:
    """Sign a matrix without publishing it, for somebody who publishes it with `--signed`. Needs no server.

    The time of issue is signed too: the matrix must state it as `published_at`, or it must be given to both
    commands.
    """
    from processors.client.matrix_topic import signed  # noqa: PLC0415 - lint needs no client library

    document = _sound(file)
    said = signed(settings(), document, _issued(document, issued_at), key=key, serial=serial)
    typer.echo(json.dumps(shown(*said), indent=2))


@app.command()
def show(
    source: Annotated[str | None, typer.Argument(help="one source, whole; default: how each one stands")] = None,
    output: ContentsOption = Contents.table,
) -> None:
    """Show the matrix that is in effect. A source as YAML or JSON can be published again unchanged."""
    matrix = in_effect()
    if source is None:
        _show_sources(matrix, output)
        return
    document = matrix.document(source)
    if document is None:
        known = ", ".join(standing.name for standing in matrix.sources) or "none"
        raise SettingsInvalid(f"no source is called `{shorten(source)}`; there are: {known}")
    if output is Contents.table:
        _show_rows(document)
    else:
        typer.echo(_text(written(document), output), nl=False)


def _uncounted(document: MatrixDocument) -> list[Notice]:
    return beside_governance(document, scopes(settings()))


def _sound(file: Path) -> MatrixDocument:
    document = load_matrix(file)
    if found := errors(notices_of(document, _now())):
        raise MatrixRefused("\n".join(f"{file}: {notice.where}: {notice.message}" for notice in found))
    return document


def _issued(document: MatrixDocument, stated: str | None) -> int:
    """Raises SettingsInvalid for a time that readers would refuse, or that would prevent later refreshes."""
    now = _now()
    issued = now if document.published_at is None else document.published_at
    if stated is not None:
        reading = Reading()
        issued = reading.instant(stated, ("--issued-at",)) or 0
        if reading.problems:
            raise SettingsInvalid(str(reading.problems[0]))
    if issued > now + MOST_AHEAD:
        raise SettingsInvalid(f"it would be issued in the future, at {instant(issued)}, and shut out later ones")
    if issued + document.expires_after <= now:
        raise SettingsInvalid(f"issued at {instant(issued)} it has expired already; leave `published_at` out")
    return issued


def _wanted_still(document: MatrixDocument, since: str, *, yes: bool) -> bool:
    """Show on stderr what the matrix would change, and ask. Raises SettingsInvalid without an answer."""
    from processors.cli.requests.replay import measure, show  # noqa: PLC0415 - lint needs no client library

    try:
        measured = measure(settings(), [document], since)
    except AccessDenied as error:
        raise AccessDenied(
            f"--impact reads past requests and policies, and {error}; publish without --impact, and let an "
            "operator measure it with `compat-guard replay --matrix FILE`"
        ) from error
    show(measured, talk())
    return yes or _confirmed("Publish it?")


def _newer_or_wanted(document: MatrixDocument) -> bool:
    """Ask if the revision in effect is newer. Raises SettingsInvalid without an answer."""
    held = next((source.revision for source in in_effect().sources if source.name == document.source), "")
    if document.revision == unnamed(document.digest) or not precedes(document.revision, held):
        return True
    talk().print(f"revision {held} is in effect, and {document.revision} is older", style="yellow", highlight=False)
    return _confirmed("Go back to it?")


def _confirmed(question: str) -> bool:
    try:
        return typer.confirm(question, err=True)
    except typer.Abort:
        typer.echo(err=True)  # the question has no line end
        raise SettingsInvalid("the question was not answered; --yes publishes without asking") from None


def _now() -> int:
    return time.time_ns() // 1_000_000


def _notice(problem: Problem) -> Notice:
    return Notice(problem.place, problem.message, is_error=True)


def _kind(notice: Notice) -> str:
    return "error" if notice.is_error else "warning"


def _show_sources(matrix: Matrix, output: Contents) -> None:
    rows = [_summary(matrix, source) for source in matrix.sources]
    if output is not Contents.table:
        typer.echo(_text({"digest": matrix.digest, "sources": rows}, output), nl=False)
    elif rows:
        tables.show(tuple(rows[0]), [[str(value) for value in row.values()] for row in rows])
    else:
        typer.echo("no source has published a matrix")


def _summary(matrix: Matrix, source: Source) -> dict[str, Any]:
    document = matrix.document(source.name)
    return {
        "source": source.name,
        "revision": source.revision,
        "rows": document.rows if document else 0,
        "issued_at": instant(source.issued_at),
        "expires_at": instant(source.expires_at),
        "state": "expired" if source in matrix.expired(_now()) else "in effect",
        "digest": source.digest,
    }


def _show_rows(document: MatrixDocument) -> None:
    rules = [
        (
            str(r.row),
            r.plugin,
            _bounds(r.min_version, r.max_version),
            f"{r.host} {r.host_range}",
            r.action,
            r.notes,
        )
        for r in document.rules
    ]
    tables.show(("row", "plugin", "versions", "host", "action", "notes"), rules)
    releases = [
        (str(r.row), r.plugin, r.version, ", ".join(f"{host} {range}" for host, range in r.hosts.items()))
        for r in document.releases
    ]
    tables.show(("row", "plugin", "release", "hosts"), releases)


def _bounds(lowest: str | None, highest: str | None) -> str:
    return f"{lowest or ''} .. {highest or ''}" if lowest or highest else "any"


def _text(values: dict[str, Any], form: Contents) -> str:
    return to_yaml(values) if form is Contents.yaml else json.dumps(values, ensure_ascii=False) + "\n"


def _show_one(values: dict[str, Any], output: Listing) -> None:
    if output is Listing.json:
        typer.echo(json.dumps(values))
    else:
        tables.show(("", ""), [(name, str(value)) for name, value in values.items()], header=False)
