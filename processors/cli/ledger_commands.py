"""All commands of `compat-guard ledger`, which stand in several files and share one app."""

from processors.cli import ledger_reconcile, ledger_upkeep
from processors.cli.ledger import app

__all__ = ["app", "ledger_reconcile", "ledger_upkeep"]
