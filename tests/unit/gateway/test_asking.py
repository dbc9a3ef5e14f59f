"""Answers come when they like: before the broker's report, twice, or to another question. The first one to the very
question counts."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import pytest
from contract.case import NOON, FixedView, record
from examples.checkers import a_subject
from examples.matrices import a_document
from examples.sealing import SEALS
from fastapi import Request, Response
from joserfc.jwk import ECKey

from processors.checker.processor import Checker
from processors.client.install_request import InstallRequest
from processors.configuration.settings import shipped
from processors.errors import BrokerUnavailable
from processors.events.kinds import INSTALL_REQUESTED
from processors.events.results import Result
from processors.events.topics import INSTALL_REQUESTS, MATRIX_REFRESHES, RESULTS, SECURITY_POLICIES
from processors.gateway.api import check
from processors.gateway.asking import Asking, Prepared, prepare, prepared
from processors.gateway.auth.gate import ON_THIS_MACHINE
from processors.gateway.auth.principal import Principal
from processors.gateway.desk import MOST_LARGE_EACH, Desk
from processors.gateway.intake import AT_ONCE, LARGE
from processors.gateway.mailbox import Crowded
from processors.gateway.problems import Problem
from processors.gateway.replies import refusal_key, result_key
from processors.gateway.signing import SigningKeys
from processors.matrix.merged import Matrix
from processors.policies import NO_POLICIES
from processors.stream.io.outbox import Reported
from processors.stream.io.publish import Delivered
from processors.stream.types import Outbound
from processors.stream.wire.codec import Codec, OfflineRegistry
from processors.stream.wire.schema import Schemas

CODEC = Codec(Schemas.load(shipped("schemas")), OfflineRegistry())
HOUR = 3_600_000
VIEW = FixedView(
    NOON,
    {},
    {
        MATRIX_REFRESHES: Matrix.of([(replace(a_document(), expires_after=HOUR), NOON, NOON + HOUR)]),
        SECURITY_POLICIES: NO_POLICIES,
    },
)
read = CODEC.decoder(RESULTS, "CompatibilityChecked")
PLACE = Delivered(INSTALL_REQUESTS, 3, 77)
ASKED = InstallRequest(request_id="r-1", tenant="acme", operator="alice", subject=a_subject())
PREPARED = prepare(CODEC, ASKED)
LONG = 30.0


class Outbox:
    """Reports when it is told to."""

    def __init__(self) -> None:
        self.sent: list[tuple[Outbound, Reported]] = []

    def send(self, record: Outbound, reported: Reported) -> None:
        self.sent.append((record, reported))

    def report(self, outcome: Delivered | BrokerUnavailable = PLACE) -> None:
        for _, reported in self.sent:
            reported(outcome)


class Scene:
    """Somebody asks; what the broker and the checker do is up to the test."""

    def __init__(self) -> None:
        self.outbox = Outbox()
        unused, keys = cast(Any, None), SigningKeys("urn:gateway", [ECKey.generate_key("P-256", {"kid": "k"})])
        self.desk = Desk(
            settings=unused, config=unused, events=CODEC, outbox=cast(Any, self.outbox), gate=unused, keys=keys
        )
        self.asking = Asking()

    def ask(self, prepared: Prepared = PREPARED) -> asyncio.Task[Result | None]:
        return asyncio.create_task(self.asking.ask(self.desk, prepared, LONG))

    async def until_sent(self, count: int = 1) -> None:
        while len(self.outbox.sent) < count:
            await asyncio.sleep(0)


def play(scene: Callable[[Scene], Awaitable[None]]) -> None:
    async def run() -> None:
        async with asyncio.timeout(20):
            await scene(Scene())

    asyncio.run(run())


def answer_to(prepared: Prepared, *, guarded: bool = True) -> bytes:
    """What a checker writes for it; another one where the guard is switched off by then."""
    asked = prepared.record
    came = record(INSTALL_REQUESTS, 0, (asked.key or b"").decode(), asked.value)
    outputs = Checker(CODEC, SEALS, lambda: guarded).handle([came], VIEW).outputs
    return next(output.value for output in outputs if output.topic == RESULTS and output.value)


def test_a_result_that_comes_before_the_brokers_report_is_the_answer() -> None:
    async def scene(of: Scene) -> None:
        asked = of.ask()
        await of.until_sent()
        of.desk.mailbox.put(result_key("r-1"), answer_to(PREPARED))
        of.outbox.report()
        result = await asked
        assert result is not None
        assert result.question == PREPARED.question

    play(scene)


def test_a_dead_letter_that_comes_before_the_brokers_report_refuses_the_request() -> None:
    """Only the report says where the record lies, and so which dead letter is about it."""

    async def scene(of: Scene) -> None:
        asked = of.ask()
        await of.until_sent()
        of.desk.mailbox.put(refusal_key("compat.install-requests/3/76"), b"another one's")
        of.desk.mailbox.put(refusal_key("compat.install-requests/3/77"), b"the body is cut off")
        of.outbox.report()
        with pytest.raises(Problem, match="the body is cut off"):
            await asked

    play(scene)


def test_of_two_answers_the_first_one_counts_for_everybody() -> None:
    """For who waits and for who asks again later."""

    async def scene(of: Scene) -> None:
        first, second = answer_to(PREPARED), answer_to(PREPARED, guarded=False)
        assert first != second
        asked = of.ask()
        await of.until_sent()
        of.outbox.report()
        of.desk.mailbox.put(result_key("r-1"), first)
        of.desk.mailbox.put(result_key("r-1"), second)
        results = [await asked, await of.ask()]
        assert [result and result.record for result in results] == [read(first)] * 2
        assert len(of.outbox.sent) == 1, "what is answered is not asked again"

    play(scene)


def test_an_answer_to_another_question_under_the_same_id_is_nobodys() -> None:
    """Whoever wrote it: a milder question of somebody else must not let this one pass."""

    async def scene(of: Scene) -> None:
        for other in (
            replace(ASKED, operator="mallory"),
            replace(ASKED, tenant="globex"),
            replace(ASKED, target="elsewhere"),
            replace(ASKED, subject=a_subject(version="1.4.2")),
        ):
            of = Scene()
            asked = of.ask()
            await of.until_sent()
            of.outbox.report()
            of.desk.mailbox.put(result_key("r-1"), answer_to(prepare(CODEC, other)))
            with pytest.raises(Problem) as refused:
                await asked
            assert refused.value.kind.name == "key-reused"

    play(scene)


MALLORYS = prepare(CODEC, replace(ASKED, operator="mallory", subject=a_subject(version="1.4.2")))
ALICE = replace(ON_THIS_MACHINE, subject="alice", tenants=frozenset({"acme"}))


def on_the_topic(monkeypatch: pytest.MonkeyPatch, *answers: bytes) -> None:
    found = {result.question: result for result in map(Result, map(read, answers))}
    monkeypatch.setattr(check, "results_of", lambda *_: found)


def test_whoever_comes_again_for_an_answer_is_not_given_that_to_another_question(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Somebody saw the id while it waited, and asked something harmless under it, which was answered first."""
    mine, others = answer_to(PREPARED), answer_to(MALLORYS)

    async def scene(of: Scene) -> None:
        def again() -> Awaitable[Response]:
            request = Request({"type": "http", "method": "GET", "headers": [(b"prefer", b"wait=1")]})
            place = urlsplit(check.pending(of.desk, "r-1", "acme", PREPARED.question.name).headers["location"])
            ticket, question = (parse_qs(place.query)[name][0] for name in ("ticket", "question"))
            return check.report(request, "r-1", of.desk, ALICE, ticket, question)

        of.desk.mailbox.put(result_key("r-1"), others)
        on_the_topic(monkeypatch, others)
        waiting = await again()
        assert (waiting.status_code, waiting.headers["location"].split("&")[1]) == (
            202,
            f"question={PREPARED.question.name}",
        )

        of.desk.mailbox.put(result_key("r-1"), mine)
        on_the_topic(monkeypatch, others, mine)
        answer = await again()
        assert (answer.status_code, Result(json.loads(bytes(answer.body))).question) == (200, PREPARED.question)

    play(scene)


