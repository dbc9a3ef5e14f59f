"""Durations as configuration files have them: `30s`, `10m`, `4h`, `7d`."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from pydantic import BeforeValidator

from processors.errors import shorten

_UNITS: Final = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_DURATION: Final = re.compile(r"(\d{1,6})(ms|s|m|h|d)")


def duration(text: Any) -> int:
    """Milliseconds. Raises ValueError for invalid or zero durations."""
    match = _DURATION.fullmatch(str(text))
    if match is None or int(match[1]) == 0:
        raise ValueError(f"`{shorten(str(text))}` is not a duration such as 30s, 10m, 4h or 7d")
    return int(match[1]) * _UNITS[match[2]]


Duration = Annotated[int, BeforeValidator(duration)]
"""A field of a configuration file, in milliseconds."""
