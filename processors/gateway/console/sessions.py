"""Who is logged in: kept here, so that a cookie says nothing and can be ended. Belongs to the event loop.

A replica knows only its own sessions: a balancer keeps a browser at one replica, and whoever comes to another one
logs in again.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Self

from processors.exception_workflow.state.case import Asked, ExceptionCase

IDLE: Final = 30 * 60.0
"""Seconds without a request after which a session ends."""

LONGEST: Final = 10 * 3600.0
"""Seconds after which it ends whatever happens."""

MOST: Final = 10_000
MOST_OPEN: Final = 20
"""Decisions of one session that wait for a signature."""


class AsShown(NamedTuple):
    """Everything that moves what an approval lets pass. Other people's approvals are no part of it."""

    asked: Asked
    until: int | None
    opened_at: int
    request_id: str

    @classmethod
    def of(cls, case: ExceptionCase) -> Self:
        return cls(case.asked, case.asked_until, case.opened_at, case.request_id)


@dataclass(frozen=True, slots=True)
class OpenDecision:
    """A decision that its person has written and not signed yet. `text` is exactly what will be signed, `about`
    what was asked for when it was shown."""

    exception_id: str
    text: str
    about: AsShown


@dataclass(slots=True)
class Session:
    """One browser of one person. `claims` are those of the ID token that they logged in with."""

    claims: Mapping[str, Any]
    began: float
    seen: float
    decisions: OrderedDict[str, OpenDecision] = field(default_factory=OrderedDict[str, OpenDecision])

    @property
    def subject(self) -> str:
        return str(self.claims["sub"])

    def open(self, id: str, decision: OpenDecision) -> None:
        """Keep a decision until it is signed; the oldest makes room."""
        self.decisions[id] = decision
        while len(self.decisions) > MOST_OPEN:
            self.decisions.popitem(last=False)


class Sessions:
    """Sessions by what their cookie says, of which only the hash is kept. The one unused for longest makes room."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, most: int = MOST) -> None:
        self._clock, self._most = clock, most
        self._sessions: OrderedDict[bytes, Session] = OrderedDict()

    def begin(self, claims: Mapping[str, Any]) -> str:
        """What the cookie of a new session says."""
        cookie, now = secrets.token_urlsafe(32), self._clock()
        self._sessions[_hash(cookie)] = Session(claims, now, now)
        while len(self._sessions) > self._most:
            self._sessions.popitem(last=False)
        return cookie

    def find(self, cookie: str) -> Session | None:
        """The session, which is thereby used; None if there is none, or it is over."""
        key, now = _hash(cookie), self._clock()
        session = self._sessions.get(key)
        if session is None:
            return None
        if _ends(session) <= now:
            del self._sessions[key]
            return None
        session.seen = now
        self._sessions.move_to_end(key)
        return session

    def left(self, cookie: str) -> float:
        """Seconds for which the session lasts if it is not used; looking does not use it. 0 where there is none."""
        session = self._sessions.get(_hash(cookie))
        return 0.0 if session is None else max(0.0, _ends(session) - self._clock())

    def end(self, cookie: str) -> None:
        self._sessions.pop(_hash(cookie), None)


def _ends(session: Session) -> float:
    return min(session.seen + IDLE, session.began + LONGEST)


def _hash(cookie: str) -> bytes:
    return hashlib.sha256(cookie.encode()).digest()
