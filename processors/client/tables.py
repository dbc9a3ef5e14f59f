"""A table as a command reads it: completely, once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from processors.bootstrap.clients import stream_settings
from processors.configuration.settings import Settings
from processors.stream.io.clients import reader
from processors.stream.loop.table import Table
from processors.stream.types import Fold, Reject

PATIENCE: Final = 30.0
"""Seconds without a record after which the broker counts as unavailable."""


def load(of: Settings, fold: Fold, name: str) -> Sequence[Reject]:
    """Fill a fold to the end of its topic; returns what it refused. `name` is the reader's.

    Raises BrokerUnavailable, and SettingsInvalid if there is no such topic.
    """
    table = Table(reader(stream_settings(of), name, brief=True), fold)
    try:
        return table.load(PATIENCE)
    finally:
        table.close()
