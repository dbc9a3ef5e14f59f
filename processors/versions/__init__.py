"""Versions and ranges in eight dialects over one interval model. Pure; every room may import it."""

from processors.versions.model import Dialect, Distance, Interval, Range, Version
from processors.versions.parse import EXAMPLES, between, parse_range, parse_version, satisfies

__all__ = [
    "EXAMPLES",
    "Dialect",
    "Distance",
    "Interval",
    "Range",
    "Version",
    "between",
    "parse_range",
    "parse_version",
    "satisfies",
]
