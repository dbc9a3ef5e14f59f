"""A cache of bounded size, in two generations."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Memory(Generic[K, V]):
    """Values by keys, which are mostly bytes.

    Bounded in bytes, because requesters decide how long a question is. When the young generation is full it becomes
    the old one, and entries of the old one that were not asked for since are dropped. `kept` is the limit of each.
    """

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._young: dict[K, tuple[V, int]] = {}
        self._old: dict[K, tuple[V, int]] = {}
        self._sizes = [0, 0]

    def get(self, key: K) -> V | None:
        found = self._young.get(key)
        if found is None:
            found = self._old.get(key)
            if found is None:
                return None
            self.keep(key, *found)
        return found[0]

    def keep(self, key: K, value: V, size: int) -> None:
        """`size` is what key and value take together, in bytes."""
        if self._sizes[0] + size > self._kept:
            self._young, self._old = {}, self._young
            self._sizes = [0, self._sizes[0]]
        self._young[key] = value, size
        self._sizes[0] += size

    def clear(self) -> None:
        self._young, self._old, self._sizes = {}, {}, [0, 0]

    def held(self) -> int:
        """The bytes that both generations hold, by the sizes given."""
        return sum(self._sizes)
