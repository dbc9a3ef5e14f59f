"""The two switches of config/guard.yaml: off is said in every answer, and never silence."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from contract.case import NOON, FixedView, record
from examples.exception_events import Events
from examples.exceptions import ID, keys, policy
from examples.matrices import a_document
from examples.sealing import SEALS

from processors.checker.processor import Checker
from processors.configuration.guard import Watched, parse
from processors.configuration.settings import shipped
from processors.errors import DocumentRefused
from processors.events.topics import (
    EXCEPTION_DECISIONS,
    EXCEPTION_REQUESTS,
    EXCEPTION_USES,
    INSTALL_REQUESTS,
    MATRIX_REFRESHES,
    NOTIFICATIONS,
    RESULTS,
    SECURITY_POLICIES,
)
from processors.exception_workflow.processor import ExceptionWorkflow
from processors.exception_workflow.rules.revisions import Refreshed
from processors.matrix.merged import Matrix
from processors.policies import NO_POLICIES
from processors.stream.wire.codec import Codec, OfflineRegistry
from processors.stream.wire.schema import Schemas

CODEC = Codec(Schemas.load(shipped("schemas")), OfflineRegistry())
EVENTS = Events(CODEC, lambda: NOON)
DAY = 86_400_000
MATRIX = Matrix.of([(replace(a_document(), expires_after=DAY), NOON, NOON + DAY)])
VIEW = FixedView(NOON, {}, {MATRIX_REFRESHES: MATRIX, SECURITY_POLICIES: NO_POLICIES})


def a_request(**more: Any) -> bytes:
    """Case C-1: its host is a major version too old."""
    return CODEC.encoder(INSTALL_REQUESTS, "InstallRequested")(
        {
            "request_id": "r-1", "requested_at": NOON, "tenant": "acme", "operator": "alice",
            "environment": "production", "target": "t", "action": "INSTALL", "exception_id": None,
            "acknowledgement": None, "monitoring": None, "recheck_of": None, "subject": EVENTS.subject(), **more,
        }
    )  # fmt: skip


def answer(guarded: Callable[[], bool], **more: Any) -> dict[str, dict[str, Any]]:
    """What the checker writes, by topic."""
    asked = a_request(**more)
    seal = SEALS.seal(INSTALL_REQUESTS, b"p", asked)  # as the workflow seals a re-check
    outcome = Checker(CODEC, SEALS, guarded).handle([record(INSTALL_REQUESTS, 0, "p", asked, headers=[seal])], VIEW)
    events = {
        RESULTS: "CompatibilityChecked",
        EXCEPTION_USES: "ExceptionUseRequested",
        NOTIFICATIONS: "NotificationRequested",
    }
    return {o.topic: CODEC.decoder(o.topic, events[o.topic])(o.value) for o in outcome.outputs if o.topic in events}


def test_with_the_guard_off_the_answer_says_that_nobody_looked() -> None:
    """WARN, so that it goes on and somebody is told; the finding names the switch."""
    answers = answer(lambda: False)

    result = answers[RESULTS]
    assert result["verdict"] == "WARN"
    assert [finding["code"] for finding in result["report"]["findings"]] == ["GUARD_OFF"]
    assert "switched off" in result["report"]["summary"]
    assert "plugin-compat-guard" in answers[NOTIFICATIONS]["body"]


def test_the_switch_works_without_a_restart() -> None:
    """The same checker, the same question: unchecked answers are never remembered as checked ones."""
    on = True
    checker = Checker(CODEC, SEALS, lambda: on)
    batch = [record(INSTALL_REQUESTS, 0, "p", a_request())]
    read = CODEC.decoder(RESULTS, "CompatibilityChecked")
    verdicts: list[str] = []
    for now_on in (True, False, True):
        on = now_on
        verdicts.append(read(checker.handle(batch, VIEW).outputs[0].value)["verdict"])

    assert verdicts == ["BLOCK", "WARN", "BLOCK"]


def test_an_exception_is_not_voided_because_nobody_looked() -> None:
    """Re-checks are checked even while the guard is off: they let nothing pass."""
    answers = answer(lambda: False, exception_id=ID, recheck_of=ID)

    assert answers[EXCEPTION_USES]["verdict"] == "BLOCK"


def test_a_request_under_an_exception_is_answered_while_the_guard_is_off() -> None:
    """It needs no exception, and spends none."""
    assert answer(lambda: False, exception_id=ID).keys() == {RESULTS, NOTIFICATIONS}


def test_with_exceptions_off_nobody_can_ask_and_whoever_asks_hears_why() -> None:
    """A refusal is an event like any other, so the ledger has it."""
    view = FixedView(NOON, {}, {MATRIX_REFRESHES: Refreshed("mark", 0)})
    decided = CODEC.decoder(EXCEPTION_DECISIONS, "ExceptionDecided")

    for offered, event in ((False, "refused"), (True, "requested")):
        workflow = ExceptionWorkflow(CODEC, policy(), keys, SEALS, lambda offered=offered: offered)
        outcome = workflow.handle([record(EXCEPTION_REQUESTS, 0, ID, EVENTS.command())], view)
        told = [decided(o.value) for o in outcome.outputs if o.topic == EXCEPTION_DECISIONS]
        assert [e["event"] for e in told] == [event]
        assert bool(outcome.writes) is offered
        if not offered:
            assert told[0]["reason_code"] == "FEATURE_OFF"
            assert "plugin-compat-exception" in str(told[0])


def test_a_slip_of_the_pen_switches_nothing(tmp_path: Path) -> None:
    """A running processor keeps the last good configuration, and takes the next good one."""
    file = tmp_path / "guard.yaml"
    file.write_text("features: {plugin-compat-guard: false}\n")
    watched = Watched(tmp_path)
    assert watched().features.guard is False

    seen: list[bool] = []
    for text in ("features: {plugin-compat-guard: maybe}\n", "features: {plugin-compat-guard: true}\n"):
        file.write_text(text)
        time.sleep(1.1)
        seen.append(watched().features.guard)

    assert seen == [False, True]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        pytest.param("features: {plugin-compat-gard: true}", "plugin-compat-gard", id="no such switch"),
        pytest.param("staleness: {warn_at: 0}", "staleness.warn_at", id="warned before it is issued"),
        pytest.param("sync: {sources: [{name: a}]}", "exactly one of file, git and url", id="from nowhere"),
        pytest.param("sync: {sources: [{name: a, url: 'https://x/m'}]}", "sha256 or a signature", id="unproved"),
        pytest.param(f"sync: {{sources: [{{name: a, file: m, sha256: '{'0' * 64}'}}]}}", "the web", id="a file"),
    ],
)  # fmt: skip
def test_a_configuration_that_cannot_be_meant_is_refused(text: str, place: str) -> None:
    """The message names the place."""
    with pytest.raises(DocumentRefused, match=place):
        parse(text)


def test_the_shipped_configuration_switches_everything_on() -> None:
    """Off is a decision that somebody takes."""
    config = parse((shipped("config") / "guard.yaml").read_bytes())

    assert config.features.guard
    assert config.features.exceptions
    assert config.staleness.warn_at == 80
