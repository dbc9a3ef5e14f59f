"""Who gives a command: what its proof must say, and what it must be bound to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from examples.exceptions import ALICE, MINUTE, NOON, PROVIDER, TOOL, command, command_claims, keys, policy, sign

from processors.events.exceptions import Category, CommandKind, ExceptionCommand, Person, ProofKind
from processors.exception_workflow.proof.commands import digest_of, signed_text, verify_command
from processors.exception_workflow.proof.token import nonce
from processors.exception_workflow.rules.reasons import Objection, Reason

RULES = policy().proof


def signed(asked: ExceptionCommand, kid: str = "tool-1", typ: str = "compat-command+jwt", **more: Any) -> str:
    return sign(command_claims(ALICE, NOON, digest_of(signed_text(asked)), **more), kid=kid, typ=typ)


def by_provider(asked: ExceptionCommand, **more: Any) -> ExceptionCommand:
    """The same command, vouched for by an ID token of the identity provider."""
    seconds = NOON // 1000
    plain = {"iss": PROVIDER, "sub": "alice", "aud": "guard-client", "iat": seconds, "exp": seconds + 300}
    token = sign(plain | {"nonce": nonce(signed_text(asked))} | more, kid="idp-1")
    return replace(asked, proof_kind=ProofKind.ID_TOKEN_NONCE, proof=token)


def refused(asked: ExceptionCommand, at: int = NOON) -> Objection:
    with pytest.raises(Objection) as caught:
        verify_command(asked, RULES, keys(), at)
    return caught.value


def test_a_service_names_the_person_it_asks_for() -> None:
    """The identity provider that knows the person is the one that the service may speak for."""
    asked = command()
    author = verify_command(replace(asked, proof=signed(asked)), RULES, keys(), NOON)

    assert author.person == ALICE
    assert author.spent_until == NOON + 5 * MINUTE + RULES.skew


def test_an_id_token_names_the_person_whose_command_its_nonce_is_the_hash_of() -> None:
    """No service is needed: the provider has seen the person, and the nonce binds the words."""
    assert verify_command(by_provider(command()), RULES, keys(), NOON).person == ALICE


CHANGES: list[dict[str, Any]] = [
    {"kind": CommandKind.WITHDRAWN},
    {"command_id": "another"},
    {"exception_id": "another"},
    {"scope": command().scope._replace(tenant="rich")},
    {"request_id": "another"},
    {"report_digest": "another"},
    {"finding_ids": ("0123456789abcdef", "f" * 16)},
    {"risk_statement": "only a typo"},
    {"category": Category.MITIGATED},
    {"compensating_controls": ("somebody watches",)},
    {"valid_until": NOON + MINUTE},
    {"single_use": False},
    {"reason": "because"},
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: next(iter(change)))
def test_a_proof_is_for_every_word_of_its_command(change: dict[str, Any]) -> None:
    """What was signed cannot be put under anything else, whichever way it was signed."""
    asked = command()
    by_service, by_token = replace(asked, proof=signed(asked)), by_provider(asked)

    assert refused(replace(by_service, **change)).reasons == (Reason.OTHER_COMMAND,)
    assert refused(replace(by_token, **change)).reasons == (Reason.OTHER_COMMAND,)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param({"proof": None}, Reason.PROOF_MISSING, id="none"),
        pytest.param({"proof": "x" * 20_000}, Reason.PROOF_TOO_LARGE, id="too large"),
        pytest.param({"proof": "a.b"}, Reason.PROOF_MALFORMED, id="two parts"),
        pytest.param(
            {"proof_kind": ProofKind.UNKNOWN, "proof": signed(command())}, Reason.WRONG_TYPE, id="no kind"
        ),
        pytest.param({"proof": signed(command(), kid="unknown")}, Reason.UNKNOWN_KEY, id="unknown key"),
        pytest.param({"proof": signed(command(), kid="retired-1")}, Reason.KEY_REVOKED, id="revoked key"),
        pytest.param({"proof": signed(command(), aud="x")}, Reason.WRONG_AUDIENCE, id="made for another"),
        pytest.param({"proof": signed(command(), typ="jwt")}, Reason.WRONG_TYPE, id="a token of another kind"),
        pytest.param({"proof": signed(command(), exp=NOON // 1000 - 61)}, Reason.PROOF_EXPIRED, id="expired"),
        pytest.param({"proof": signed(command(), iss=PROVIDER)}, Reason.UNKNOWN_ISSUER, id="issuer of another key"),
        pytest.param(
            {"proof": signed(command(), idp="https://evil.example")},
            Reason.UNKNOWN_ISSUER,
            id="people of a provider that the service may not speak for",
        ),
        pytest.param(
            {"requester": Person(PROVIDER, "bob"), "proof": signed(command())},
            Reason.REQUESTER_NOT_PROVED,
            id="the record names another",
        ),
        pytest.param(
            {"requester": Person(TOOL, "alice"), "proof": signed(command())},
            Reason.REQUESTER_NOT_PROVED,
            id="the record names another provider",
        ),
    ],
)
def test_a_command_whose_proof_does_not_hold_says_why(change: dict[str, Any], reason: Reason) -> None:
    """One reason each, the first in the order of checks."""
    assert refused(replace(command(), **change)).reasons == (reason,)


def test_a_service_that_signs_decisions_only_gives_no_commands() -> None:
    """Its key may approve; whoever has it cannot ask in the name of everybody as well."""
    asked = command()
    (tool, *others) = RULES.issuers
    narrow = [key for found in keys().by_kid.values() for key in found]
    ring = keys().__class__(
        {
            key.kid: (replace(key, issuer=key.issuer.model_copy(update={"proves": ("decisions",)})),)
            for key in narrow
        }
    )
    assert tool.issuer == TOOL
    assert others
    with pytest.raises(Objection) as caught:
        verify_command(replace(asked, proof=signed(asked)), RULES, ring, NOON)

    assert caught.value.reasons == (Reason.PROOF_KIND_REFUSED,)


def test_every_claim_that_is_missing_is_told_at_once() -> None:
    """Nobody who writes a tool has to come back for the next one."""
    told = refused(replace(command(), proof=sign({"iss": TOOL, "exp": "soon"}, typ="compat-command+jwt")))

    assert told.text == "claims missing: sub, iat, command_digest; malformed: exp"


def test_commands_from_before_they_were_signed_count_as_they_were_taken() -> None:
    """A rebuild from the topics sees them again. The time is the broker's, so nobody can date a command back."""
    rules = RULES.model_copy(update={"commands_signed_since": NOON})

    assert verify_command(command(), rules, keys(), NOON - 1).person == ALICE
    with pytest.raises(Objection):
        verify_command(command(), rules, keys(), NOON)
