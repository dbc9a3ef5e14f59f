"""Memory of a bounded size for what comes again and again."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Memory(Generic[K, V]):
    """Values by what they belong to, mostly bytes.

    Bounded in bytes, since whoever asks decides how long a question is: when the young generation is full it
    becomes the old one, and what was not asked for since is dropped. `kept` is what one of the two may take.
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
        """`size` is what key and value take, in bytes."""
        if self._sizes[0] + size > self._kept:
            self._young, self._old = {}, self._young
            self._sizes = [0, self._sizes[0]]
        self._young[key] = value, size
        self._sizes[0] += size

    def clear(self) -> None:
        self._young, self._old, self._sizes = {}, {}, [0, 0]

    def held(self) -> int:
        """Bytes that both generations hold, as their sizes were given."""
        return sum(self._sizes)
