"""Gives one answer to all questions that differ only in plugins that make no difference.

A bystander is an installed plugin without relations: neither it nor the catalogue names another plugin or interface
that it needs, uses, offers or conflicts with, and no plugin that has such relations names it. Its presence cannot
change the answer about a plugin that is allowed; a property test compares this with the check.

Only plain ALLOWs are kept, because the search for ways out of a block considers everything that is installed.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Any, Final, NamedTuple

from processors.checker.case import default_dialect_of
from processors.checker.host_provisions import with_plain_ids
from processors.checker.memo import Answered
from processors.checker.memory import Memory
from processors.checker.parts import KnownParts, Parts
from processors.checker.relations import MOST_NAMED, named_through, relations_of, states_at_most
from processors.documents.canonical import digest_of
from processors.events.subject import Manifest, Subject
from processors.events.vocabulary import Verdict
from processors.matrix.merged import Matrix
from processors.policies import NO_POLICIES, Policies
from processors.versions import Dialect

KEPT: Final = 8 * 1024 * 1024
"""The most bytes of each kind of entry, in each of two generations."""

_ENTRY: Final = 1024
"""Bytes that an entry takes in addition to its texts."""

_ID: Final = 128
"""Bytes that an id takes in addition to its text."""

_DIALECTS: Final = 4
"""The most dialects, on hosts with a scope of their own, for which plugins are remembered at the same time.

