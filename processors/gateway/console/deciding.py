"""Deciding an exception: what is shown is what is signed, and it is signed by logging in once more.

The decision is written down as the one canonical text that the workflow knows. Its hash is the nonce of a new
login, so that the identity provider's ID token vouches for the person, the second factor, the time and the content.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Request, Response

from processors.bootstrap.exception_workflow import read_policy
from processors.client.approval_path import PathStep, Progress, path_of
from processors.configuration.gateway import Role
from processors.documents import json_text
from processors.exception_workflow.proof.claims import REASON_LIMIT, Verb
from processors.exception_workflow.proof.token import canonical, nonce
from processors.exception_workflow.rules.timers import REVIEWING, current_step
from processors.exception_workflow.state.case import ExceptionCase
from processors.gateway.api.callers import AtDesk
from processors.gateway.api.exceptions import Approval, hand_in, own_case
from processors.gateway.console.exceptions import story_of
from processors.gateway.console.forms import one
from processors.gateway.console.leaving import begin_login
from processors.gateway.console.rendering import Page
from processors.gateway.console.routing import PageRoute, show, to
from processors.gateway.console.sessions import AsShown, OpenDecision
from processors.gateway.console.terms import Terms, terms_of
from processors.gateway.console.visitors import Visitor, visiting
from processors.gateway.desk import Desk
from processors.gateway.intake import read_form
from processors.gateway.limits import Rate
from processors.gateway.problems import Problem

PATIENCE: Final = 20.0

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign(Page):
    """What is about to be signed: in words, as the exact text, and as the hash that the login carries."""

    template = "sign.html"
    id: str
    case: ExceptionCase
    terms: Terms
    verb: str
    step: PathStep | None
    reason: str
    follows: str
    """What comes of the decision if it counts."""
    text: str
    nonce: str


@router.post("/exceptions/{exception_id}/decision")
async def decide(
    request: Request,
    exception_id: str,
    desk: AtDesk,
    visitor: Annotated[Visitor, visiting(Role.APPROVER, rate=Rate.APPROVE)],
) -> Response:
    """Write a decision down. Refused where the exception has moved since its page was loaded."""
    fields = await read_form(request)
    case = await own_case(desk, exception_id, visitor.who)
    verb, reason = _verb(one(fields, "decision")), one(fields, "reason").replace("\r\n", "\n").strip()
    step = current_step(case, read_policy(desk.settings)) if case.status in REVIEWING else None
    expected = (case.report_digest, "" if step is None or verb is Verb.REVOKE else step.name)
    if (one(fields, "report_digest"), one(fields, "step") if verb is not Verb.REVOKE else "") != expected:
        raise _moved(exception_id)
    if fault := _slip(verb, reason):
        return show(request, await story_of(desk, visitor, case, fault=fault, typed=reason), 422)
    if visitor.session is None:
        raise Problem("refused", "nobody logs in here, so nobody can sign")
    id = str(uuid.uuid4())
    text = canonical(
        {
            "exception_id": exception_id,
            "report_digest": case.report_digest,
            "decision": verb.value,
            "reason": reason,
            "jti": id,
            **({"step": expected[1]} if expected[1] else {}),
        }
    )
    visitor.session.open(id, OpenDecision(exception_id, text, AsShown.of(case)))
    return to(_place(exception_id, id))


@router.get("/exceptions/{exception_id}/decisions/{id}")
async def shown(
    request: Request, exception_id: str, id: str, desk: AtDesk, visitor: Annotated[Visitor, visiting(Role.APPROVER)]
) -> Response:
    decision = _opened(visitor, exception_id, id)
    case = await own_case(desk, decision.exception_id, visitor.who)
    content: Any = json_text.load(decision.text.encode())
    require_as_shown(case, decision)
    policy = read_policy(desk.settings)
    path = path_of(policy, case.band, case)
    step = next((step for step in path if step.name == content.get("step")), None)
    page = Sign(
        title=f"Sign: {'refuse' if content['decision'] == Verb.DENY else content['decision']}",
        id=id,
        case=case,
        terms=await terms_of(desk, case, policy),
        verb=content["decision"],
        step=step,
        reason=content["reason"],
        follows=_follows(Verb(content["decision"]), step, path),
        text=decision.text,
        nonce=nonce(decision.text),
    )
    return show(request, page)


@router.post("/exceptions/{exception_id}/decisions/{id}/signature")
async def sign(
    exception_id: str,
    id: str,
    desk: AtDesk,
    visitor: Annotated[Visitor, visiting(Role.APPROVER, rate=Rate.APPROVE)],
) -> Response:
    """To the identity provider, for a login whose nonce is the hash of what was shown."""
    decision = _opened(visitor, exception_id, id)
    require_as_shown(await own_case(desk, exception_id, visitor.who), decision)
    return begin_login(desk, back=_place(exception_id, id), nonce=nonce(decision.text), decision=id)


async def hand_in_signed(desk: Desk, visitor: Visitor, decision: OpenDecision, token: str) -> str:
    """What to say of a decision that its ID token proves: `counted`, or `later` if nobody has judged it yet."""
    require_as_shown(await own_case(desk, decision.exception_id, visitor.who), decision)
    handed = Approval(
        exception_id=decision.exception_id, proof=token, proof_kind="ID_TOKEN_NONCE", decision=decision.text
    )
    decided = await hand_in(desk, handed, visitor.who, PATIENCE)
    return "later" if decided is None or decided.event == "parked" else "counted"


def require_as_shown(case: ExceptionCase, decision: OpenDecision) -> None:
    """Raises Problem where something else is asked for than what was shown to whoever signs: the text that is
    signed names the report, and neither the words of the request nor its end."""
    if AsShown.of(case) != decision.about:
        raise _moved(decision.exception_id)


def _moved(exception_id: str) -> Problem:
    return Problem(
        "refused", "the exception has moved since you loaded its page; look at it again", exception_id=exception_id
    )


def _slip(verb: Verb, reason: str) -> str:
    """What is wrong with a decision before anybody signs it; empty if nothing."""
    if verb is not Verb.APPROVE and not reason:
        return f"Say why you {verb.value if verb is Verb.REVOKE else 'refuse'}."
    return f"A reason has at most {REASON_LIMIT} characters." if len(reason) > REASON_LIMIT else ""


def _follows(verb: Verb, step: PathStep | None, path: Sequence[PathStep]) -> str:
    if verb is Verb.REVOKE:
        return "It ends at once, and nothing is let pass under it any more."
    if verb is Verb.DENY:
        return "The request ends; it stays blocked."
    if step is None or len(step.given) + 1 < step.approve:
        return "Your approval is one of several that this step needs."
    left = [other.name for other in path if other.progress is not Progress.DONE and other.name != step.name]
    return f"Then {left[0]} decides." if left else "It is approved, and whoever asked may install it."


def _place(exception_id: str, id: str) -> str:
    """The address of a decision that waits for its signature. It names the exception, which whoever cannot sign it
    is led back to."""
    return f"/exceptions/{quote(exception_id, safe='')}/decisions/{quote(id, safe='')}"


def _opened(visitor: Visitor, exception_id: str, id: str) -> OpenDecision:
    found = None if visitor.session is None else visitor.session.decisions.get(id)
    if found is None or found.exception_id != exception_id:
        raise Problem("not-found", "there is no such decision of yours; it was signed, or your session ended")
    return found


def _verb(text: str) -> Verb:
    try:
        return Verb(text)
    except ValueError:
        raise Problem("malformed", "decision: expected approve, deny or revoke") from None
