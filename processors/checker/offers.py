"""Versions of one thing that are on offer, read once, so that any number of ranges can be held against them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from processors.events.subject import Provision
from processors.versions import Range, Version
from processors.versions.model import ON, Key


class Offer(NamedTuple):
    """A version as written, and as read: None where it cannot be."""

    text: str
    version: Version | None


class Offers:
    """At least one version. Nothing is read before it is asked for; the order of the texts never matters."""

    def __init__(self, texts: Iterable[str], read: Callable[[str], Version | None]) -> None:
        self._texts = set(texts)
        self._read = read

    def add(self, text: str) -> None:
        """Only while nothing has been asked."""
        self._texts.add(text)

    def best(self, range: Range) -> Offer:
        """The newest that the range admits, else the newest, else one that cannot be read."""
        admitted = max(self._admitted(range), default=-1)
        return self._readable[admitted] if self._readable else Offer(min(self._texts), None)

    def fit(self, range: Range) -> bool:
        """Whether the range admits one of them."""
        return any(True for _ in self._admitted(range))

    def may_fit(self, range: Range) -> bool:
        """As `fit`; one that cannot be read may be anything."""
        return len(self._readable) < len(self._texts) or self.fit(range)

    def _admitted(self, range: Range) -> Iterator[int]:
        """Where the newest admitted one of each stretch of the range stands; nothing for a stretch without one."""
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
        """Oldest first; of two spellings of one version the first by its text stands last."""
        offers = (Offer(text, self._read(text)) for text in sorted(self._texts, reverse=True))
        return sorted((offer for offer in offers if offer.version is not None), key=_key)

    @cached_property
    def _keys(self) -> list[tuple[Key, int]]:
        return [_key(offer) for offer in self._readable]


def offers_by_id(offered: Iterable[Provision], read: Callable[[str], Version | None]) -> Mapping[str, Offers]:
    """Every version on offer, by the id that it is offered under."""
    offers: dict[str, Offers] = {}
    for provision in offered:
        known = offers.get(provision.id)
        if known is None:
            offers[provision.id] = Offers((provision.version,), read)
        else:
            known.add(provision.version)
    return offers


def _key(offer: Offer) -> tuple[Key, int]:
    """The place of a version among the bounds of ranges, which stand before or behind a key, never on it."""
    return (offer.version.key if offer.version else (), ON)
