"""What stands where in the picture of the flow, and which arrows lead from what to what.

The arrows are chosen: those by which an answer comes about. None is drawn that the table of rights does not know.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from processors.events import topics

Kind = Literal["outside", "topic", "processor", "store"]


class Box(NamedTuple):
    """A place in the picture. `name` is the topic's without its prefix, or the role in the table of rights."""

    name: str
    kind: Kind
    x: int
    y: int
    width: int
    says: str = ""
    """A second, smaller line."""

    height: int = 34


class Arrow(NamedTuple):
    """From one box to another. `label` says what travels where that is no topic."""

    source: str
    target: str
    label: str = ""


A, B, C, D, E = 16, 264, 492, 750, 978
"""Where the columns begin: outside, what comes in, processors, what goes out, what is done with it."""

BOXES: Final = (
    Box("platform", "outside", A, 30, 168, "platforms, people, scripts", 46),
    Box("gateway", "processor", B, 30, 662, "asks for whoever speaks HTTP, and waits for the answer", 46),
    Box("deployer", "outside", A, 136, 168),
    Box("install-requests", "topic", B, 136, 176),
    Box("checker", "processor", C, 136, 206, "same question, same report", 70),
    Box("results", "topic", D, 118, 176),
    Box("blocks", "topic", D, 164, 176),
    Box("notifications", "topic", D, 210, 176),
    Box("matrix-publisher", "outside", A, 196, 168),
    Box("matrix-refreshes", "topic", B, 196, 176, "table"),
    Box("policy-publisher", "outside", A, 256, 168),
    Box("security-policies", "topic", B, 256, 176, "table"),
    Box("exception-uses", "topic", C + 15, 256, 176),
    Box("requester", "outside", A, 340, 168),
    Box("exception-requests", "topic", B, 340, 176),
    Box("exception-workflow", "processor", C, 340, 206, "step by step, and in time", 70),
    Box("exception-decisions", "topic", D, 340, 176),
    Box("approval-tool", "outside", A, 400, 168),
    Box("approval-decisions", "topic", B, 400, 176),
    Box("dead-letters", "topic", D, 400, 176, "unreadable, and why"),
    Box("rollout", "outside", A, 460, 168),
    Box("install-outcomes", "topic", B, 460, 176),
    Box("staleness", "processor", C, 460, 206, "notices a stale matrix", 46),
    Box("security-context", "processor", C, 536, 206, "asks what security knows", 46),
    Box("security-service", "outside", E, 542, 190),
    Box("relay", "processor", E, 140, 190, "same bytes at every try", 58),
    Box("receivers", "outside", E, 246, 190),
    Box("ledger", "processor", E, 346, 190, "every topic, in hash chains", 58),
    Box("PostgreSQL", "store", E, 452, 190),
)

CALLED: Final = {
    "platform": "over HTTP",
    "deployer": "deployers",
    "matrix-publisher": "CI, vendors",
    "policy-publisher": "security",
    "requester": "requesters",
    "approval-tool": "approval tools",
    "rollout": "rollout",
    "receivers": "platforms, mail, chat",
    "security-service": "security service",
}
"""How the picture calls whom the table of rights, or nobody, has a name for."""

ARROWS: Final = (
    *(Arrow(name, topic) for name, topic in (
        ("deployer", "install-requests"),
        ("matrix-publisher", "matrix-refreshes"),
        ("policy-publisher", "security-policies"),
        ("requester", "exception-requests"),
        ("approval-tool", "approval-decisions"),
        ("rollout", "install-outcomes"),
        ("install-requests", "checker"),
        ("matrix-refreshes", "checker"),
        ("matrix-refreshes", "staleness"),
        ("security-policies", "checker"),
        ("checker", "results"),
        ("checker", "blocks"),
        ("checker", "notifications"),
        ("staleness", "notifications"),
        ("checker", "exception-uses"),
        ("exception-uses", "exception-workflow"),
        ("exception-requests", "exception-workflow"),
        ("approval-decisions", "exception-workflow"),
        ("install-outcomes", "exception-workflow"),
        ("exception-workflow", "exception-decisions"),
        ("exception-workflow", "dead-letters"),
        ("results", "relay"),
        ("blocks", "relay"),
        ("notifications", "relay"),
        ("exception-decisions", "ledger"),
        ("dead-letters", "ledger"),
    )),
    Arrow("platform", "gateway", "HTTP, token"),
    Arrow("relay", "receivers", "HTTP, SMTP"),
    Arrow("ledger", "PostgreSQL"),
    Arrow("security-context", "security-service", "HTTP"),
)  # fmt: skip

ASKED_BY_THE_GATEWAY: Final = ("install-requests", "exception-requests", "approval-decisions")
ANSWERS_THE_GATEWAY: Final = ("results", "exception-decisions", "dead-letters")
"""Along two lanes, left of what comes in and right of what goes out."""

KEPT: Final = (
    *(topics.MATRIX_FLOORS, topics.EXCEPTION_STATE, topics.STALENESS_STATE, topics.RELAY_STATE),
    *(topics.CLOCK, topics.LEDGER_ANCHORS),
)
"""What processors keep for themselves, in one line below."""
