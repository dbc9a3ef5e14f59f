"""Registers all commands of `compat-guard ledger`, which are in several modules and share one app."""

from processors.cli.ledger import people as ledger_people
from processors.cli.ledger import reconcile as ledger_reconcile
from processors.cli.ledger import report as ledger_report
from processors.cli.ledger import taking_up as ledger_taking_up
from processors.cli.ledger import upkeep as ledger_upkeep
from processors.cli.ledger.queries import app

__all__ = ["app", "ledger_people", "ledger_reconcile", "ledger_report", "ledger_taking_up", "ledger_upkeep"]
