"""GET whoami: what the gateway derived from a token; and the keys that the gateway signs with."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from processors.gateway.api.callers import AtDesk, SignedIn
from processors.gateway.problems import PREFIX, Problem, documented, page

router = APIRouter(tags=["identity"])


class Whoami(BaseModel):
    """Who the gateway takes the caller for. Roles and tenants that are missing here were given by no rule."""

    issuer: str
    subject: str
    tenants: list[str] = Field(description="whose requests and exceptions the caller may see and make")
    roles: list[str]


@router.get(
    "/internal/whoami",
    summary="What the gateway derived from the token",
    operation_id="whoami",
    responses=documented(),
)
async def whoami(who: SignedIn) -> Whoami:
    return Whoami(issuer=who.issuer, subject=who.subject, tenants=sorted(who.tenants), roles=sorted(who.roles))


@router.get(
    "/internal/keys",
    summary="The public keys of the gateway",
    operation_id="keys",
    description="A JWKS for `exception_workflow.yaml`: the gateway signs the commands of verified callers.",
)
async def keys(desk: AtDesk) -> dict[str, Any]:
    return desk.keys.public()


@router.get(PREFIX + "{name}", include_in_schema=False, response_class=HTMLResponse)
async def problem(name: str) -> str:
    explained = page(name)
    if explained is None:
        raise Problem("not-found", "there is no such kind of problem")
    return explained
