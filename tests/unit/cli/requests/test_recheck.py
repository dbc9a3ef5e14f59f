"""Asking again: the same question in an envelope of its own, compared with what was answered."""

from processors.cli.requests.recheck import again
from processors.events.install_requests import KeptRequest

ASKED = {
    "request_id": "first",
    "requested_at": 1,
    "tenant": "acme",
    "operator": "alice",
    "environment": "staging",
    "target": "cluster-7",
    "action": "UPGRADE",
    "exception_id": "an exception",
    "recheck_of": None,
    "acknowledgement": {"by": "alice", "at": 1, "statement": "I know"},
    "monitoring": {"profile": "tight", "addons": [], "owner": "alice"},
    "subject": {"manifest": {"id": "com.acme.crm"}},
}


def test_the_question_stays_and_who_asks_is_told() -> None:
    event = again(KeptRequest(ASKED), "second", "bob", 2).record()

    assert {name for name in event if event[name] != ASKED[name]} == {
        "request_id", "requested_at", "operator", "exception_id", "recheck_of", "acknowledgement", "monitoring",
    }  # fmt: skip
    assert (event["request_id"], event["recheck_of"], event["operator"]) == ("second", "first", "bob")


def test_a_look_is_no_use_of_an_exception() -> None:
    """Else asking again would spend what was approved for one installation."""
    event = again(KeptRequest(ASKED), "second", "bob", 2).record()

    assert (event["exception_id"], event["acknowledgement"], event["monitoring"]) == (None, None, None)
