"""Asking whether a plugin may be installed, with a form."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final, NamedTuple

from fastapi import APIRouter, Query, Request, Response

from processors.bootstrap.exception_workflow import read_policy
from processors.checker.plans.situation import after, can_be_asked_after
from processors.checker.views.outline import outline
from processors.client.exception_facts import monitoring_of
from processors.client.install_request import InstallRequest
from processors.client.results import request_of
from processors.configuration.gateway import Role
from processors.documents.canonical import digest_of
from processors.documents.yaml_writing import to_yaml
from processors.errors import Refused
from processors.events.install_requests import KeptRequest
from processors.events.subject import Subject
from processors.exception_workflow.config import ExceptionPolicy
from processors.exception_workflow.rules.monitoring import covers
from processors.exception_workflow.rules.scope import unavailable
from processors.exception_workflow.state.case import ExceptionCase
from processors.gateway.api.callers import AtDesk, tenant_of
from processors.gateway.api.check import known_result
from processors.gateway.api.check_question import CheckRequest, subject_of, under_exception
from processors.gateway.api.exceptions import own_case
from processors.gateway.asking import Asking, id_under, prepare
from processors.gateway.console.forms import Fault, file, one
from processors.gateway.console.rendering import Page
from processors.gateway.console.routing import PageRoute, show, to
from processors.gateway.console.visitors import Visitor, now_ms, visiting
from processors.gateway.console.waiting import may_see
from processors.gateway.desk import Desk
from processors.gateway.intake import read_form, validated
from processors.gateway.limits import Rate
from processors.gateway.problems import Problem

PATIENCE: Final = 20.0
"""Seconds that a form waits for a verdict before it says that there is none yet."""

router = APIRouter(route_class=PageRoute, include_in_schema=False)
_asking = Asking()


@dataclass(frozen=True, slots=True, kw_only=True)
class Check(Page):
    """The form that asks whether a plugin may be installed. `given` are values of an earlier question."""

    template = "check.html"
    tenants: Sequence[str]
    given: Mapping[str, str]
    again: str
    """The request whose installation it is, and whose manifest counts unless another is chosen."""
    exception: str
    profiles: Mapping[str, Sequence[str]]
    """What each monitoring profile that may be attached demands."""
    key: str
    """Goes with the form, so that a second click on the same form asks nothing twice."""
    plan: str = ""
    """Which way out of that request is tried: its number, or empty for none."""
    planned: str = ""
    """That way out in words."""
    keeps_release: bool = True
    """Whether it is the release that was checked before."""
    case: ExceptionCase | None = None
    """The exception that it is to run under."""
    usable: bool = False
    """Whether that lets anything pass."""
    sees_case: bool = False
    """Whether its page is the visitor's to see, and the words of whoever asked for it."""
    approved_monitoring: str = ""
    """What that demands, as the form names a profile."""
    folded: bool = False
    """Whether the installation is as it was, and need not be looked at."""
    fault: Fault | None = None


@router.get("/check")
async def form(
    request: Request,
    desk: AtDesk,
    visitor: Annotated[Visitor, visiting(Role.REQUESTER)],
    again: Annotated[str, Query(max_length=200)] = "",
    exception: Annotated[str, Query(max_length=200)] = "",
    plan: Annotated[str, Query(max_length=3)] = "",
) -> Response:
    """`again` names a request whose installation fills the form in, `plan` one of its ways out, as it would leave
    the installation."""
    before = await _earlier(desk, visitor, again, plan)
    given: Mapping[str, str] = {} if before is None else _filled(before)
    return show(request, await _page(desk, visitor, before, given, exception))


@router.post("/check")
async def check(
    request: Request, desk: AtDesk, visitor: Annotated[Visitor, visiting(Role.REQUESTER, rate=Rate.CHECK)]
) -> Response:
    fields = await read_form(request)
    before = await _earlier(desk, visitor, one(fields, "again"), one(fields, "plan"))
    try:
        question, keeps_manifest = _question(fields, before)
        tenant = tenant_of(visitor.who, question.tenant)
        subject = await asyncio.to_thread(subject_of, question)
        under = under_exception(question.exception)
    except (Problem, Refused) as error:
        status = _correctable(error)
        if status is None:
            raise
        page = await _page(desk, visitor, before, _typed(fields), one(fields, "exception"), _fault(str(error)))
        return show(request, page, status)
    asked = InstallRequest(
        request_id=id_under(_key(fields, question), visitor.who, tenant, "check"),
        tenant=tenant,
        operator=visitor.who.subject,
        environment=question.environment,
        target=question.target,
        subject=_as_before(subject, before, manifest=keeps_manifest),
        exception=under,
    )
    prepared = await asyncio.to_thread(prepare, desk.events, asked)
    await _asking.ask(desk, prepared, PATIENCE)
    return to(f"/requests/{asked.request_id}")


