"""What is known to speak against a use before anybody tries it is what the use would be refused for."""

from __future__ import annotations

from typing import Any

import pytest
from examples.exceptions import DAY, HOST_TOO_OLD, NEVER_ASKED, NOON, SCOPE, basis, policy, wants_to_run

from processors.events.exceptions import Status
from processors.events.vocabulary import Band
from processors.exception_workflow.rules.reasons import Reason
from processors.exception_workflow.rules.scope import Blocking, failed_conditions, speaks_against
from processors.exception_workflow.state.case import ExceptionCase

APPROVED = NEVER_ASKED._replace(
    round=1, status=Status.APPROVED, scope=SCOPE, band=Band.HIGH, finding_ids=(HOST_TOO_OLD.id,),
    profile="enhanced", valid_until=NOON + DAY,
)  # fmt: skip
OTHER = Blocking("fedcba9876543210", "API_BREAK")
NEVER = Blocking("0000000000000000", "MATRIX_EXPIRED")


@pytest.mark.parametrize(
    ("case", "report", "reasons"),
    [
        (APPROVED, {}, ()),
        (APPROVED, {"band": Band.CRITICAL}, (Reason.BAND_RISEN,)),
        (APPROVED, {"blocking": (HOST_TOO_OLD, OTHER)}, (Reason.FINDING_NOT_APPROVED,)),
        (APPROVED._replace(finding_ids=(NEVER.id,)), {"blocking": (NEVER,)}, (Reason.NEVER_EXCEPTED,)),
        (APPROVED._replace(valid_until=NOON), {}, (Reason.EXCEPTION_EXPIRED,)),
        (APPROVED._replace(status=Status.REVOKED), {}, (Reason.EXCEPTION_REVOKED,)),
        (APPROVED._replace(status=Status.PENDING), {}, (Reason.NOT_APPROVED,)),
        (APPROVED._replace(scope=SCOPE._replace(environment="night")), {}, (Reason.ENVIRONMENT_OUT_OF_SCOPE,)),
    ],
)
def test_what_speaks_against_a_use_is_what_it_is_refused_for(
    case: ExceptionCase, report: dict[str, Any], reasons: tuple[Reason, ...]
) -> None:
    fresh = basis(**report)

    assert speaks_against(case, SCOPE, fresh, policy(), NOON) == reasons
    assert failed_conditions(case, wants_to_run(basis=fresh).use, policy(), NOON) == reasons
