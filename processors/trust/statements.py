"""Statements of sources about matrices and policies, and their refusal."""

from __future__ import annotations

from typing import Literal, NamedTuple

from processors.errors import Refused

Purpose = Literal["matrix-refresh", "matrix-withdrawal", "security-policy", "security-policy-withdrawal"]


class Untrusted(Refused):
    """A statement that only a trusted source may make, without a valid signature of one."""

    reason = "untrusted"


class Statement(NamedTuple):
    """A statement of a source. Times are milliseconds since the epoch, UTC.

    `serial` increases with each statement about the same subject. `purpose` keeps a signature from being used for
    anything else.
    """

    purpose: Purpose
    source: str
    subject: str
    digest: str
    issued_at: int
    expires_at: int
    serial: int