async def _page(
    desk: Desk,
    visitor: Visitor,
    before: Earlier | None,
    given: Mapping[str, str],
    exception: str,
    fault: Fault | None = None,
) -> Check:
    title = "Install under an exception" if exception else "Check a plugin"
    policy = read_policy(desk.settings)
    case = await own_case(desk, exception, visitor.who) if exception else None
    approved = monitoring_of(case, policy) if case is not None else ""
    shown: Mapping[str, str] = {"monitoring": approved, **given}
    return Check(
        title=title if fault is None else f"Not sent yet: {title}",
        tenants=sorted(visitor.who.tenants),
        given=shown if before is None else {**shown, "plugin": _plugin(before.subject)},
        again="" if before is None else before.asked.request_id,
        exception=exception,
        profiles={} if case is None else profiles_for(case, policy),
        key=str(uuid.uuid4()),
        plan="" if before is None else before.plan,
        planned="" if before is None else before.planned,
        keeps_release=before is None or before.keeps_release,
        case=case,
        usable=case is not None and not unavailable(case, now_ms()),
        sees_case=case is not None and may_see(case, visitor),
        approved_monitoring=approved,
        folded=bool(exception and given.get("host") and given.get("target") and fault is None),
        fault=fault,
    )


def profiles_for(case: ExceptionCase, policy: ExceptionPolicy) -> Mapping[str, Sequence[str]]:
    """Profiles with which an installation under the exception is watched enough, and what each demands."""
    return {
        name: profile.addons
        for name, profile in policy.monitoring.items()
        if covers(policy, case.profile, name, profile.addons)
    }


_TYPED: Final = (
    *("manifest", "manifest_name", "host", "installed", "runtimes", "database", "previous", "environment"),
    *("target", "tenant", "acknowledge_risk", "monitoring"),
)


def _typed(fields: Mapping[str, Any]) -> dict[str, str]:
    """What was typed; a file that was chosen becomes text, because a browser does not choose it again."""
    typed = {name: one(fields, name).replace("\r\n", "\n") for name in _TYPED}
    if (uploaded := file(fields, "manifest_file")) is not None:
        typed |= {"manifest": _as_text(uploaded[1]), "manifest_name": uploaded[0]}
    return typed


def _correctable(error: Problem | Refused) -> int | None:
    """The status under which the form comes back with what is wrong; None where correcting it would not help."""
    if isinstance(error, Refused):
        return 422
    return error.kind.status if error.kind.name in {"unprocessable", "too-large"} else None


def _fault(said: str) -> Fault:
    """Where something is wrong is the first word of what is said of it; all else is about the manifest."""
    place = re.split(r"[\s:.\[]", said, maxsplit=1)[0]
    field = place if place in _TYPED else "acknowledge_risk" if place == "exception" else "manifest"
    return Fault(field, said if said.endswith(".") else f"{said}.")


def _key(fields: Mapping[str, Any], question: CheckRequest) -> str | None:
    """The same for the same form with the same answers: who goes back and changes one asks something else."""
    sent = one(fields, "key")
    return f"{sent[:100]} {digest_of(question.model_dump_json().encode())}" if sent else None


class Earlier(NamedTuple):
    """A request that was asked before, and its question as one of its ways out would leave it."""

    asked: KeptRequest
    subject: Subject
    plan: str = ""
    planned: str = ""
    keeps_release: bool = True
    """Whether that way out leaves the plugin in its version."""


