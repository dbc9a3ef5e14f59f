"""Why something is refused: one stable word for each condition, and which refusals security is notified of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum


class Reason(StrEnum):
    """Reason codes. Auditors filter by them, so a word keeps its meaning for ever."""

    # The proof, in the order in which it is checked.
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
    # What is missing in a command.
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
    # Why an approved exception does not permit a request.
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
    # What is wrong, and what to do about it if there is something; shown after the code.
    Reason.PROOF_TOO_LARGE: "the proof is larger than any valid one",
    Reason.PROOF_MALFORMED: "the proof cannot be read; sign again, with the claims that APPROVALS.md lists",
    Reason.PROOF_NOT_CANONICAL: "the decision is not in canonical form; sign it again",
    Reason.PROOF_MISSING: "it is not signed; decide in the approval tool, or send it with a tool that signs",
    Reason.PROOF_KIND_REFUSED: "this needs another kind of proof or another issuer; decide in the approval tool",
    Reason.ALGORITHM_REFUSED: "it is signed by an algorithm that the issuer's keys are not trusted with",
    Reason.UNKNOWN_KEY: "the key is unknown; does the issuer publish it, and is it in the policy?",
    Reason.KEY_REVOKED: "the key was revoked before this arrived; sign with a valid key",
    Reason.BAD_SIGNATURE: "the signature does not match; the content was changed, or signed with another key",
    Reason.UNKNOWN_ISSUER: "it comes from an issuer that the policy does not trust with this key",
    Reason.WRONG_AUDIENCE: "the token was issued for another audience than the guard",
    Reason.WRONG_TYPE: "the token has a type that proves something else",
    Reason.PROOF_EXPIRED: "the token had expired when it arrived; sign again",
    Reason.PROOF_NOT_YET_VALID: "the token is from the future; is the clock of the signing tool right?",
    Reason.PROOF_LIVES_TOO_LONG: "the token is valid for longer than the policy permits",
    Reason.LOGIN_TOO_OLD: "the login was too long ago; log in again, then decide",
    Reason.LOGIN_IN_FUTURE: "the login is in the future; is the clock of the identity provider right?",
    Reason.NO_MFA: "the login had one factor only; log in with a second factor, then decide",
    Reason.NONCE_MISMATCH: "the token vouches for another decision than this one",
    Reason.OTHER_COMMAND: "the signature is for another command than this one; sign the command as it is",
    Reason.REQUESTER_NOT_PROVED: "the command names another person than its signature; name the signer only",
    Reason.OTHER_EXCEPTION: "the decision is about another exception",
    Reason.OTHER_REPORT: "the decision is about another report; look at the current one, then decide",
    Reason.REPORT_SUPERSEDED: "the request was changed since; look at the current report, then decide",
    Reason.REPLAYED: "this token has been used before; decide again",
    Reason.WRONG_STEP: "another step is waiting for approval; decide that one",
    Reason.WRONG_ROLE: "this person has no role that may decide the step",
    Reason.SELF_APPROVAL: "nobody can approve their own request; ask somebody else",
    Reason.OWNER_APPROVAL: "an owner of the plugin cannot approve its exceptions; ask somebody else",
    Reason.SAME_PERSON_TWICE: "this person has approved already; the next approval must come from somebody else",
    Reason.REASON_MISSING: "a decision needs a reason; decide again and give one",
    Reason.DURATION_TOO_LONG: "it asks for more time than this risk permits; ask for less",
    Reason.MONITORING_TOO_WEAK: "the profile monitors less than this risk demands",
    Reason.WRONG_DECISION: "this is not a decision that can be taken here",
    Reason.FEATURE_OFF: "exceptions are switched off; take a way out that the report names",
    Reason.NO_SUCH_EXCEPTION: "there is no exception with this id; `compat-guard exception list --all` shows all",
    Reason.UNKNOWN_COMMAND: "the command is unknown; is the client newer than the guard?",
    Reason.ILLEGAL_TRANSITION: "that is not possible in its current state; see `compat-guard exception show`",
    Reason.NOT_THE_REQUESTER: "only the requester may do that",
    Reason.REPORT_MISSING: "a request needs the report of a block, and has none",
    Reason.REPORT_ALTERED: "the report is not the one that the guard wrote; ask again from the block itself",
    Reason.REPORT_NOT_CONFIRMED: "the guard now gives another answer; ask it again, then request an exception",
    Reason.SUBJECT_ALTERED: "the question is not the one that the report answers; ask again from the block itself",
    Reason.NOTHING_TO_EXCEPT: "nothing blocks; install without an exception",
    Reason.UNKNOWN_FINDING: "it names a finding that the report does not have",
    Reason.TOO_MANY_FINDINGS: "it names more findings than one exception may cover",
    Reason.NEVER_EXCEPTED: "no exception may cover a finding of this kind; take a way out that the report names",
    Reason.SCOPE_MISMATCH: "plugin, version, host or tenant are not those of the report",
    Reason.RISK_STATEMENT_MISSING: "it does not say enough about what is at risk and why it is worth it",
    Reason.TEXT_TOO_LONG: "a text is too long; shorten it",
    Reason.CONTROLS_MISSING: "a mitigated risk names the controls that mitigate it; add them with --control",
    Reason.CATEGORY_UNKNOWN: "the category is neither waiver nor mitigated",
    Reason.VALIDITY_IN_PAST: "the validity would end before it begins",
    Reason.WINDOW_NOT_ALLOWED: "this risk permits one installation only; ask without --window",
    Reason.EXTENDED_ALREADY: "it can be extended only once; make a new request when it has ended",
    Reason.ORPHAN_DECISION: "no request came for this decision; is the exception's id right?",
    Reason.TOO_MANY_PARKED: "too many decisions wait for a request that has not come",
    Reason.NOT_APPROVED: "it is not approved, or no longer; `compat-guard exception show` shows its state",
    Reason.ALREADY_USED: "it was for one installation, which has happened; request it again",
    Reason.UNDER_REVIEW: "it is under review, and covers nothing until that is decided",
    Reason.EXCEPTION_EXPIRED: "it has expired; request it again",
    Reason.EXCEPTION_REVOKED: "it was revoked; do not install, and roll back if it is running",
    Reason.TENANT_OUT_OF_SCOPE: "it was approved for another tenant",
    Reason.PLUGIN_OUT_OF_SCOPE: "it was approved for another plugin",
    Reason.VERSION_OUT_OF_SCOPE: "it was approved for another version of the plugin",
    Reason.HOST_OUT_OF_SCOPE: "it was approved for another host or host version",
    Reason.ENVIRONMENT_OUT_OF_SCOPE: "it was approved for another environment",
    Reason.TARGET_MISSING: "the target is missing; add --target, such as the name of a cluster",
    Reason.TARGET_OUT_OF_SCOPE: "it was permitted for another target",
    Reason.REPORT_NOT_FRESH: "the report is for another request or an older matrix; ask to install again",
    Reason.FINDING_NOT_APPROVED: "something blocks that was not approved; ask for an exception with the new report",
    Reason.BAND_RISEN: "the risk is higher than the one that was approved; ask with the new report",
    Reason.RISK_NOT_ACKNOWLEDGED: "nobody acknowledged the risk; add --acknowledge-risk, in your own words",
    Reason.MONITORING_PLAN_MISSING: "the monitoring plan is missing; add --monitoring",
    Reason.MONITORING_NOT_COVERING: "the plan monitors less than was approved; add what the profile demands",
    Reason.MONITORING_OWNER_MISSING: "the plan names no owner of the monitoring",
    Reason.MONITORING_MISSING: "it was installed without its monitoring; attach it, or roll back",
    Reason.MONITORING_LOST: "its monitoring was lost; attach it again, or roll back",
    Reason.UNKNOWN_EXECUTION: "this installation was not permitted; find out how it came to run",
    Reason.NOT_ASKED: "it answers a question that was not asked",
}


def in_words(code: str) -> str:
    """A reason code and what it means; only the code if a newer guard created it."""
    try:
        return f"{code}: {SENTENCES[Reason(code)]}"
    except ValueError:
        return code


_INNOCENT = frozenset(
    {
        # Honest mistakes; security is notified of all other objections to a proof or a use.
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
"""Refusals that security is notified of: a proof or report that cannot be an honest mistake, or an unmonitored
installation that was not permitted."""


class Objection(Exception):
    """A condition that is not met. `transitions.decide` turns it into an audited refusal.

    Independent reasons are reported together, so that nobody has to come back for the next one.
    """

    def __init__(self, reasons: Reason | Iterable[Reason], text: str) -> None:
        super().__init__(text)
        self.reasons = (reasons,) if isinstance(reasons, Reason) else tuple(reasons)
        self.text = text
