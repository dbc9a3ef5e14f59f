"""Slips of whoever asks: a version that was mistyped is no fact about the plugin, and no block.

What has no digit, or is a step away from a version, is a slip. Anything else may be what a program really reports:
that is judged, and people may except it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from processors.checker.case import readable
from processors.errors import SettingsInvalid, shorten
from processors.events.report import Finding
from processors.events.subject import Host, Provision
from processors.events.vocabulary import Code, Dimension
from processors.versions import Dialect, scheme_of

_LEFT_OUT: Final = ("", ".0", ".0.0")
"""What is missing at the end of a version that is too short for its dialect."""


def refuse_mistyped(option: str, there: Iterable[Provision]) -> None:
    """Raises SettingsInvalid that names the first runtime or database whose version is a slip."""
    for provision in there:
        _refuse(option, provision.id, provision.version, scheme_of(provision.id))


def refuse_mistyped_host(host: Host, findings: Iterable[Finding]) -> None:
    """Raises SettingsInvalid where a report could not read the version of its host, and that version is a slip.

    Only the matrix knows how a host writes versions; a report has met it.
    """
    for finding in findings:
        found = (finding.code, finding.dimension, finding.found)
        if found == (Code.VERSION_UNREADABLE, Dimension.HOST, host.version):
            _refuse("--host", host.name, host.version, Dialect(finding.required.constraint))


def refuse_mistyped_before(host: Host, dialect_of: Callable[[str], Dialect | None]) -> None:
    """The same before anybody is asked, so that a slip leaves no block behind.

    `dialect_of` looks up how a host writes versions, None where nobody can say. Versions in three parts, as most
    are written, need no look.
    """
    if readable(host.version, Dialect.NPM) is None and (dialect := dialect_of(host.name)) is not None:
        _refuse("--host", host.name, host.version, dialect)


def _refuse(option: str, name: str, version: str, dialect: Dialect) -> None:
    if readable(version, dialect) is not None:
        return
    bare = version.strip().removeprefix("v").rstrip(".")
    meant = next((bare + rest for rest in _LEFT_OUT if readable(bare + rest, dialect) is not None), None)
    if meant is None and any(character.isdigit() for character in version):
        return
    way_out = f"did you mean {name}@{meant}?" if meant else f"name the version that `{shorten(name)}` reports"
    raise SettingsInvalid(f"{option} `{shorten(f'{name}@{version}')}` states no version; {way_out}")
