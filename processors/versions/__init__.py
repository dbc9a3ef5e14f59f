"""Versions and ranges in many dialects over one interval model. Pure; every room may import it."""

from processors.versions.model import Dialect, Distance, Interval, Range, Version
from processors.versions.parse import EXAMPLES, between, hint, parse_range, parse_version, satisfies
from processors.versions.reported import known_runtime, scheme_of

__all__ = [
    "EXAMPLES",
    "Dialect",
    "Distance",
    "Interval",
    "Range",
    "Version",
    "between",
    "hint",
    "known_runtime",
    "parse_range",
    "parse_version",
    "satisfies",
    "scheme_of",
]