async def _earlier(desk: Desk, visitor: Visitor, request_id: str, plan: str) -> Earlier | None:
    result = await known_result(desk, request_id, visitor.who) if request_id else None
    asked = None if result is None else await desk.read(request_of, desk.settings, desk.events, result)
    if result is None or asked is None:
        return None
    before = Earlier(asked, asked.subject)
    plans = result.report.remediations
    numbers = {str(number) for number, each in enumerate(plans) if can_be_asked_after(each)}
    if plan not in numbers:
        return before
    way = outline(result.report).ways_out[int(plan)]
    subject = after(before.subject, plans[int(plan)])
    same = subject.manifest == before.subject.manifest
    return before._replace(subject=subject, plan=plan, planned=way.sentence, keeps_release=same)


def _as_before(subject: Subject, before: Earlier | None, *, manifest: bool) -> Subject:
    """What the form cannot show of an earlier question is kept where it is about the same host and plugins."""
    if before is None:
        return subject
    earlier = before.subject
    known = {(plugin.id, plugin.version): plugin for plugin in earlier.installed}
    same_host = (subject.host.name, subject.host.version) == (earlier.host.name, earlier.host.version)
    kept = replace(
        subject,
        host=earlier.host if same_host else subject.host,
        installed=tuple(known.get((plugin.id, plugin.version), plugin) for plugin in subject.installed),
    )
    return replace(kept, manifest=earlier.manifest, together=earlier.together) if manifest else kept


def _question(fields: Mapping[str, Any], before: Earlier | None) -> tuple[CheckRequest, bool]:
    """What the form says, and whether the earlier manifest counts. Raises Problem.

    The manifest is a file or a text; lists have one entry a line.
    """
    uploaded = file(fields, "manifest_file")
    if uploaded is None:
        name = one(fields, "manifest_name") or "plugin.yaml"
        content = one(fields, "manifest").replace("\r\n", "\n")  # of a file that is sent again as text, too
    else:
        name, content = uploaded[0], _text(uploaded[1])
    keeps_manifest = before is not None and not content.strip()
    if before is not None and keeps_manifest:  # the earlier one takes its place once the rest is read
        name = "plugin.yaml"
        content = to_yaml({"id": before.subject.manifest.id, "version": before.subject.manifest.version})
    if not content.strip():
        raise Problem("unprocessable", "choose a manifest, or paste its text")
    question = _validated(fields, name, content)
    return question, keeps_manifest


def _validated(fields: Mapping[str, Any], name: str, content: str) -> CheckRequest:
    return validated(
        {
            "manifest": {"name": name[:255], "content": content},
            "host": one(fields, "host").strip(),
            "installed": _lines(one(fields, "installed")),
            "runtimes": _lines(one(fields, "runtimes")),
            "environment": one(fields, "environment").strip() or "production",
            **{name: text for name in _OPTIONAL if (text := one(fields, name).strip())},
            **_under(fields),
        },
        CheckRequest,
    )


_OPTIONAL: Final = ("database", "previous", "tenant", "target")


def _under(fields: Mapping[str, Any]) -> dict[str, Any]:
    exception = one(fields, "exception").strip()
    if not exception:
        return {}
    profile, _, addons = one(fields, "monitoring").partition(":")
    attached = [addon.strip() for addon in addons.split(",") if addon.strip()]
    use = {"id": exception, "acknowledge_risk": one(fields, "acknowledge_risk").strip() or None}
    return {"exception": {**use, "monitoring": profile or None, "addons": attached}}


def _filled(before: Earlier) -> Mapping[str, str]:
    """What a form about the same installation says."""
    asked, subject = before.asked, before.subject
    return {
        "host": f"{subject.host.name}@{subject.host.version}",
        "installed": "\n".join(f"{plugin.id}@{plugin.version}" for plugin in subject.installed),
        "runtimes": "\n".join(f"{runtime.id}@{runtime.version}" for runtime in subject.runtimes),
        "database": f"{subject.database.id}@{subject.database.version}" if subject.database else "",
        "previous": subject.previous_version or "",
        "environment": asked.environment,
        "target": asked.target,
        "tenant": asked.tenant,
    }


def _plugin(subject: Subject) -> str:
    return f"{subject.manifest.id} {subject.manifest.version}"


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _as_text(content: bytes) -> str:
    """Empty for what is no text: half of it, mangled, would look like what was chosen."""
    try:
        return _text(content)
    except Problem:
        return ""


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Problem("unprocessable", "the manifest: expected UTF-8") from None
