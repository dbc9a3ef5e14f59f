"""What sources say of matrices and policies, and what is refused of it."""

from __future__ import annotations

from typing import Literal, NamedTuple

from processors.errors import Refused

Purpose = Literal["matrix-refresh", "matrix-withdrawal", "security-policy", "security-policy-withdrawal"]


class Untrusted(Refused):
    """Something that only a trusted source may say, and that none of them said, or said for now."""

    reason = "untrusted"


class Statement(NamedTuple):
    """What a source says. Times are milliseconds since the epoch, UTC; `serial` rises with each statement about the
    same subject. `purpose` keeps a signature from being used for anything else."""

    purpose: Purpose
    source: str
    subject: str
    digest: str
    issued_at: int
    expires_at: int
    serial: int
