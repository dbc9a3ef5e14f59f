"""Lists stay short and can be narrowed down: what says the same is told once, and a question has an address."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from examples.exceptions import ALICE, NEVER_ASKED, NOON, SCOPE, policy

from processors.events.exceptions import Status
from processors.events.report import Report, Risk
from processors.events.report_record import report_to_record
from processors.events.results import Result
from processors.events.vocabulary import Band, Verdict
from processors.exception_workflow.state.case import ExceptionCase, Execution
from processors.gateway.console.alike import alike
from processors.gateway.console.exceptions import Queue
from processors.gateway.console.installations import INSTALLATIONS, Installations, installations_of
from processors.gateway.console.lately import ResultLine
from processors.gateway.console.live import Live
from processors.gateway.console.may_decide import Standing
from processors.gateway.console.narrowing import Narrowing
from processors.gateway.console.rendering import Frame, Page, rendered
from processors.gateway.console.terms import terms_of
from processors.gateway.console.waiting import Row, Rows
from processors.gateway.mailbox import Mailbox

CASE = NEVER_ASKED._replace(round=1, status=Status.PENDING, scope=SCOPE, requester=ALICE, request_id="r-1")


def line(number: int = 0, **more: Any) -> ResultLine:
    plain = ResultLine(
        at=NOON - number, request_id=f"r-{number}", plugin="com.acme.crm 1.5.0", name="Customers",
        environment="production", target="warehouse-1", host="corex 1.9.0", verdict="BLOCK", risk=75,
        operator="alice", summary="", codes=("HOST_TOO_OLD",),
    )  # fmt: skip
    return plain._replace(**more)


def html(page: Page) -> str:
    return bytes(rendered(page, Frame(name="Alice", at="/live"), None).body).decode()


def test_results_that_say_the_same_are_told_once() -> None:
    lines = [line(0), line(1, target="warehouse-2"), line(2), line(3, plugin="com.acme.erp 1.0.0"), line(4)]
    first, other = alike(lines)

    assert (first.last, first.times, first.targets) == (lines[0], 4, ("warehouse-1", "warehouse-2"))
    assert (other.last, other.times) == (lines[3], 1)


@pytest.mark.parametrize(
    "more",
    [{"host": "corex 2.0.0"}, {"environment": "staging"}, {"codes": ("MATRIX_EXPIRED",)}, {"verdict": "WARN"}],
)
def test_results_of_another_host_environment_finding_or_verdict_are_told_apart(more: dict[str, Any]) -> None:
    assert len(alike([line(0), line(1, **more)])) == 2


@pytest.mark.parametrize(
    ("narrowed", "admitted"),
    [
        (Narrowing(), True),
        (Narrowing(plugin="CRM"), True),
        (Narrowing(plugin="customers"), True),
        (Narrowing(plugin="erp"), False),
        (Narrowing(where="warehouse"), True),
        (Narrowing(where="PROD"), True),
        (Narrowing(where="staging"), False),
        (Narrowing(state="BLOCK"), True),
        (Narrowing(state="ALLOW"), False),
        (Narrowing(state="BLO"), False),
        (Narrowing(plugin="crm", where="staging"), False),
    ],
)
def test_a_list_is_narrowed_by_every_text_that_is_given(narrowed: Narrowing, admitted: bool) -> None:
    assert line().is_meant(narrowed) is admitted


def test_a_narrowed_list_has_an_address_and_goes_on_as_such() -> None:
    narrowed = Narrowing(plugin="a&b", where="", state="BLOCK")
    page = html(Live(title="Results", lines=[line()], narrowed=narrowed, states=list(Verdict)))

    assert narrowed.query == "?plugin=a%26b&state=BLOCK"
    assert 'data-stream="/live/events?plugin=a%26b&amp;state=BLOCK"' in page
    assert '<option value="BLOCK" selected>block</option>' in page
    assert 'value="a&amp;b"' in page


def row(**more: Any) -> Row:
    plain = Row(case=CASE, step="", roles=(), due=None, standing=Standing(False), mine=True, target="warehouse-1")
    return plain._replace(**more)


def queue(rows: Rows, narrowed: Narrowing) -> str:
    found = rows.narrowed(narrowed)
    page = Queue(
        title="Exceptions", rows=found, decides=False, asks=True, everything=True, narrowed=narrowed,
        states=list(Status), shown=sum(map(len, found)), there=sum(map(len, rows)),
    )  # fmt: skip
    return html(page)


def test_exceptions_name_their_installation_and_are_found_by_it() -> None:
    rows = Rows(yours=(), asked=(row(), row(target="cluster-9")), others=(), in_force=(), over=())
    page = queue(rows, Narrowing(where="cluster"))

    assert "<th>Installation</th>" in page
    assert "cluster-9" in page
    assert "warehouse-1" not in page
    assert "1 of 2 fits" in page
    assert "None of 2 fit" in queue(rows, Narrowing(state="REVOKED"))


class Quiet:
    """A desk that has heard of no result, and reads nothing."""

    events = None

    def __init__(self) -> None:
        self.mailbox = Mailbox()


def test_where_it_was_used_counts_more_than_where_it_was_asked_for() -> None:
    INSTALLATIONS.learn(CASE, "warehouse-1")
    run = Execution("r-2", "", "alice", "cluster-7", NOON, round=1)
    earlier = run._replace(round=0, target="cluster-1")

    def where(*runs: Execution) -> str:
        case = CASE._replace(executions=runs)
        return asyncio.run(installations_of(cast(Any, Quiet()), [case]))[CASE.exception_id]

    assert (where(run), where(earlier), where()) == ("cluster-7", "warehouse-1", "warehouse-1")


@pytest.mark.parametrize(
    ("digest", "environment", "where"),
    [("sha256:a", "production", "lab"), ("sha256:old", "production", "lab"), ("sha256:b", "production", ""),
     ("sha256:a", "night", "")],
    ids=["the block", "an earlier report", "another report", "another scope"],
)  # fmt: skip
def test_another_question_under_the_same_request_id_names_no_installation(
    digest: str, environment: str, where: str
) -> None:
    """Its sender chose the id."""
    case = CASE._replace(
        request_id=f"r-{digest}-{environment}", report_digest="sha256:a", superseded=("sha256:old",)
    )
    record = {**SCOPE._asdict(), "environment": environment, "report_digest": digest, "target": "lab"}
    desk = Heard(record)

    assert asyncio.run(installations_of(cast(Any, desk), [case])) == {case.exception_id: where}


class Heard:
    """A desk that has heard of one result."""

    def __init__(self, record: dict[str, Any]) -> None:
        self.record = record
        self.mailbox = self.events = self

    def get(self, _: str) -> bytes:
        return b"a result"

    def decoder(self, *_: str) -> Any:
        return lambda _: self.record


RECORD = {
    **SCOPE._asdict(),
    "report_digest": "sha256:x",
    "report": report_to_record(
        Report(
            engine="1", input_digest="", basis_digest="", plugin_id=SCOPE.plugin_id,
            plugin_version=SCOPE.plugin_version, host=SCOPE.host, host_version=SCOPE.host_version, dialect="npm",
            verdict=Verdict.BLOCK, summary="", risk=Risk(75, Band.HIGH), findings=(),
        )
    ),
}  # fmt: skip


class Results:
    """A desk that reads results under one request id."""

    settings = events = None

    def __init__(self, *targets: str) -> None:
        self.targets = targets

    async def read(self, *_: Any) -> Any:
        return {target: Result({**RECORD, "target": target}) for target in self.targets}


@pytest.mark.parametrize(
    ("desk", "case", "where"),
    [
        (Results("warehouse-1"), CASE, "warehouse-1"),
        (Results("warehouse-1", "lab"), CASE, ""),
        (Results("warehouse-1"), CASE._replace(scope=SCOPE._replace(tenant="other")), ""),
    ],
    ids=["one", "two under one id", "of another tenant"],
)
def test_who_decides_is_told_no_installation_that_may_be_another_one(
    desk: Results, case: ExceptionCase, where: str
) -> None:
    """The same report may have been given for each of them."""
    asked = case._replace(report_digest="sha256:x", band=Band.HIGH, profile="enhanced")

    assert asyncio.run(terms_of(cast(Any, desk), asked, policy())).target == where


def test_what_is_remembered_of_installations_is_bounded() -> None:
    known = Installations(most=2)
    for number in range(3):
        known.learn(CASE._replace(request_id=f"r-{number}"), f"w-{number}")

    assert known.known(CASE._replace(request_id="r-0")) is None
    assert known.known(CASE._replace(request_id="r-2")) == "w-2"
