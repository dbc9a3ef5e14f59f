"""Whatever stands on the topic of requests ends in its stable reason, and the checker answers the next good one."""

from __future__ import annotations

import gzip
import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest
from examples.checkers import Desk, a_request, a_subject, by_request
from examples.ground import eventually

from processors.configuration.settings import shipped
from processors.events.subject import Defect, Lifecycle, Requirement, Subject
from processors.events.topics import DEAD_LETTERS, EXCEPTION_REQUESTS, INSTALL_REQUESTS, RESULTS
from processors.stream.loop.dead_letters import Letter
from processors.stream.wire.codec import PREFIX_SIZE
from processors.stream.wire.schema import Schema

pytestmark = pytest.mark.stack


@pytest.fixture
def run() -> str:
    """What the keys of a test's records begin with."""
    return f"{uuid.uuid4().hex[:6]} "


Make = Callable[[Desk], bytes | None]
OURS = (shipped("schemas") / "InstallRequested.avsc").read_text("utf-8")


def raw(value: bytes | None) -> Make:
    return lambda _: value


def good(**envelope: Any) -> Make:
    return lambda desk: desk.encode(a_request(**envelope))


def altered(find: bytes, replace: bytes, **envelope: Any) -> Make:
    """A good request with some of its bytes replaced by as many others."""

    def made(desk: Desk) -> bytes:
        value = desk.encode(a_request(**envelope))
        assert value.count(find) == 1
        return value.replace(find, replace)

    return made


def in_schema_of(*fields: dict[str, Any], tail: bytes = b"") -> Make:
    """A request whose writer registered a schema with these fields before the subject."""

    def made(desk: Desk) -> bytes:
        value = desk.encode(a_request())
        return b"\0" + registered(desk, *fields).to_bytes(4, "big") + value[PREFIX_SIZE:] + tail

    return made


def registered(desk: Desk, *fields: dict[str, Any], symbols: tuple[str, ...] = ()) -> int:
    """The id of a newer schema, which the registry takes for compatible."""
    with httpx.Client(base_url=desk.guard.of.registry.url, timeout=30) as client:
        subject = f"/subjects/{INSTALL_REQUESTS}-value/versions"
        answer = client.post(subject, json={"schema": newer(*fields, symbols=symbols)})
        assert answer.status_code == 200, answer.text
        return int(answer.json()["id"])


def newer(*fields: dict[str, Any], symbols: tuple[str, ...] = ()) -> str:
    schema = json.loads(OURS)
    schema["fields"][-1:-1] = fields
    action = next(f for f in schema["fields"] if f["name"] == "action")
    action["type"]["symbols"] += symbols
    return json.dumps(schema)


TREE = {"type": "record", "name": "Tree", "fields": [{"name": "child", "type": ["null", "Tree"]}]}
RECURSIVE = {"name": "tree", "type": ["null", TREE], "default": None}
NOTHINGS = {"name": "nothings", "type": {"type": "array", "items": "null"}, "default": []}

SURROGATE = b"\xed\xa0\x80"
"""Half a character, as UTF-8 would have it."""

UNREADABLE: Mapping[str, tuple[Make, str]] = {
    "tombstone": (raw(None), "tombstone"),
    "empty": (raw(b""), "wire"),
    "three bytes": (raw(b"\0\0\0"), "wire"),
    "wrong magic": (lambda desk: b"\1" + desk.encode(a_request())[1:], "wire"),
    "json": (raw(b'{"request_id": "1"}'), "wire"),
    "gzip": (raw(gzip.compress(b"a request")), "wire"),
    "unknown schema": (raw(b"\0\x7f\xff\xff\xffabc"), "schema"),
    "schema of another subject": (
        lambda desk: desk.guard.codec.encoder(EXCEPTION_REQUESTS, "ExceptionRequested").look_up() + b"abc",
        "schema",
    ),
    "recursive schema": (in_schema_of(RECURSIVE, tail=b"\2" * 5000), "schema"),
    "array of nothings": (in_schema_of(NOTHINGS, tail=b"\xfe\xff\xff\xff\x0f"), "schema"),
    "trailing bytes": (lambda desk: desk.encode(a_request()) + b"\0", "body"),
    "cut off in the subject": (lambda desk: desk.encode(a_request())[:-3], "body"),
    "cut off in the envelope": (lambda desk: desk.encode(a_request())[:30], "body"),
    "only an envelope": (
        lambda desk: desk.encode(a_request())[: -len(desk.encode.tail(a_request()["subject"]))],
        "body",
    ),
    "invalid utf-8 in the request id": (altered(b"abcde", b"ab\xffde", request_id="abcde"), "body"),
    "invalid utf-8 in the tenant": (altered(b"acme\x0a", b"ac\xffe\x0a"), "body"),
    "invalid utf-8 in the plugin": (altered(b"com.acme.crm", b"com\xffacme.crm"), "body"),
    "half a character": (altered(b"abcde", b"a" + SURROGATE + b"e", tenant="abcde"), "body"),
    "negative enum index": (altered(b"cluster-9\2", b"cluster-9\1", target="cluster-9"), "body"),
    "enum index beyond": (altered(b"cluster-9\2", b"cluster-9\x7e", target="cluster-9"), "body"),
    "negative union index": (altered(b"\2\nabcde", b"\1\nabcde", exception_id="abcde"), "body"),
    "union index beyond": (altered(b"\2\nabcde", b"\6\nabcde", exception_id="abcde"), "body"),
    "a text of negative length": (altered(b"\x0aabcde", b"\x09abcde", tenant="abcde"), "body"),
    "no request id": (good(request_id=""), "envelope"),
    "an endless request id": (good(request_id="x" * 900_000), "envelope"),
    "an endless exception id": (good(exception_id="x" * 900_000), "envelope"),
    "an endless tenant": (good(tenant="x" * 900_000), "envelope"),
    "too large": (raw(b"\0" * 1_000_001), "size"),
}