The requester's kind of host chooses the dialect.
"""


class _Plugin(NamedTuple):
    """What has to be known of an installed plugin to decide whether it is a bystander."""

    id: str
    mentions: frozenset[str]
    is_silent: bool


class _Tongue(NamedTuple):
    """What decides how the versions of plugins are read. The matrix is that of the host."""

    default_dialect: Dialect
    matrix: Matrix


class _Template(NamedTuple):
    """An answer with two placeholders, for the digest of the question and the digest of the report."""

    answered: Answered
    report: tuple[bytes, bytes]
    said: tuple[bytes, bytes]

    def filled(self, subject: bytes) -> Answered:
        report = self.report[0] + digest_of(subject).encode() + self.report[1]
        digest = digest_of(report)
        said = self.said[0] + digest.encode() + self.said[1]
        return self.answered._replace(report=report, digest=digest, said=said)


class Bystanders:
    """Plain ALLOWs, by everything that they depend on.

    An answer from here equals the answer of `check` byte for byte.
    """

    def __init__(self, parts: KnownParts, kept: int = KEPT) -> None:
        self._parts = parts
        self._seen: Memory[bytes, bool] = Memory(kept // 4)
        self._askers: Memory[bytes, tuple[_Tongue, frozenset[str]]] = Memory(kept)
        self._plugins: dict[_Tongue, Memory[bytes, _Plugin]] = {}
        self._answers: Memory[bytes, _Template] = Memory(kept)
        self._kept = kept
        self._matrix: Matrix | None = None
        self._policies: Policies = NO_POLICIES
        self._now = 0

    def answer(self, subject: bytes, matrix: Matrix, policies: Policies, now: int) -> Answered | None:
        """The remembered answer; None if the question has to be checked."""
        if matrix is not self._matrix or policies is not self._policies or now < self._now:
            self._matrix, self._policies = matrix, policies
            for memory in (self._seen, self._askers, self._answers):
                memory.clear()
            self._plugins.clear()
        self._now = now
        parts = self._parts.cut(subject)
        key = None if parts is None else self._key(parts)
        template = None if key is None else self._answers.get(key)
        return template.filled(subject) if template is not None and template.answered.holds(now) else None

    def learn(self, subject: bytes, record: Mapping[str, Any], question: Subject, answered: Answered) -> None:
        """Remember an answer under the matrix that `answer` last saw.

        `record` and `question` are `subject`, decoded.
        """
        if answered.verdict is not Verdict.ALLOW or question.together or with_plain_ids(question) is not question:
            return
        if not self._has_come_before(question.manifest):
            return
        parts = self._parts.learn(subject, record)
        template = _template(subject, answered)
        if parts is None or template is None or self._matrix is None:
            return
        tongue = _tongue(question, self._matrix)
        if not self._learn_asker(parts, question, tongue) or not self._learn_plugins(parts, question, tongue):
            return
        key = self._key(parts)
        if key is not None:
            self._answers.keep(key, template, _ENTRY + len(key) + len(answered.report) + len(answered.said))

    def _has_come_before(self, manifest: Manifest) -> bool:
        """Whether this key was seen before. A question that comes only once is not worth remembering."""
        name = f"{manifest.id} {manifest.version}".encode("utf-8", "surrogatepass")
        seen = self._seen.get(name)
        if not seen:
            self._seen.keep(name, True, _ENTRY + len(name))
        return bool(seen)

    def _key(self, parts: Parts) -> bytes | None:
        """Everything that the answer depends on, as bytes. None if a plugin is unknown or is listed twice."""
        asker = self._askers.get(parts.manifest + parts.host)
        if asker is None:
            return None
        tongue, named = asker
        known = self._plugins.get(tongue)
        if known is None:
            return None
        plugins: list[_Plugin] = []
        for piece in parts.installed:
            plugin = known.get(piece)
            if plugin is None:
                return None
            plugins.append(plugin)
        if len({plugin.id for plugin in plugins}) < len(plugins):
            return None
        speaking = [plugin.mentions for plugin in plugins if not plugin.is_silent]
        if speaking:
            named = named.union(*speaking)
        of_weight = [
            piece
            for piece, plugin in zip(parts.installed, plugins, strict=True)
            if plugin.id in named or not plugin.is_silent
        ]
        count = len(of_weight).to_bytes(2, "big")
        return b"".join((parts.manifest, parts.host, count, *of_weight, parts.rest))

    def _learn_asker(self, parts: Parts, question: Subject, tongue: _Tongue) -> bool:
        """False if the plugin names too many ids to follow."""
        named = named_through(_named_by(question.manifest), tongue.matrix)
        if named is None:
            return False
        if tongue not in self._plugins and len(self._plugins) >= _DIALECTS:
            self._plugins.clear()
        self._plugins.setdefault(tongue, Memory(self._kept // _DIALECTS))
        size = _size(len(parts.manifest) + len(parts.host), named)
        self._askers.keep(parts.manifest + parts.host, (tongue, named), size)
        return True

    def _learn_plugins(self, parts: Parts, question: Subject, tongue: _Tongue) -> bool:
        """False if one of the plugins names too many ids to follow."""
        known, matrix = self._plugins[tongue], tongue.matrix
        for piece, plugin in zip(parts.installed, question.installed, strict=True):
            if known.get(piece) is None:
                if not states_at_most(plugin, MOST_NAMED):
                    return False
                ties = relations_of(plugin, matrix, tongue.default_dialect)
                mentions = named_through(ties.mentions | ties.offers, matrix)
                if mentions is None:
                    return False
                known.keep(piece, _Plugin(plugin.id, mentions, not mentions), _size(len(piece), mentions))
        return True


def _size(bytes_: int, ids: frozenset[str]) -> int:
    """The bytes that an entry takes. An id takes its text, an object, and its slots in a set."""
    return _ENTRY + bytes_ + sum(_ID + len(id) for id in ids)


def _tongue(question: Subject, matrix: Matrix) -> _Tongue:
    host = question.host.name
    return _Tongue(default_dialect_of(question.manifest, matrix.host_dialect(host)), matrix.on(host))


def _named_by(manifest: Manifest) -> chain[str]:
    """Every id that the requested plugin names.

    Ids that the catalogue adds are followed from the plugin's own id.
    """
    return chain(
        (manifest.id, manifest.lifecycle.replacement),
        manifest.replaces,
        (one.id for one in (*manifest.requires, *manifest.conflicts, *manifest.consumes)),
        (one.id for one in (*manifest.provides, *manifest.components)),
    )


def _template(subject: bytes, answered: Answered) -> _Template | None:
    """None unless each digest occurs exactly once, in its place: otherwise it is unclear which one to replace."""
    report = answered.report.split(digest_of(subject).encode())
    said = answered.said.split(answered.digest.encode())
    if len(report) != 2 or len(said) != 2:
        return None
    return _Template(answered, (report[0], report[1]), (said[0], said[1]))
