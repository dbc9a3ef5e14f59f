"""Everything that somebody might try, against the running processor: each ends in its reason, and nothing moves."""

from __future__ import annotations

import base64
import gzip
import json
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest
from examples.exception_events import NEW_BREAK, TOO_OLD
from examples.exceptions import BOB, DAY, PROVIDER, SABINE, SCOPE, claims, public_jwk, sign
from examples.ground import eventually
from examples.guard import Guard, now
from joserfc import jws
from joserfc.jwk import ECKey, OctKey

from processors.events.exceptions import Person, Scope
from processors.events.topics import (
    APPROVAL_DECISIONS,
    EXCEPTION_REQUESTS,
    EXCEPTION_STATE,
    EXCEPTION_USES,
    INSTALL_OUTCOMES,
)
from processors.events.vocabulary import Band
from processors.exception_workflow.state.case import ExceptionCase
from processors.stream.loop.dead_letters import Letter, read_letter

pytestmark = pytest.mark.stack

Record = tuple[str, bytes | None]
Make = Callable[[Guard, Scope], Record]


def asked(**more: Any) -> Make:
    return lambda guard, scope: (EXCEPTION_REQUESTS, guard.events.command(scope, **_scoped(more, scope)))


def approved(person: Person = BOB, **more: Any) -> Make:
    return lambda guard, scope: (APPROVAL_DECISIONS, guard.events.decision(person, now(), scope, **more))


def used(**more: Any) -> Make:
    return lambda guard, scope: (EXCEPTION_USES, guard.events.use(scope, **more))


def reported(**more: Any) -> Make:
    return lambda guard, scope: (INSTALL_OUTCOMES, guard.events.outcome(scope, **more))


def raw(value: bytes | None) -> Make:
    return lambda _, __: (APPROVAL_DECISIONS, value)


def token(make: Callable[[dict[str, Any]], str]) -> Make:
    """A decision whose token is made of the claims of an honest one."""

    def made(guard: Guard, scope: Scope) -> Record:
        digest = guard.events.digest(guard.events.report(scope))
        honest = claims(BOB, now(), exception_id=scope.exception_id, report_digest=digest)
        return APPROVAL_DECISIONS, guard.events.proof(make(honest), scope)

    return made


def _scoped(more: Mapping[str, Any], scope: Scope) -> dict[str, Any]:
    return {name: value(scope) if callable(value) else value for name, value in more.items()}


def edited(honest: dict[str, Any]) -> str:
    header, _, signature = sign(honest).split(".")
    body = base64.urlsafe_b64encode(json.dumps({**honest, "sub": "mallory"}).encode()).decode().rstrip("=")
    return f"{header}.{body}.{signature}"


def unsigned(honest: dict[str, Any]) -> str:
    return sign(honest).rpartition(".")[0] + "."


def without_algorithm(honest: dict[str, Any]) -> str:
    header = base64.urlsafe_b64encode(b'{"alg":"none","kid":"tool-1"}').decode().rstrip("=")
    return f"{header}.{sign(honest).split('.')[1]}."


def confused(honest: dict[str, Any]) -> str:
    secret = OctKey.import_key(json.dumps(public_jwk("tool-1")).encode())
    return jws.serialize_compact(
        {"alg": "HS256", "kid": "tool-1"}, json.dumps(honest), secret, algorithms=["HS256"]
    )


def by_another_key(honest: dict[str, Any]) -> str:
    stranger = ECKey.generate_key("P-256", {"kid": "tool-1"})
    return jws.serialize_compact(
        {"alg": "ES256", "kid": "tool-1"}, json.dumps(honest), stranger, algorithms=["ES256"]
    )


def shifted(seconds: int, *names: str) -> Make:
    return token(lambda honest: sign({**honest, **{name: honest[name] + seconds for name in names}}))


TIMES = ("iat", "exp", "auth_time")
HOUR = 3600
PENDING: Sequence[Make] = (asked(),)
APPROVED: Sequence[Make] = (asked(), approved(BOB), approved(SABINE))


@dataclass(frozen=True)
class Attempt:
    """`before` sets the scene, one record after the other; `tried` is what somebody tries then."""

    tried: Make
    reason: str
    before: Sequence[Make] = PENDING
    status: str | None = "PENDING"
    security: bool | None = None


