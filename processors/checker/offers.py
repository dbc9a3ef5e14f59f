"""Versions of one thing that are on offer, parsed once and then compared with any number of ranges."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from processors.events.subject import Provision
from processors.versions import Interval, Range, Version
from processors.versions.model import ON, Key, Release


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
        return self._readable[admitted] if self._readable else self._unreadable

    def fit(self, range: Range) -> bool:
        """Whether the range admits one of them."""
        return any(True for _ in self._admitted(range))

    def may_fit(self, range: Range) -> bool:
        """As `fit`, but a version that cannot be read counts as admitted."""
        return len(self._readable) < len(self._texts) or self.fit(range)

    def _admitted(self, range: Range) -> Iterator[int]:
        """For each interval of the range, the index of the newest admitted version, if there is one."""
        for interval in range.intervals:
            start = bisect_left(self._keys, interval.lower[:2])
            end = bisect_left(self._keys, interval.upper[:2])
            newest = max((_before(end, of_kind) for of_kind in self._welcome(interval)), default=-1)
            if newest >= start:
                yield newest

    def _welcome(self, interval: Interval) -> Iterator[Sequence[int]]:
        """The indexes of the versions that the pre-release rule of an interval lets pass, in several lists."""
        if interval.releases:
            yield self._releases
        if interval.prereleases is None:
            yield self._prereleases
        else:
            yield from (
                self._candidates[release] for release in interval.prereleases if release in self._candidates
            )

    @cached_property
    def _readable(self) -> list[Offer]:
        """Oldest first. Of two spellings of one version, the alphabetically first one comes last."""
        offers = (Offer(text, self._read(text)) for text in sorted(self._texts, reverse=True))
        return sorted((offer for offer in offers if offer.version is not None), key=_key)

    @cached_property
    def _releases(self) -> list[int]:
        return [n for n, offer in enumerate(self._readable) if offer.version and not offer.version.is_prerelease]

    @cached_property
    def _prereleases(self) -> list[int]:
        return [n for n, offer in enumerate(self._readable) if offer.version and offer.version.is_prerelease]

    @cached_property
    def _candidates(self) -> Mapping[Release, list[int]]:
        """The indexes of pre-releases, by the release that they precede."""
        found: dict[Release, list[int]] = {}
        for n in self._prereleases:
            version = self._readable[n].version
            if version is not None:
                found.setdefault(version.release, []).append(n)
        return found

    @cached_property
    def _unreadable(self) -> Offer:
        return Offer(min(self._texts), None)

    @cached_property
    def _keys(self) -> list[tuple[Key, int]]:
        return [_key(offer) for offer in self._readable]


def _before(end: int, indexes: Sequence[int]) -> int:
    """The last of the sorted indexes that lies before `end`; -1 if none does."""
    at = bisect_left(indexes, end)
    return indexes[at - 1] if at else -1


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
