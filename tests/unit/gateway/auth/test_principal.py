"""Roles are given by positive match, and what is not there matches nothing."""

from __future__ import annotations

from typing import Any

import pytest
from examples.issuers import AUDIENCE, ISSUER, claims
from pydantic import ValidationError

from processors.configuration.gateway import GatewayConfig, Role, TokenIssuer
from processors.gateway.auth.principal import principal, roles, texts

PLATFORM = TokenIssuer(issuer=ISSUER, audiences=(AUDIENCE,), jwks="https://login.example/keys")


def config(**rules: list[dict[str, Any]]) -> GatewayConfig:
    return GatewayConfig.model_validate({"issuers": [PLATFORM.model_dump()], "roles": rules})


DEPLOYERS = config(requester=[{"claim": "groups", "any_of": ["deployer"]}])


def test_a_role_is_held_where_one_rule_matches() -> None:
    assert roles(claims(), ISSUER, DEPLOYERS) == {Role.REQUESTER}


@pytest.mark.parametrize("groups", [None, [], ["Deployer"], "deployers", {"deployer": True}, [1], True])
def test_what_is_absent_or_of_another_kind_matches_nothing(groups: object) -> None:
    assert roles({**claims(), "groups": groups}, ISSUER, DEPLOYERS) == frozenset()


def test_a_rule_may_be_for_one_issuer_only() -> None:
    only = config(requester=[{"claim": "groups", "any_of": ["deployer"], "issuer": ISSUER}])
    assert roles(claims(), ISSUER, only)
    assert not roles(claims(), "https://other.example", only)


def test_a_dot_leads_into_an_object_unless_a_claim_is_called_so() -> None:
    assert texts({"realm": {"roles": ["a"]}}, "realm.roles") == {"a"}
    assert texts({"https://x.example/roles": "a"}, "https://x.example/roles") == {"a"}
    assert texts({"realm": "a"}, "realm.roles") == frozenset()


def test_tenants_come_from_the_token_or_from_the_issuer() -> None:
    assert principal(claims(tenant=["a", "b"]), PLATFORM, DEPLOYERS).tenants == {"a", "b"}
    assert principal(claims(tenant=None), PLATFORM, DEPLOYERS).tenants == frozenset()
    fixed = PLATFORM.model_copy(update={"tenants": ("all-of-us",)})
    assert principal(claims(), fixed, DEPLOYERS).tenants == {"all-of-us"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"roles": {"root": []}},
        {"roles": {"requester": [{"claim": "groups", "not_any_of": ["x"]}]}},
        {"roles": {"requester": [{"claim": "groups", "any_of": []}]}},
        {"roles": {"requester": [{"claim": "groups", "any_of": ["x"], "issuer": "https://unknown.example"}]}},
        {"issuers": [{**PLATFORM.model_dump(), "algorithms": ["HS256"]}]},
        {"issuers": [{**PLATFORM.model_dump(), "jwks": "http://login.example/keys"}]},
        {"issuers": [{**PLATFORM.model_dump(), "jwks": "http://localhost/keys"}]},
        {"issuers": [{**PLATFORM.model_dump(), "audiences": []}]},
        {"issuers": [PLATFORM.model_dump(), PLATFORM.model_dump()]},
        {"issuer": []},
    ],
)
def test_configuration_that_would_weaken_it_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        GatewayConfig.model_validate(wrong)
