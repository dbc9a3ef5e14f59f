"""The thread that asks, over a real socket."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_network
from typing import Any

import pytest
from examples.ground import eventually
from examples.platform import Answer, Platform, Received
from examples.security_services import SecurityService, a_policy

from processors.observability import metrics
from processors.outbound.client import PinnedClient
from processors.security_context import asker as module
from processors.security_context.asker import Asker, Heard
from processors.security_context.measures import Came

LOOPBACK = (ip_network("127.0.0.0/8"),)
CRM, ERP = "com.acme.crm", "com.acme.erp"


@contextmanager
def asking(url: str, *, every: float = 0.3, networks: Any = LOOPBACK) -> Iterator[Asker]:
    with Asker(lambda: PinnedClient(url, networks, None, 1), "t0ken", every, first_retry=0.1) as asker:
        asker.wants([CRM, ERP])
        yield asker


def heard(asker: Asker) -> Heard:
    eventually(lambda: asker.heard() is not None, 20)
    found = asker.heard()
    assert found is not None
    return found


def counted(came: str) -> float:
    return metrics.SECURITY_CONTEXT_ASKED.labels(came)._value.get()


def test_it_asks_for_the_components_as_json_with_its_token() -> None:
    with SecurityService({CRM: ["1"]}) as service, asking(service.address()) as asker:
        reply = heard(asker).reply

    first = service.received[0]
    assert json.loads(first.body) == {"components": [CRM, ERP]}
    assert (first.path, first.headers["authorization"]) == ("/internal/security/scan/context", "Bearer t0ken")
    assert (first.headers["content-type"], first.headers["accept"]) == ("application/json", "application/json")
    assert first.headers["accept-encoding"] == "identity"
    assert "if-none-match" not in first.headers
    assert [*reply.policies] == [CRM]


def test_it_asks_on_only_when_a_reply_is_settled_and_then_conditionally() -> None:
    """What is unchanged is the same reply again, so that it can be confirmed."""
    with SecurityService({CRM: ["1"]}) as service, asking(service.address()) as asker:
        first = heard(asker)
        time.sleep(0.5)
        assert len(service.received) == 1
        asker.settle(first, Came.TAKEN)
        again = heard(asker)

    assert again.reply == first.reply
    assert service.conditional >= 1


def test_a_reply_that_is_held_is_asked_for_in_full_again() -> None:
    with SecurityService({CRM: ["1"]}) as service, asking(service.address()) as asker:
        asker.settle(heard(asker), Came.HELD)
        assert asker.held == 1
        asker.settle(heard(asker), Came.TAKEN)
        assert asker.held == 0

    assert [one.headers.get("if-none-match") for one in service.received[:2]] == [None, None]


def test_another_replica_s_turn_ends_its_own() -> None:
    with SecurityService({CRM: ["1"]}) as service, asking(service.address()) as asker:
        heard(asker)
        asker.wants(None)
        assert asker.heard() is None
        asked = len(service.received)
        time.sleep(0.6)
        assert len(service.received) == asked
        asker.wants([CRM])
        assert [*heard(asker).reply.policies] == [CRM]


def bad(body: bytes, **headers: str) -> Callable[[Received], Answer]:
    return lambda _: Answer(200, headers, body)


FINE = json.dumps({"policies": [a_policy(CRM, ["1"])]}).encode()
BAD = {
    "wrong JSON": bad(b'{"policies": ['),
    "a page of HTML": bad(b"<html>please log in</html>"),
    "another document": bad(b'{"status": "ok"}'),
    "10 MB": bad(b'{"policies": []}' + b" " * 10_000_000),
    "packed": bad(gzip.compress(FINE), **{"content-encoding": "gzip"}),
    "a bomb": bad(gzip.compress(b" " * 50_000_000), **{"content-encoding": "gzip"}),
    "packed without saying so": bad(gzip.compress(FINE)),
    "204": lambda _: Answer(204),
    "206": lambda _: Answer(206, body=FINE),
    "304 that nobody asked for": lambda _: Answer(304, {"etag": '"x"'}),
    "500": lambda _: Answer(500, body=FINE),
    "401": lambda _: Answer(401, body=FINE),
    "404": lambda _: Answer(404),
    "dropped": lambda _: Answer(dropped=True),
}


@pytest.mark.parametrize("behave", BAD.values(), ids=BAD)
def test_what_is_no_answer_changes_nothing_and_is_asked_for_again(behave: Callable[[Received], Answer]) -> None:
    before = counted("refused") + counted("failed")
    with SecurityService() as service:
        service.behave = behave
        with asking(service.address()) as asker:
            eventually(lambda: len(service.received) >= 2, 20)
            assert asker.heard() is None
            service.behave = bad(FINE)
            assert [*heard(asker).reply.policies] == [CRM]

    assert counted("refused") + counted("failed") >= before + 2


def test_a_platform_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the next one that does is heard."""
    monkeypatch.setattr(module, "PATIENCE", 0.3)

    def slow(_: Received) -> Answer:
        time.sleep(1)
        return Answer(200, body=FINE)

    before = counted("failed")
    with SecurityService({CRM: ["1"]}) as service:
        service.behave = slow
        with asking(service.address()) as asker:
            eventually(lambda: counted("failed") > before, 20)
            service.behave = service.well
            assert [*heard(asker).reply.policies] == [CRM]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_leads_nowhere(status: int) -> None:
    with Platform() as elsewhere, SecurityService() as service:
        service.behave = lambda _: Answer(status, {"location": elsewhere.url()})
        with asking(service.address()):
            eventually(lambda: len(service.received) >= 2, 20)

    assert elsewhere.received == []


def test_an_address_outside_of_the_networks_is_not_connected_to() -> None:
    before = counted("failed")
    with SecurityService() as service, asking(service.address(), networks=(ip_network("10.0.0.0/8"),)):
        eventually(lambda: counted("failed") > before, 20)

    assert service.received == []


def test_a_platform_that_asks_to_be_left_alone_is_for_a_while() -> None:
    with SecurityService() as service:
        service.behave = lambda _: Answer(503, {"retry-after": "3"})
        with asking(service.address()):
            eventually(lambda: service.received, 20)
            time.sleep(1.5)

    assert len(service.received) == 1


def test_a_platform_that_asks_to_be_left_alone_for_a_year_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_WAIT", 0.2)
    with SecurityService() as service:
        service.behave = lambda _: Answer(503, {"retry-after": "31536000"})
        with asking(service.address()):
            eventually(lambda: len(service.received) >= 3, 20)


def test_a_failure_of_our_own_is_no_silence() -> None:
    def broken() -> PinnedClient:
        raise RuntimeError("no client")

    with Asker(broken, "", 1) as asker, pytest.raises(Exception, match="nobody asks"):
        eventually(asker.raise_failure, 5)
