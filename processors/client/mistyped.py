"""Detects mistyped versions in a request: they are not facts about the plugin, and must not lead to a block.

A text without a digit, or one small change away from a version, is mistyped. Anything else may be what a program
really reports: that is judged, and an exception may cover it.
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
"""The missing end of a version that is too short for its dialect."""


def refuse_mistyped(option: str, there: Iterable[Provision]) -> None:
    """Raises SettingsInvalid that names the first runtime or database with a mistyped version."""
    for provision in there:
        _refuse(option, provision.id, provision.version, scheme_of(provision.id))


def refuse_mistyped_host(host: Host, findings: Iterable[Finding]) -> None:
    """Raises SettingsInvalid if a report could not read the version of its host, and that version is mistyped.

    Only the matrix knows the host's dialect, which the report contains.
    """
    for finding in findings:
        found = (finding.code, finding.dimension, finding.found)
        if found == (Code.VERSION_UNREADABLE, Dimension.HOST, host.version):
            _refuse("--host", host.name, host.version, Dialect(finding.required.constraint))


def refuse_mistyped_before(host: Host, dialect_of: Callable[[str], Dialect | None]) -> None:
    """The same before a request is sent, so that a mistake does not lead to a block.

    `dialect_of` looks up the dialect of a host, None if it is unknown. Versions with three parts, the usual form,
    need no look-up.
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