def quarantined(desk: Desk, run: str) -> Mapping[str, Letter]:
    """Dead letters of this run by what they are, once the checker has done all that there is."""
    eventually(lambda: desk.unanswered() == 0)
    desk.ground.wait_for_open_transactions(DEAD_LETTERS, RESULTS)
    found: dict[str, Letter] = {}
    for letter in desk.letters():
        key = (letter.record.key or b"").decode(errors="replace")
        if key.startswith(run):
            assert key not in found, "quarantined twice"
            found[key.removeprefix(run)] = letter
    return found


def test_whatever_cannot_be_read_is_a_dead_letter_with_its_reason(desk: Desk, run: str) -> None:
    """All of it at once, with its bytes and headers; a good request behind it is answered."""
    values = {name: make(desk) for name, (make, _) in UNREADABLE.items()}
    for name, value in values.items():
        desk.guard.send(INSTALL_REQUESTS, run + name, value, headers=[("traceparent", b"00-1")])

    assert desk.ask(a_request()).result["verdict"] == "ALLOW"

    found = quarantined(desk, run)
    assert {n: letter.stage for n, letter in found.items()} == {n: stage for n, (_, stage) in UNREADABLE.items()}
    for name, letter in found.items():
        assert (letter.reason, letter.processor, letter.topic) == ("unreadable", "checker", INSTALL_REQUESTS)
        value = values[name]
        assert letter.record.value == (value[:1000] if letter.truncated and value else value)
        assert letter.truncated or ("traceparent", b"00-1") in letter.record.headers


def test_poison_among_good_records_delays_nobody(desk: Desk, run: str) -> None:
    """499 of 500 are answered in their order, and the one is a dead letter."""
    requests = [a_request() for _ in range(500)]
    values = [desk.encode(request) for request in requests]
    values[250] = values[250][:-1]
    desk.ground.write(INSTALL_REQUESTS, [(run.encode(), value) for value in values])

    assert list(quarantined(desk, run)) == [""]
    asked = [request["request_id"].encode() for n, request in enumerate(requests) if n != 250]
    answers = [record for record in desk.ground.read(RESULTS) if record.key in set(asked)]
    assert sorted(record.key or b"" for record in answers) == sorted(asked)
    for partition in range(6):  # results are spread by request id, and keep the order of what was asked
        here = [asked.index(record.key or b"") for record in answers if record.partition == partition]
        assert here == sorted(here)


LOTS = 10_000
ODD: Mapping[str, tuple[Subject, str, set[str]]] = {
    "a name of 1 MB": (a_subject(name="x" * 900_000), "ALLOW", set()),
    "an id that takes half of it": (a_subject("x" * 400_000), "BLOCK", {"MANIFEST_INVALID", "MATRIX_UNLISTED"}),
    "a version of 1 MB": (a_subject(version="1" * 900_000), "BLOCK", {"MANIFEST_INVALID"}),
    "a range of 1 MB": (a_subject(host_range="x" * 900_000), "BLOCK", {"CONSTRAINT_INVALID"}),
    "a million alternatives": (a_subject(host_range="||".join([">=1"] * 180_000)), "BLOCK", {"CONSTRAINT_INVALID"}),
    "support until 2^62": (a_subject(lifecycle=Lifecycle(sunset_at=2**62)), "ALLOW", set()),
    "support until -2^62": (a_subject(lifecycle=Lifecycle(sunset_at=-(2**62))), "BLOCK", {"LIFECYCLE_SUNSET"}),
    "10,000 dependencies": (
        a_subject(requires=tuple(Requirement(f"com.acme.{n:070}", ">=1.0.0") for n in range(LOTS))),
        "BLOCK",
        {"DEPENDENCY_MISSING"},
    ),
    "dependencies with long ids": (
        a_subject(requires=tuple(Requirement(f"com.acme.{n:0191}") for n in range(4_600))),
        "BLOCK",
        {"DEPENDENCY_MISSING"},
    ),
    "10,000 runtimes": (
        a_subject(runtimes=tuple(Requirement(f"runtime-{n}", ">=1") for n in range(LOTS))),
        "WARN",
        {"RUNTIME_UNDECLARED"},
    ),
    "10,000 defects": (
        a_subject(defects=tuple(Defect(f"requires.{n}", "a number") for n in range(LOTS))),
        "BLOCK",
        {"MANIFEST_INVALID"},
    ),
}