ATTEMPTS: Mapping[str, Attempt] = {
    "unsigned": Attempt(token(unsigned), "BAD_SIGNATURE", security=True),
    "wrong key": Attempt(token(by_another_key), "BAD_SIGNATURE", security=True),
    "unknown key": Attempt(token(lambda honest: sign(honest, kid="nobodys")), "UNKNOWN_KEY", security=True),
    "alg none": Attempt(token(without_algorithm), "ALGORITHM_REFUSED", security=True),
    "HS256 with the public key": Attempt(token(confused), "ALGORITHM_REFUSED", security=True),
    "edited after signing": Attempt(token(edited), "BAD_SIGNATURE", security=True),
    "no proof": Attempt(token(lambda _: ""), "PROOF_MISSING", security=True),
    "no token": Attempt(token(lambda _: "hello"), "PROOF_MALFORMED", security=True),
    "1 MB of token": Attempt(token(lambda _: "x" * 900_000), "PROOF_TOO_LARGE", security=True),
    "another issuer": Attempt(token(lambda h: sign({**h, "iss": PROVIDER})), "UNKNOWN_ISSUER", security=True),
    "made for another": Attempt(token(lambda h: sign({**h, "aud": "shop"})), "WRONG_AUDIENCE", security=True),
    "an access token": Attempt(token(lambda h: sign(h, typ="at+jwt")), "WRONG_TYPE", security=True),
    "expired": Attempt(shifted(-HOUR, *TIMES), "PROOF_EXPIRED", security=True),
    "from the future": Attempt(shifted(HOUR, *TIMES), "PROOF_NOT_YET_VALID", security=True),
    "from 1970": Attempt(token(lambda h: sign({**h, "iat": 0, "exp": 300, "auth_time": 0})), "PROOF_EXPIRED"),
    "until 2099": Attempt(token(lambda h: sign({**h, "exp": 4_080_000_000})), "PROOF_LIVES_TOO_LONG"),
    "at 2^62": Attempt(token(lambda h: sign({**h, "exp": 2**62})), "PROOF_MALFORMED"),
    "NaN": Attempt(token(lambda h: sign(json.dumps(h)[:-1] + ', "nbf": NaN}')), "PROOF_MALFORMED"),
    "half a character": Attempt(token(lambda h: sign({**h, "reason": "\ud800"})), "PROOF_MALFORMED"),
    "reversed text": Attempt(token(lambda h: sign({**h, "sub": "bob\u202egro"})), "PROOF_MALFORMED"),
    "NUL": Attempt(token(lambda h: sign({**h, "sub": "bob\x00"})), "PROOF_MALFORMED"),
    "one factor": Attempt(approved(amr=["pwd"]), "NO_MFA", security=True),
    "stale login": Attempt(shifted(-HOUR, "auth_time"), "LOGIN_TOO_OLD", security=True),
    "another exception": Attempt(approved(exception_id=str(uuid.uuid4())), "OTHER_EXCEPTION", security=True),
    "another report": Attempt(approved(report_digest="sha256:" + "1" * 64), "OTHER_REPORT", security=True),
    "wrong role": Attempt(approved(roles=["intern"]), "WRONG_ROLE", security=True),
    "wrong step": Attempt(approved(SABINE), "WRONG_STEP", security=False),
    "self-approval": Attempt(approved(sub="alice"), "SELF_APPROVAL", security=True),
    "self-approval by case": Attempt(approved(sub="ALICE"), "SELF_APPROVAL", security=True),
    "self-approval by alias": Attempt(
        approved(sub="alice+2@x.example"),
        "SELF_APPROVAL",
        before=(asked(by=Person(PROVIDER, "Alice@x.example")),),
        security=True,
    ),
    "denied without a reason": Attempt(approved(decision="deny", reason=""), "REASON_MISSING"),
    "approved for too long": Attempt(approved(valid_until=(now() + 40 * DAY) // 1000), "DURATION_TOO_LONG"),
    "weaker monitoring": Attempt(approved(monitoring_profile="basic"), "MONITORING_TOO_WEAK"),
    "replayed": Attempt(
        approved(jti="once", step="security", roles=["security-approver"]),
        "REPLAYED",
        before=(asked(), approved(BOB, jti="once")),
        status="IN_REVIEW",
        security=True,
    ),
    "the same person twice": Attempt(
        approved(step="security", roles=["security-lead"], jti="twice"),
        "SAME_PERSON_TWICE",
        before=(asked(), approved(BOB)),
        status="IN_REVIEW",
        security=True,
    ),
    "approve after deny": Attempt(
        approved(jti="late"),
        "ILLEGAL_TRANSITION",
        before=(asked(), approved(decision="deny")),
        status="REJECTED",
    ),
    "approve after approval": Attempt(
        approved(jti="late"), "ILLEGAL_TRANSITION", before=APPROVED, status="APPROVED"
    ),
    "withdrawn by another": Attempt(
        asked(kind="WITHDRAWN", command_id="c-2", by=Person(PROVIDER, "mallory")),
        "NOT_THE_REQUESTER",
        security=True,
    ),
    "revoked without proof": Attempt(
        asked(kind="REVOCATION_REQUESTED", command_id="c-2", proof=None),
        "PROOF_MISSING",
        before=APPROVED,
        status="APPROVED",
        security=True,
    ),
    "report altered": Attempt(
        asked(report_digest="sha256:" + "1" * 64), "REPORT_ALTERED", before=(), status=None, security=True
    ),
    "no question": Attempt(asked(subject=None), "REPORT_MISSING", before=(), status=None),
    "scope of another": Attempt(asked(tenant="rich"), "SCOPE_MISMATCH", before=(), status=None),
    "unknown command": Attempt(asked(kind="UNKNOWN"), "UNKNOWN_COMMAND", before=(), status=None),
    "a window at high risk": Attempt(asked(single_use=False), "WINDOW_NOT_ALLOWED", before=(), status=None),
    "for ever": Attempt(asked(valid_until=2**62), "DURATION_TOO_LONG", before=(), status=None),
    "an hour of risk statement": Attempt(
        asked(risk_statement="x" * 500_000), "TEXT_TOO_LONG", before=(), status=None
    ),
    "10,000 findings": Attempt(
        asked(finding_ids=[f"{n:016x}" for n in range(10_000)]), "TOO_MANY_FINDINGS", before=(), status=None
    ),
    "used before approval": Attempt(used(), "NOT_APPROVED"),
    "used without approval at all": Attempt(used(), "NO_SUCH_EXCEPTION", before=(), status=None),
    "used elsewhere": Attempt(
        used(environment="staging"), "ENVIRONMENT_OUT_OF_SCOPE", before=APPROVED, status="APPROVED"
    ),
    "used with a finding more": Attempt(
        lambda guard, scope: (
            EXCEPTION_USES,
            guard.events.use(scope, guard.events.report(scope, (TOO_OLD, NEW_BREAK))),
        ),
        "FINDING_NOT_APPROVED",
        before=APPROVED,
        status="APPROVED",
    ),
    "used at a higher risk": Attempt(
        lambda guard, scope: (
            EXCEPTION_USES,
            guard.events.use(scope, guard.events.report(scope, band=Band.CRITICAL)),
        ),
        "BAND_RISEN",
        before=APPROVED,
        status="APPROVED",
    ),
    "used unwatched": Attempt(used(monitoring=None), "MONITORING_PLAN_MISSING", before=APPROVED, status="APPROVED"),
    "used without taking the risk": Attempt(
        used(acknowledgement=None), "RISK_NOT_ACKNOWLEDGED", before=APPROVED, status="APPROVED"
    ),
    "used twice": Attempt(
        used(request_id="request-3"), "ALREADY_USED", before=(*APPROVED, used()), status="CONSUMED"
    ),
    "a re-check that nobody sent": Attempt(
        used(recheck_of="request-1"), "NOT_ASKED", before=APPROVED, status="APPROVED"
    ),
    "outcome of something else": Attempt(
        reported(request_id="another"), "UNKNOWN_EXECUTION", before=APPROVED, status="APPROVED"
    ),
}


UNREADABLE: Mapping[str, tuple[Make, str]] = {
    "tombstone": (raw(None), "tombstone"),
    "empty": (raw(b""), "wire"),
    "three bytes": (raw(b"\0\0\0"), "wire"),
    "wrong magic": (raw(b"\1\0\0\0\1abc"), "wire"),
    "json": (raw(b'{"decision": "approve"}'), "wire"),
    "gzip": (raw(gzip.compress(b"approve")), "wire"),
    "unknown schema": (raw(b"\0\x7f\xff\xff\xffabc"), "schema"),
    "schema of another subject": (
        lambda guard, scope: (APPROVAL_DECISIONS, guard.events.command(scope)),
        "schema",
    ),
    "trailing bytes": (
        lambda guard, scope: (APPROVAL_DECISIONS, guard.events.decision(BOB, now(), scope) + b"\0"),
        "body",
    ),
    "cut off": (lambda guard, scope: (APPROVAL_DECISIONS, guard.events.decision(BOB, now(), scope)[:-3]), "body"),
    "an id that is none": (
        lambda guard, scope: (EXCEPTION_REQUESTS, guard.events.command(scope, exception_id="digest/0/a/b")),
        "envelope",
    ),
}


class Tried(NamedTuple):
    """What became of all attempts: each exception before and after, its last decision, the dead letters."""

    scopes: Mapping[str, Scope]
    before: Mapping[str, ExceptionCase]
    after: Mapping[str, ExceptionCase]
    decided: Mapping[str, Mapping[str, Any]]
    letters: Mapping[bytes | None, Letter]


@pytest.fixture(scope="module")
def tried(guard: Guard) -> Tried:
    """All attempts at once, each on an exception of its own; between them records that nobody can read."""
    run = uuid.uuid4().hex[:6]
    scopes = {name: SCOPE._replace(tenant=f"{run} {name}") for name in [*ATTEMPTS, *UNREADABLE]}
    with guard.answering(), guard.workflow():
        for depth in range(max(len(attempt.before) for attempt in ATTEMPTS.values())):
            sent = {n: a.before[depth] for n, a in ATTEMPTS.items() if depth < len(a.before)}
            play(guard, scopes, sent)
        guard.ground.wait_for_open_transactions(EXCEPTION_STATE)
        before = guard.states()
        for name, (make, _) in UNREADABLE.items():
            topic, value = make(guard, scopes[name])
            guard.send(topic, scopes[name].exception_id, value)
        play(guard, scopes, {name: attempt.tried for name, attempt in ATTEMPTS.items()})
        ids = {scopes[name].exception_id.encode() for name in UNREADABLE}
        eventually(lambda: ids <= letters(guard).keys())
        guard.ground.wait_for_open_transactions(EXCEPTION_STATE)
        after = guard.states()
    return Tried(scopes, before, after, {d["exception_id"]: d for d in guard.decided()}, letters(guard))


@pytest.mark.parametrize("name", ATTEMPTS)
def test_an_attempt_ends_in_its_reason_and_moves_nothing(tried: Tried, name: str) -> None:
    attempt, id = ATTEMPTS[name], tried.scopes[name].exception_id
    after, decided = tried.after.get(id), tried.decided[id]

    assert (decided["reason_code"], after.status.value if after else None) == (attempt.reason, attempt.status)
    assert tried.before.get(id) == after
    assert attempt.security in (None, decided["security_event"])


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_nobody_can_read_is_a_dead_letter_that_says_at_which_stage(tried: Tried, name: str) -> None:
    _, stage = UNREADABLE[name]

    assert tried.letters[tried.scopes[name].exception_id.encode()].stage == stage


def letters(guard: Guard) -> Mapping[bytes | None, Letter]:
    """Dead letters by the key of the record that they hold."""
    return {letter.record.key: letter for record in guard.dead_letters() if (letter := read_letter(record))}


def play(guard: Guard, scopes: Mapping[str, Scope], acts: Mapping[str, Make]) -> None:
    """Send one record about each exception, and wait until each has been answered."""

    def answers() -> dict[str, list[str]]:
        """The statuses that the answers on each exception led to."""
        found = defaultdict[str, list[str]](list)
        for decided in guard.decided():
            found[decided["exception_id"]].append(decided["to_state"])
        return found

    before = answers()
    for name, make in acts.items():
        topic, value = make(guard, scopes[name])
        guard.send(topic, scopes[name].exception_id, value)

    def unanswered() -> list[str]:
        seen = answers()
        ids = {name: scopes[name].exception_id for name in acts}
        return [n for n, id in ids.items() if seen[id] == before[id] or seen[id][-1] == "CHECKING"]

    until = time.monotonic() + 60
    while unanswered() and time.monotonic() < until:
        time.sleep(0.2)
    assert not unanswered()
