"""Reading a question whose installed plugins were read before.

Most of a question tells what is installed, and in a fleet the same plugins are installed again and again. Avro
writes what stands in a record one after the other, and a reader never looks beyond what it reads: where bytes lie
that were read as a plugin before, it reads that plugin. So only manifest, host and rest are read, and new plugins.
"""

from __future__ import annotations

from typing import Final

from processors.checker.memory import Memory
from processors.checker.parts import counted_at, named_at
from processors.errors import EventUnreadable
from processors.events.subject import InstalledPlugin, Subject
from processors.events.subject_record import installed_from_record, subject_beside, subject_from_record
from processors.stream.wire.codec import Decoder

KEPT: Final = 6 * 1024 * 1024
"""Bytes in each of two generations."""

_ENTRY: Final = 512
"""Bytes that a plugin takes beside its own."""

_OBJECTS: Final = 4
"""Bytes that values take for each byte that they were read from."""

_ALIKE: Final = 8
"""Plugins of one name and version that are told apart; who sends more of them is read as if for the first time."""


class QuestionReader:
    """Reads the question of a request from its bytes. Raises EventUnreadable, stage `body`."""

    def __init__(self, requests: Decoder, kept: int = KEPT) -> None:
        self._whole = requests.tail
        self._head, self._rest = (
            requests.tail_run_at("manifest", "host"),
            requests.tail_run_at("runtimes", "together"),
        )
        self._one = requests.part_at("installed")
        self._known: Memory[bytes, tuple[tuple[bytes, InstalledPlugin], ...]] = Memory(kept)

    def __call__(self, subject: bytes) -> Subject:
        try:
            question = self._in_pieces(subject)
        except (EventUnreadable, IndexError):
            question = None
        return subject_from_record(self._whole(subject)) if question is None else question

    def _in_pieces(self, subject: bytes) -> Subject | None:
        """None for what has to be read whole, be it unusual or no question at all."""
        head, at = self._head(subject, 0)
        counted = counted_at(subject, at)
        if counted is None:
            return None
        count, at = counted
        installed: list[InstalledPlugin] = []
        for _ in range(count):
            plugin, at = self._plugin(subject, at)
            installed.append(plugin)
        if count:
            if subject[at]:  # another block
                return None
            at += 1
        rest, end = self._rest(subject, at)
        return subject_beside(head | rest, tuple(installed)) if end == len(subject) else None

    def _plugin(self, subject: bytes, at: int) -> tuple[InstalledPlugin, int]:
        """The plugin that lies there, and where it ends."""
        named = named_at(subject, at)
        alike = () if named is None else self._known.get(named) or ()
        for piece, plugin in alike:
            if subject.startswith(piece, at):
                return plugin, at + len(piece)
        record, end = self._one(subject, at)
        plugin = installed_from_record(record)
        if named is not None:
            alike = ((subject[at:end], plugin), *alike)[:_ALIKE]
            self._known.keep(named, alike, sum(_ENTRY + _OBJECTS * len(piece) for piece, _ in alike))
        return plugin, end

    def held(self) -> int:
        """Bytes that are remembered, as far as they are counted."""
        return self._known.held()