def test_whatever_can_be_read_is_answered(desk: Desk) -> None:
    """However large or odd: with a verdict that fits on the topic, never with a dead letter alone."""
    requests = {name: a_request(subject) for name, (subject, _, _) in ODD.items()}
    desk.hand_in(*requests.values())

    answers = {name: desk.answers(request["request_id"]) for name, request in requests.items()}

    assert {n: (a.result["verdict"], a.codes) for n, a in answers.items()} == {
        name: (verdict, codes) for name, (_, verdict, codes) in ODD.items()
    }
    assert {name: len(answer.blocks) for name, answer in answers.items()} == {
        name: int(verdict == "BLOCK") for name, (_, verdict, _) in ODD.items()
    }
    assert all(len(answer.result["report"]["findings"]) <= 1_000 for answer in answers.values())


def test_more_conflicts_than_an_answer_can_hold_are_counted(desk: Desk) -> None:
    """The risk and the verdict come from all of them, and the answer says how many it does not list."""
    subject = ODD["10,000 dependencies"][0]

    report = desk.ask(a_request(subject)).result["report"]

    assert "9999 more findings" in report["summary"]
    assert str(LOTS - len(report["findings"])) in report["remediation_note"]


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([("traceparent", b"0" * 1_040_000)], id="a trace of 1 MB"),
        pytest.param([("ce_id", b"x" * 1_000_000)], id="an id of 1 MB"),
        pytest.param([(f"h{n}", b"x") for n in range(20_000)], id="20,000 of them"),
    ],
)
def test_huge_headers_are_not_passed_on(desk: Desk, headers: list[tuple[str, bytes]]) -> None:
    """What fits on the topic of requests must not be answered by something that does not fit on that of results."""
    request = a_request()

    assert desk.ask(request, headers=headers).result["verdict"] == "ALLOW"

    (answer,) = by_request(desk.ground.read(RESULTS))[request["request_id"].encode()]
    assert sum(len(value or b"") for _, value in answer.headers) < 1_000


def test_texts_that_no_one_can_see_are_passed_on_as_they_are(desk: Desk) -> None:
    """NUL and text that runs backwards are texts to Avro; who asks and the report keep them."""
    request = a_request(tenant="ac\0me", operator="ali\u202ece", requested_at=2**62)

    result = desk.ask(request).result

    assert (result["tenant"], result["operator"], result["verdict"]) == ("ac\0me", "ali\u202ece", "ALLOW")


def test_a_request_that_is_sent_again_has_the_same_answer(desk: Desk) -> None:
    """And the same request id with another question has another one."""
    request, other = a_request(), a_request(a_subject("com.acme.chat"))
    other["request_id"] = request["request_id"]
    desk.hand_in(request, request, other)

    results = desk.answers(request["request_id"], count=3).results

    by_plugin = {plugin: {r["result_id"] for r in results if r["plugin_id"] == plugin} for plugin in PLUGINS}
    assert len(results) == 3
    assert [len(ids) for ids in by_plugin.values()] == [1, 1]
    assert not by_plugin["com.acme.crm"] & by_plugin["com.acme.chat"]


PLUGINS = ("com.acme.crm", "com.acme.chat")
URGENCY = {"name": "urgency", "type": "string", "default": "none"}


def test_a_newer_writer_gets_the_same_answer(desk: Desk) -> None:
    """A field more, and an action that we do not know: read as our schema sees it, with the same report."""
    schema = Schema.read(newer(URGENCY, symbols=("REINSTALL",)))
    prefix = b"\0" + registered(desk, URGENCY, symbols=("REINSTALL",)).to_bytes(4, "big")
    request = a_request(a_subject(host_range=">=3.0.0"))
    theirs = {**request, "request_id": str(uuid.uuid4()), "urgency": "high", "action": "REINSTALL"}

    ours = desk.ask(request).result
    desk.guard.send(INSTALL_REQUESTS, "com.acme.crm", prefix + schema.encode(theirs))
    result = desk.answers(theirs["request_id"]).result

    assert result["action"] == "UNKNOWN"
    assert (result["verdict"], result["report_digest"]) == ("BLOCK", ours["report_digest"])
