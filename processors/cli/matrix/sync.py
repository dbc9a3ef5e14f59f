"""`compat-guard matrix sync`: updates the guard's matrix from its sources. For CI/CD."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from processors.cli import tables
from processors.cli.formats import Listing, ListingOption
from processors.cli.matrix.signing import Key
from processors.configuration import guard as guard_config
from processors.configuration.guard import SourceConfig, Sync
from processors.configuration.settings import Settings, settings
from processors.errors import GuardError, MatrixRefused, SettingsInvalid
from processors.matrix.document import MatrixDocument
from processors.matrix.fold import MOST_AHEAD
from processors.matrix.lint import errors
from processors.matrix.lint import lint as notices_of
from processors.matrix.merged import Matrix, Source
from processors.matrix.writing import instant
from processors.trust.sources import LONGEST_VALIDITY, Trust


class Step(StrEnum):
    """What is done with a source."""

    NEW = "new"
    CHANGED = "changed"
    RENEWED = "renewed"
    UNCHANGED = "unchanged"
    FAILED = "failed"


PUBLISHED = frozenset({Step.NEW, Step.CHANGED, Step.RENEWED})


class Line(NamedTuple):
    """One source's outcome, as it is shown. `code` is its contribution to the exit code."""

    source: str
    step: Step
    revision: str = ""
    why: str = ""
    code: int = 0


def sync(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="fetch, check and compare, and publish nothing")
    ] = False,
    only: Annotated[list[str] | None, typer.Option("--only", help="this source; may be repeated")] = None,
    cache: Annotated[
        Path | None, typer.Option(help="folder for what was fetched; default: the user's cache folder")
    ] = None,
    key: Key = None,
    output: ListingOption = Listing.table,
) -> None:
    """Fetch every source of config/guard.yaml, check it, sign it, and publish it if it has changed.

    An unchanged source is published again once it has used up half of its allowed age (`renew_at`), which renews
    its expiry. A failing source does not stop the others. Ends with 0 if all is well, 2 if a source is refused, 3
    if one does not answer.
    """
    from processors.bootstrap.trust import matrix_trust  # noqa: PLC0415 - as the two below
    from processors.client.matrix_sources import Sources  # noqa: PLC0415 - lint needs neither cryptography nor Kafka
    from processors.client.matrix_topic import read_matrix  # noqa: PLC0415

    of = settings()
    plan = guard_config.load(of.config).sync
    if not plan.sources:
        raise SettingsInvalid(f"`{of.config / guard_config.FILE}` lists no source under `sync.sources`")
    sources = Sources(of.config, cache or _cache())
    matrix, trust = read_matrix(of)[0].snapshot(), matrix_trust(of)
    publish = _publisher(of, key, dry=dry_run)
    lines = list(outcomes(_chosen(plan, only), sources.read, matrix, trust, plan.renew_at, publish))
    _show(lines, output)
    raise typer.Exit(max((line.code for line in lines), default=0))


def outcomes(
    sources: Sequence[SourceConfig],
    read: Callable[[SourceConfig], MatrixDocument],
    matrix: Matrix,
    trust: Trust,
    renew_at: int,
    publish: Callable[[MatrixDocument, int], object],
) -> Iterator[Line]:
    """Process the sources one by one; an error of one becomes its line."""
    standing = {source.name: source for source in matrix.sources}
    for source in sources:
        try:
            now = time.time_ns() // 1_000_000
            document = _sound(read(source), now)
            longest = trust.of(source.name).longest_validity
            step = step_of(document, standing.get(source.name), renew_at, now, longest)
            if step in PUBLISHED:
                publish(document, now if document.published_at is None else document.published_at)
            yield Line(source.name, step, document.revision)
        except GuardError as error:
            yield Line(source.name, Step.FAILED, why=str(error), code=error.exit_code)


def step_of(
    document: MatrixDocument, standing: Source | None, renew_at: int, now: int, longest: int = LONGEST_VALIDITY
) -> Step:
    """What to do with a document, given the source's document in effect, which is valid for `longest` (ms). Pure.

    Digests do not cover times and revisions, so those are compared separately. A document that states its own time
    of issue cannot be renewed by us: its publisher has to.

    Raises MatrixRefused for a document that was issued before the one in effect: it is outdated.
    """
    if standing is None:
        return Step.NEW
    if document.published_at is not None and document.published_at < standing.issued_at:
        raise MatrixRefused(
            f"it was issued at {instant(document.published_at)}, before what is in effect, which was issued at "
            f"{instant(standing.issued_at)}; whoever serves it has an old one"
        )
    life, lasts = standing.expires_at - standing.issued_at, min(document.expires_after, longest)
    if (document.digest, document.revision, lasts) != (standing.digest, standing.revision, life):
        return Step.CHANGED
    if document.published_at is not None:
        return Step.RENEWED if document.published_at > standing.issued_at else Step.UNCHANGED
    return Step.RENEWED if now >= standing.issued_at + life * renew_at // 100 else Step.UNCHANGED


def _sound(document: MatrixDocument, now: int) -> MatrixDocument:
    if found := errors(notices_of(document, now)):
        raise MatrixRefused("; ".join(f"{notice.where}: {notice.message}" for notice in found))
    if document.published_at is not None and document.published_at + document.expires_after <= now:
        raise MatrixRefused("it has expired already, by its own `published_at`; its publisher must issue it again")
    if document.published_at is not None and document.published_at > now + MOST_AHEAD:
        raise MatrixRefused(
            f"its `published_at` lies in the future, at {instant(document.published_at)}, and would shut out later "
            f"ones; its publisher must correct it"
        )
    return document


def _publisher(of: Settings, key: Path | None, *, dry: bool) -> Callable[[MatrixDocument, int], object]:
    from processors.client.matrix_topic import publish_matrix  # noqa: PLC0415 - as above

    if dry:
        return lambda _document, _issued_at: None
    return lambda document, at: publish_matrix(of, document, at, key=key)


def _chosen(plan: Sync, only: Sequence[str] | None) -> Sequence[SourceConfig]:
    names = [source.name for source in plan.sources]
    for name in only or ():
        if name not in names:
            raise SettingsInvalid(f"no source is called `{name}`; there are: {', '.join(names) or 'none'}")
    return [source for source in plan.sources if not only or source.name in only]


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "compat-guard" / "matrix"


def _show(lines: Sequence[Line], output: Listing) -> None:
    if output is Listing.json:
        typer.echo(json.dumps([line._asdict() for line in lines]))
        return
    columns = ("source", "what", "revision", "why")
    tables.show(columns, [(line.source, line.step, line.revision, line.why) for line in lines])
