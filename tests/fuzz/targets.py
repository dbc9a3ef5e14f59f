"""What reads bytes that strangers write. Each target takes any bytes, and raises nothing but our own refusals.

A corpus is what honest writers send, and what has been found; it is made here, so that nothing has to be kept in
step with it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import yaml
from contract.test_processors import CASES
from examples.exceptions import ALICE, BOB, NOON, claims, command_claims, keys, policy, sign

from processors.configuration import guard
from processors.configuration.settings import shipped
from processors.contracts.topics import read_topics
from processors.documents import json_text
from processors.errors import EventUnreadable, GuardError
from processors.events.exceptions import ProofKind
from processors.exception_workflow.proof.token import Proof
from processors.exception_workflow.proof.verify import verify
from processors.exception_workflow.rules.reasons import Objection
from processors.manifests.lint import lint
from processors.manifests.read import read_manifest
from processors.matrix.text import inspect_matrix
from processors.relay import config as relay
from processors.relay.targets.answers import reply_to
from processors.stream.wire.codec import Codec
from processors.stream.wire.schema import Schemas

MANIFESTS = sorted((Path(__file__).parents[1] / "data" / "manifests").iterdir())
FIELD = yaml.safe_load((Path(__file__).parents[1] / "data" / "field_manifests.yaml").read_text("utf-8"))
MODS = b'modLoader="javafml"\n[[mods]]\nmodId="a"\nversion="1.0"\n[[dependencies.a]]\nmodId="b"\ntype="required"\n'
DESCRIPTOR = b'name=a\nversion=1.0.0.0\nextended.plugins=b;optional=true\ndependencies={ opensearch: "~2.19" }\n'
FOUND = (
    ("info.xml", b'<?xml version="1.0" encoding="foo"?><info><id>a</id></info>'),
    ("plugin.xml", b'<?xml version="1.0" encoding="shift_jis"?><idea-plugin><id>a</id></idea-plugin>'),
    ("mods.toml", b"a = 0x" + b"f" * 5_000),
    ("mods.toml", b"a = " + b"1" * 5_000),
    ("mods.toml", b"a" + b".a" * 1_000 + b" = 1"),
    ("a.properties", b"name=a\nversion=1.0\ndependencies=" + b"[" * 1_020),
)
"""What once was no refusal of ours, or took all of a machine's memory: a seed of others like it."""

NAMES = sorted(
    {path.name.partition(".")[2] if path.suffix else path.name for path in MANIFESTS}
    | {row["file"] for row in FIELD}
    | {"plugin.xml", "mods.toml", "a.properties", "readme.txt", "info.xml"}
)
EVENTS = [t for t in read_topics((shipped("config") / "topics.yaml").read_bytes()).topics if t.event]
SCHEMAS = Schemas.load(shipped("schemas"))

KNOWN = 100
"""Ids up to this one are registered: a decoder keeps what it has looked up, and a registry has an end."""


class OurIds:
    """A registry in which the ids of writers stand for the schema of the topic that is asked about."""

    def __init__(self) -> None:
        self._texts = {topic.subject: SCHEMAS[topic.event or ""].text for topic in EVENTS}

    def id_of(self, subject: str, text: str) -> int:
        return 1

    def writer(self, subject: str, schema_id: int) -> str:
        if schema_id > KNOWN:
            raise EventUnreadable("schema", f"schema {schema_id} is not registered under `{subject}`")
        return self._texts[subject]


CODEC = Codec(SCHEMAS, OurIds())
DECODERS = {topic.name: CODEC.decoder(topic.name, topic.event or "") for topic in EVENTS}
TOPICS = sorted(DECODERS)


@dataclass(frozen=True)
class Target:
    name: str
    read: Callable[[bytes], object]
    corpus: Callable[[], Iterable[bytes]]

    def __call__(self, data: bytes) -> None:
        """Raises whatever is no refusal of ours: a fault."""
        with suppress(GuardError, Objection):
            self.read(data)


def _codec(data: bytes) -> object:
    """The first byte chooses a topic; what it holds is read as its event."""
    return DECODERS[TOPICS[data[0] % len(TOPICS)]](data[1:]) if data else None


def _codec_corpus() -> Iterable[bytes]:
    for case in CASES:
        for record in case.records:
            if record.topic in TOPICS and record.value:
                yield bytes([TOPICS.index(record.topic)]) + record.value


def _manifest(data: bytes) -> object:
    """The first byte chooses the name of the file."""
    if not data:
        return None
    name = NAMES[data[0] % len(NAMES)]
    lint(data[1:], name)
    return read_manifest(data[1:], name)


def _manifest_corpus() -> Iterable[bytes]:
    for path in MANIFESTS:
        known = path.name.partition(".")[2] if path.suffix else path.name
        yield bytes([NAMES.index(known)]) + path.read_bytes()
    field = ((row["file"], row["text"].encode()) for row in FIELD)
    for name, data in (*field, ("mods.toml", MODS), ("a.properties", DESCRIPTOR), *FOUND):
        yield bytes([NAMES.index(name)]) + data


def _matrix(data: bytes) -> object:
    return inspect_matrix(data[1:], json=bool(data and data[0] % 2))


def _matrix_corpus() -> Iterable[bytes]:
    sample = (shipped("config") / "compat_matrix.yaml").read_bytes()
    return [b"\0" + sample, b"\1" + b'{"version":1}', b"\0version: 1\nsource: governance\n"]


def _jws(data: bytes) -> object:
    """The first byte chooses the kind of proof; a decision may stand behind a line end."""
    kind = list(ProofKind)[data[0] % len(ProofKind)] if data else ProofKind.SERVICE_JWS
    token, _, decision = data[1:].decode("utf-8", "replace").partition("\n")
    return verify(Proof(kind, token, decision or None), policy().proof, keys(), NOON)


def _jws_corpus() -> Iterable[bytes]:
    token = sign(claims(BOB, NOON)).encode()
    command = sign(command_claims(ALICE, NOON, "sha256:" + "0" * 64), typ="compat-command+jwt").encode()
    return [b"\0" + token, b"\1" + token + b"\n" + json.dumps({"decision": "APPROVE"}).encode(), b"\0" + command]


def _webhook(data: bytes) -> object:
    """What a receiver answers, and what a configuration names for one; and any body of JSON."""
    if not data:
        return None
    choice, text = data[0] % 4, data[1:].decode("utf-8", "replace")
    match choice:
        case 0:
            return reply_to(100 + data[-1] * 2, text, NOON)
        case 1:
            return relay.parse(data[1:])
        case 2:
            return guard.parse(data[1:])
        case _:
            return json_text.load(data[1:])


def _webhook_corpus() -> Iterable[bytes]:
    folder = shipped("config")
    return [
        b"\0" + b"120",
        b"\0" + b"Wed, 21 Oct 2026 07:28:00 GMT",
        b"\1" + (folder / "relay.yaml").read_bytes(),
        b"\2" + (folder / "guard.yaml").read_bytes(),
        b"\3" + b'{"subject":{"manifest":{"id":"a"}},"n":[1,-2.5e3,null]}',
    ]


TARGETS = {
    target.name: target
    for target in (
        Target("codec", _codec, _codec_corpus),
        Target("manifest", _manifest, _manifest_corpus),
        Target("matrix", _matrix, _matrix_corpus),
        Target("jws", _jws, _jws_corpus),
        Target("webhook", _webhook, _webhook_corpus),
    )
}
