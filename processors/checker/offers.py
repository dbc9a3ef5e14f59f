"""Versions of one thing that are on offer, parsed once and then compared with any number of ranges."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from processors.events.subject import Provision
from processors.versions import Range, Version
from processors.versions.model import ON, Key


class Offer(NamedTuple):
    """A version as written, and as parsed: None if it cannot be read."""

    text: str
    version: Version | None


class Offers:
    """At least one version. Parsing is lazy; the order of the texts never matters."""

    def __init__(self, texts: Iterable[str], read: Callable[[str], Version | None]) -> None:
        self._texts = set(texts)
        self._read = read

    def add(self, text: str) -> None:
        """Allowed only before the first question."""
        self._texts.add(text)

    def best(self, range: Range) -> Offer:
        """The newest version that the range admits, else the newest, else one that cannot be read."""
        admitted = max(self._admitted(range), default=-1)
        return self._readable[admitted] if self._readable else Offer(min(self._texts), None)

    def fit(self, range: Range) -> bool:
        """Whether the range admits one of them."""
        return any(True for _ in self._admitted(range))

    def may_fit(self, range: Range) -> bool:
        """As `fit`, but a version that cannot be read counts as admitted."""
        return len(self._readable) < len(self._texts) or self.fit(range)

    def _admitted(self, range: Range) -> Iterator[int]:
        """For each interval of the range, the index of the newest admitted version, if there is one."""
        for interval in range.intervals:
            at = bisect_left(self._keys, interval.upper[:2])
            while at and self._keys[at - 1] > interval.lower[:2]:
                at -= 1
                version = self._readable[at].version
                if version is not None and range.admits(version):
                    yield at
                    break

    @cached_property
    def _readable(self) -> list[Offer]:
        """Oldest first. Of two spellings of one version, the alphabetically first one comes last."""
        offers = (Offer(text, self._read(text)) for text in sorted(self._texts, reverse=True))
        return sorted((offer for offer in offers if offer.version is not None), key=_key)

    @cached_property
    def _keys(self) -> list[tuple[Key, int]]:
        return [_key(offer) for offer in self._readable]


def offers_by_id(offered: Iterable[Provision], read: Callable[[str], Version | None]) -> Mapping[str, Offers]:
    """Every version on offer, by the id under which it is offered."""
    offers: dict[str, Offers] = {}
    for provision in offered:
        known = offers.get(provision.id)
        if known is None:
            offers[provision.id] = Offers((provision.version,), read)
        else:
            known.add(provision.version)
    return offers


def _key(offer: Offer) -> tuple[Key, int]:
    """The position of a version among the bounds of ranges, which lie just below or above a key, never on it."""
    return (offer.version.key if offer.version else (), ON)
