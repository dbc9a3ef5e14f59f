"""What a source of the matrix speaks for, as config/guard.yaml states it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scope:
    """The plugins that match a pattern, on any host; and the hosts, with every plugin on them.

    In a pattern, `*` stands for any characters. An empty scope is no scope: the source speaks for nothing.
    """

    plugins: tuple[str, ...] = ()
    hosts: frozenset[str] = frozenset()
