"""Why something is refused: one stable word for each condition, and what is of interest to security."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum


class Reason(StrEnum):
    """Reason codes. Auditors filter by them, so a word keeps its meaning for ever."""

    # The proof, in the order in which it is judged.
    PROOF_TOO_LARGE = "PROOF_TOO_LARGE"
    PROOF_MALFORMED = "PROOF_MALFORMED"
    PROOF_NOT_CANONICAL = "PROOF_NOT_CANONICAL"
    PROOF_MISSING = "PROOF_MISSING"
    PROOF_KIND_REFUSED = "PROOF_KIND_REFUSED"
    ALGORITHM_REFUSED = "ALGORITHM_REFUSED"
    UNKNOWN_KEY = "UNKNOWN_KEY"
    KEY_REVOKED = "KEY_REVOKED"
    BAD_SIGNATURE = "BAD_SIGNATURE"
    UNKNOWN_ISSUER = "UNKNOWN_ISSUER"
    WRONG_AUDIENCE = "WRONG_AUDIENCE"
    WRONG_TYPE = "WRONG_TYPE"
    PROOF_EXPIRED = "PROOF_EXPIRED"
    PROOF_NOT_YET_VALID = "PROOF_NOT_YET_VALID"
    PROOF_LIVES_TOO_LONG = "PROOF_LIVES_TOO_LONG"
    LOGIN_TOO_OLD = "LOGIN_TOO_OLD"
    LOGIN_IN_FUTURE = "LOGIN_IN_FUTURE"
    NO_MFA = "NO_MFA"
    NONCE_MISMATCH = "NONCE_MISMATCH"
    OTHER_COMMAND = "OTHER_COMMAND"
    REQUESTER_NOT_PROVED = "REQUESTER_NOT_PROVED"
    OTHER_EXCEPTION = "OTHER_EXCEPTION"
    OTHER_REPORT = "OTHER_REPORT"
    REPORT_SUPERSEDED = "REPORT_SUPERSEDED"
    REPLAYED = "REPLAYED"
    WRONG_STEP = "WRONG_STEP"
    WRONG_ROLE = "WRONG_ROLE"
    SELF_APPROVAL = "SELF_APPROVAL"
    OWNER_APPROVAL = "OWNER_APPROVAL"
    SAME_PERSON_TWICE = "SAME_PERSON_TWICE"
    REASON_MISSING = "REASON_MISSING"
    DURATION_TOO_LONG = "DURATION_TOO_LONG"
    MONITORING_TOO_WEAK = "MONITORING_TOO_WEAK"
    WRONG_DECISION = "WRONG_DECISION"
    # What a command lacks.
    FEATURE_OFF = "FEATURE_OFF"
    NO_SUCH_EXCEPTION = "NO_SUCH_EXCEPTION"
    UNKNOWN_COMMAND = "UNKNOWN_COMMAND"
    ILLEGAL_TRANSITION = "ILLEGAL_TRANSITION"
    NOT_THE_REQUESTER = "NOT_THE_REQUESTER"
    REPORT_MISSING = "REPORT_MISSING"
    REPORT_ALTERED = "REPORT_ALTERED"
    REPORT_NOT_CONFIRMED = "REPORT_NOT_CONFIRMED"
    SUBJECT_ALTERED = "SUBJECT_ALTERED"
    NOTHING_TO_EXCEPT = "NOTHING_TO_EXCEPT"
    UNKNOWN_FINDING = "UNKNOWN_FINDING"
    TOO_MANY_FINDINGS = "TOO_MANY_FINDINGS"
    NEVER_EXCEPTED = "NEVER_EXCEPTED"
    SCOPE_MISMATCH = "SCOPE_MISMATCH"
    RISK_STATEMENT_MISSING = "RISK_STATEMENT_MISSING"
    TEXT_TOO_LONG = "TEXT_TOO_LONG"
    CONTROLS_MISSING = "CONTROLS_MISSING"
    CATEGORY_UNKNOWN = "CATEGORY_UNKNOWN"
    VALIDITY_IN_PAST = "VALIDITY_IN_PAST"
    WINDOW_NOT_ALLOWED = "WINDOW_NOT_ALLOWED"
    EXTENDED_ALREADY = "EXTENDED_ALREADY"
    ORPHAN_DECISION = "ORPHAN_DECISION"
    TOO_MANY_PARKED = "TOO_MANY_PARKED"
    # Why an approved exception does not let a request pass.
    NOT_APPROVED = "NOT_APPROVED"
    ALREADY_USED = "ALREADY_USED"
    UNDER_REVIEW = "UNDER_REVIEW"
    EXCEPTION_EXPIRED = "EXCEPTION_EXPIRED"
    EXCEPTION_REVOKED = "EXCEPTION_REVOKED"
    TENANT_OUT_OF_SCOPE = "TENANT_OUT_OF_SCOPE"
    PLUGIN_OUT_OF_SCOPE = "PLUGIN_OUT_OF_SCOPE"
    VERSION_OUT_OF_SCOPE = "VERSION_OUT_OF_SCOPE"
    HOST_OUT_OF_SCOPE = "HOST_OUT_OF_SCOPE"
    ENVIRONMENT_OUT_OF_SCOPE = "ENVIRONMENT_OUT_OF_SCOPE"
    TARGET_MISSING = "TARGET_MISSING"
    TARGET_OUT_OF_SCOPE = "TARGET_OUT_OF_SCOPE"
    REPORT_NOT_FRESH = "REPORT_NOT_FRESH"
    FINDING_NOT_APPROVED = "FINDING_NOT_APPROVED"
    BAND_RISEN = "BAND_RISEN"
    RISK_NOT_ACKNOWLEDGED = "RISK_NOT_ACKNOWLEDGED"
    MONITORING_PLAN_MISSING = "MONITORING_PLAN_MISSING"
    MONITORING_NOT_COVERING = "MONITORING_NOT_COVERING"
    MONITORING_OWNER_MISSING = "MONITORING_OWNER_MISSING"
    # Why an exception needs review.
    MONITORING_MISSING = "MONITORING_MISSING"
    MONITORING_LOST = "MONITORING_LOST"
    UNKNOWN_EXECUTION = "UNKNOWN_EXECUTION"
    NOT_ASKED = "NOT_ASKED"


SENTENCES: Mapping[Reason, str] = {
    # What is wrong, and the way on where there is one; shown behind the code to whoever is refused.
    Reason.PROOF_TOO_LARGE: "the proof is larger than any honest one",
    Reason.PROOF_MALFORMED: "the proof cannot be read; sign again, with the claims that APPROVALS.md lists",
    Reason.PROOF_NOT_CANONICAL: "the decision is not written in the one form that is signed; sign it again",
    Reason.PROOF_MISSING: "nobody signed it; decide in the approval tool, and ask with a tool that signs",
    Reason.PROOF_KIND_REFUSED: "this needs another kind of proof or another issuer; decide in the approval tool",
    Reason.ALGORITHM_REFUSED: "it is signed by an algorithm that the issuer's keys are not trusted with",
    Reason.UNKNOWN_KEY: "nobody here knows the key; does the issuer publish it, and is it in the policy?",
    Reason.KEY_REVOKED: "the key was revoked before this was signed; sign with a key that stands",
    Reason.BAD_SIGNATURE: "the signature does not fit; the content was changed, or signed with another key",
    Reason.UNKNOWN_ISSUER: "it comes from an issuer that the policy does not trust with this key",
    Reason.WRONG_AUDIENCE: "the token was made for somebody else than the guard",
    Reason.WRONG_TYPE: "the token is of a type that proves something else",
    Reason.PROOF_EXPIRED: "the token was too old when it came; sign again",
    Reason.PROOF_NOT_YET_VALID: "the token is from the future; is the clock of the signing tool right?",
    Reason.PROOF_LIVES_TOO_LONG: "the token is valid for longer than the policy permits",
    Reason.LOGIN_TOO_OLD: "the login was too long ago; log in again, then decide",
    Reason.LOGIN_IN_FUTURE: "the login is in the future; is the clock of the identity provider right?",
    Reason.NO_MFA: "the login had one factor only; log in with a second one, then decide",
    Reason.NONCE_MISMATCH: "the token vouches for another decision than this one",
    Reason.OTHER_COMMAND: "the signature is for another command than this one; sign the command as it is",
    Reason.REQUESTER_NOT_PROVED: "the command names somebody else than its signature; nobody asks for another",
    Reason.OTHER_EXCEPTION: "the decision is about another exception",
    Reason.OTHER_REPORT: "the decision is about another report; look at the current one, then decide",
    Reason.REPORT_SUPERSEDED: "the request was changed since; look at the current report, then decide",
    Reason.REPLAYED: "this very token has been used before; decide anew",
    Reason.WRONG_STEP: "another step is waiting; look which one, then decide that",
    Reason.WRONG_ROLE: "this person has no role that may decide the step",
    Reason.SELF_APPROVAL: "nobody approves their own request; ask somebody else",
    Reason.OWNER_APPROVAL: "who owns the plugin does not approve its exceptions; ask somebody else",
    Reason.SAME_PERSON_TWICE: "this person has approved already; the next approval must be another's",
    Reason.REASON_MISSING: "a decision gives a reason; decide again, with one",
    Reason.DURATION_TOO_LONG: "it asks for more time than this risk permits; ask for less",
    Reason.MONITORING_TOO_WEAK: "the profile watches less than this risk demands",
    Reason.WRONG_DECISION: "this is not a decision that can be taken here",
    Reason.FEATURE_OFF: "exceptions are switched off; take a way out that the report names",
    Reason.NO_SUCH_EXCEPTION: "there is no exception of this id; `compat-guard exception list --all` shows all",
    Reason.UNKNOWN_COMMAND: "nobody knows this command; is the client newer than the guard?",
    Reason.ILLEGAL_TRANSITION: "that is not possible as it stands; `compat-guard exception show` tells how it does",
    Reason.NOT_THE_REQUESTER: "only who asked for it may do that",
    Reason.REPORT_MISSING: "a request rests on the report of a block, and there is none with it",
    Reason.REPORT_ALTERED: "the report is not the one that the guard wrote; ask again from the block itself",
    Reason.REPORT_NOT_CONFIRMED: "the guard answers otherwise by now; ask it again, then for an exception",
    Reason.SUBJECT_ALTERED: "the question is not the one that the report answers; ask again from the block itself",
    Reason.NOTHING_TO_EXCEPT: "nothing blocks; install without an exception",
    Reason.UNKNOWN_FINDING: "it names a finding that the report does not have",
    Reason.TOO_MANY_FINDINGS: "it names more findings than one exception may cover",
    Reason.NEVER_EXCEPTED: "a finding is of a kind that nobody may except; take a way out that the report names",
    Reason.SCOPE_MISMATCH: "plugin, version, host or tenant are not those of the report",
    Reason.RISK_STATEMENT_MISSING: "it does not say enough about what is at risk and why it is worth it",
    Reason.TEXT_TOO_LONG: "a text is too long; say it in fewer words",
    Reason.CONTROLS_MISSING: "a mitigated risk names the controls that mitigate it; add them with --control",
    Reason.CATEGORY_UNKNOWN: "it is neither a waiver nor mitigated",
    Reason.VALIDITY_IN_PAST: "it would end before it began",
    Reason.WINDOW_NOT_ALLOWED: "this risk permits one installation only; ask without --window",
    Reason.EXTENDED_ALREADY: "it was extended once, and that is all; ask anew when it has ended",
    Reason.ORPHAN_DECISION: "no request came for this decision; is the exception's id right?",
    Reason.TOO_MANY_PARKED: "too many decisions wait for a request that has not come",
    Reason.NOT_APPROVED: "it is not approved, or not any more; `compat-guard exception show` tells where it stands",
    Reason.ALREADY_USED: "it was for one installation, and that has happened; ask for another round of it",
    Reason.UNDER_REVIEW: "it waits for a review, and covers nothing until that is done",
    Reason.EXCEPTION_EXPIRED: "its time is over; ask for another round of it",
    Reason.EXCEPTION_REVOKED: "it was revoked; do not install, and roll back if it runs",
    Reason.TENANT_OUT_OF_SCOPE: "it was approved for another tenant",
    Reason.PLUGIN_OUT_OF_SCOPE: "it was approved for another plugin",
    Reason.VERSION_OUT_OF_SCOPE: "it was approved for another version of the plugin",
    Reason.HOST_OUT_OF_SCOPE: "it was approved for another host or host version",
    Reason.ENVIRONMENT_OUT_OF_SCOPE: "it was approved for another environment",
    Reason.TARGET_MISSING: "nobody says where it is installed; add --target, such as the name of a cluster",
    Reason.TARGET_OUT_OF_SCOPE: "it was let pass for another target",
    Reason.REPORT_NOT_FRESH: "the report is another's, or the matrix was refreshed since; ask to install again",
    Reason.FINDING_NOT_APPROVED: "something blocks that was not approved; ask for an exception with the new report",
    Reason.BAND_RISEN: "the risk is higher than the one that was approved; ask with the new report",
    Reason.RISK_NOT_ACKNOWLEDGED: "nobody took the risk; add --acknowledge-risk, in your words",
    Reason.MONITORING_PLAN_MISSING: "nobody says how it is watched; add --monitoring",
    Reason.MONITORING_NOT_COVERING: "the plan watches less than was approved; add what the profile asks for",
    Reason.MONITORING_OWNER_MISSING: "the plan names nobody who watches",
    Reason.MONITORING_MISSING: "it was installed without its monitoring; attach it, or roll back",
    Reason.MONITORING_LOST: "its monitoring is gone; attach it again, or roll back",
    Reason.UNKNOWN_EXECUTION: "nobody let this installation pass; find out how it came to run",
    Reason.NOT_ASKED: "it answers a question that was not asked",
}


def in_words(code: str) -> str:
    """A reason code and what it means; the code alone where a newer guard minted it."""
    try:
        return f"{code}: {SENTENCES[Reason(code)]}"
    except ValueError:
        return code


_INNOCENT = frozenset(
    {
        # Slips of honest people; all other objections to a proof or a use are told to security.
        Reason.WRONG_STEP,
        Reason.REASON_MISSING,
        Reason.ORPHAN_DECISION,
        Reason.DURATION_TOO_LONG,
        Reason.MONITORING_TOO_WEAK,
        Reason.NO_SUCH_EXCEPTION,
        Reason.ILLEGAL_TRANSITION,
    }
)
_ORDER = list(Reason)
_LAST_OF_PROOF = _ORDER.index(Reason.WRONG_DECISION)

SECURITY_REASONS = (
    frozenset(_ORDER[: _LAST_OF_PROOF + 1])
    | {Reason.NOT_THE_REQUESTER, Reason.REPORT_ALTERED, Reason.SUBJECT_ALTERED, Reason.TOO_MANY_PARKED}
    | {Reason.MONITORING_LOST}
) - _INNOCENT
"""Refusals that security is told of: somebody presented a proof or a report that cannot be honest work, or what
nobody let pass runs unwatched."""


class Objection(Exception):
    """A condition that does not hold. `transitions.decide` turns it into an audited refusal.

    Several reasons are given where each stands for itself, so that nobody has to come back for the next one.
    """

    def __init__(self, reasons: Reason | Iterable[Reason], text: str) -> None:
        super().__init__(text)
        self.reasons = (reasons,) if isinstance(reasons, Reason) else tuple(reasons)
        self.text = text
