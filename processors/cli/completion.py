"""Shell completion: words of closed lists at once, ids and people as far as a broker provides them."""

from __future__ import annotations

from collections.abc import Sequence

from processors.events.vocabulary import Band, Code


def finding_codes(incomplete: str) -> list[str]:
    return [code for code in Code if code != Code.UNKNOWN and code.startswith(incomplete.upper().replace("-", "_"))]


def bands(incomplete: str) -> list[str]:
    return [band for band in Band if band.startswith(incomplete.upper())]


def processors(incomplete: str) -> list[str]:
    from processors.bootstrap.processors import PROCESSORS  # noqa: PLC0415 - only where TAB asks for it

    return _beginning(("all", "gateway", *PROCESSORS), incomplete)


def people(incomplete: str) -> list[str]:
    """The people of this machine's reference approval tool."""
    from processors.bootstrap import development  # noqa: PLC0415 - as above

    return _beginning(list(development.PEOPLE), incomplete)


def exceptions(incomplete: str) -> list[tuple[str, str]]:
    """Open exceptions, with their scope. Nothing if no broker answers: completion must not print errors."""
    from processors.bootstrap.clients import codec  # noqa: PLC0415 - as above
    from processors.cli.waiting import await_answer  # noqa: PLC0415
    from processors.client.exception_facts import OPEN  # noqa: PLC0415
    from processors.client.exceptions import all_cases  # noqa: PLC0415
    from processors.configuration.settings import settings  # noqa: PLC0415
    from processors.errors import GuardError  # noqa: PLC0415
    from processors.exception_workflow.notify.notices import gist  # noqa: PLC0415

    try:
        with codec(settings()) as events:
            cases = await_answer(lambda _tell: all_cases(settings(), events, unverified=True), _PATIENCE)
    except GuardError:
        return []
    open_ = (case for case in cases if case.status in OPEN and case.exception_id.startswith(incomplete))
    return [(case.exception_id, gist(case)) for case in open_]


_PATIENCE = 3.0
"""Seconds that a person waits for completion."""


def _beginning(words: Sequence[str], incomplete: str) -> list[str]:
    return [word for word in words if word.startswith(incomplete)]