def test_an_id_that_was_used_for_another_question_later_is_unclear_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here as on the topic, whichever of them was answered first."""
    mine, others = answer_to(PREPARED), answer_to(MALLORYS)
    on_the_topic(monkeypatch, mine, others)

    async def scene(of: Scene) -> None:
        for answers in ((mine, others), (others, mine)):
            of = Scene()
            for answer in answers:
                of.desk.mailbox.put(result_key("r-1"), answer)
            with pytest.raises(Problem) as refused:
                await check.known_result(of.desk, "r-1", ALICE)
            assert refused.value.kind.name == "question-unclear"
            found = await check.known_result(of.desk, "r-1", ALICE, PREPARED.question.name)
            assert found is not None
            assert found.question == PREPARED.question

    play(scene)


def test_an_answer_that_is_said_once_is_not_looked_for_on_the_topic() -> None:
    async def scene(of: Scene) -> None:
        for _ in range(2):
            of.desk.mailbox.put(result_key("r-1"), answer_to(PREPARED))
        for named in (None, PREPARED.question.name):
            found = await check.known_result(of.desk, "r-1", ALICE, named)
            assert found is not None
            assert found.question == PREPARED.question

    play(scene)


def test_what_the_broker_has_not_taken_is_no_answer() -> None:
    async def scene(of: Scene) -> None:
        asked = of.ask()
        await of.until_sent()
        of.outbox.report(BrokerUnavailable("nobody there"))
        with pytest.raises(BrokerUnavailable):
            await asked
        assert of.desk.mailbox.waiting == 0

    play(scene)


@pytest.mark.parametrize(
    ("size", "is_in_the_loop"), [pytest.param(AT_ONCE, True), pytest.param(AT_ONCE + 1, False), (LARGE + 1, False)]
)
def test_what_takes_long_to_read_is_read_in_a_thread(size: int, *, is_in_the_loop: bool) -> None:
    async def scene(of: Scene) -> None:
        of.desk.events.encoder(INSTALL_REQUESTED.topic, INSTALL_REQUESTED.schema)
        found: list[threading.Thread] = []

        def asked() -> InstallRequest:
            found.append(threading.current_thread())
            return ASKED

        await prepared(of.desk, ON_THIS_MACHINE, size, asked)
        assert (found == [threading.current_thread()]) is is_in_the_loop

    play(scene)


def test_one_caller_has_not_all_large_questions_read() -> None:
    go_on = threading.Event()

    def asked() -> InstallRequest:
        go_on.wait(10)
        return ASKED

    async def scene(of: Scene) -> None:
        def ask(who: Principal) -> asyncio.Task[Prepared]:
            return asyncio.create_task(prepared(of.desk, who, LARGE + 1, asked))

        asking = [ask(ON_THIS_MACHINE) for _ in range(MOST_LARGE_EACH)]
        await asyncio.sleep(0)
        with pytest.raises(Crowded):
            await ask(ON_THIS_MACHINE)
        other = ask(replace(ON_THIS_MACHINE, subject="bob"))
        go_on.set()
        assert {one.question for one in await asyncio.gather(other, *asking)} == {PREPARED.question}

    play(scene)
