"""Narrowing a list down to a plugin, an installation and a state: the same form on every page that has one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Final, NamedTuple
from urllib.parse import urlencode

from fastapi import Depends, Query

LONGEST: Final = 200
"""Characters of each text."""

Text = Annotated[str, Query(max_length=LONGEST)]


class Narrowing(NamedTuple):
    """Texts that somebody looks for; empty ones narrow nothing. `state` is compared exactly, the others may stand
    anywhere in what is shown, in capitals or not."""

    plugin: str = ""
    where: str = ""
    state: str = ""

    def admits(self, plugin: Iterable[str], where: Iterable[str], state: str) -> bool:
        return (not self.state or self.state == state) and _is_in(self.plugin, plugin) and _is_in(self.where, where)

    @property
    def query(self) -> str:
        """As the end of an address; empty where it narrows nothing."""
        given = {name: text for name, text in self._asdict().items() if text}
        return f"?{urlencode(given)}" if given else ""


EVERYTHING: Final = Narrowing()


def _is_in(wanted: str, texts: Iterable[str]) -> bool:
    return not wanted or any(wanted.casefold() in text.casefold() for text in texts)


def _narrowing(plugin: Text = "", where: Text = "", state: Text = "") -> Narrowing:
    return Narrowing(plugin.strip(), where.strip(), state.strip())


Narrowed = Annotated[Narrowing, Depends(_narrowing)]
"""What the query of a page narrows its list down to."""
