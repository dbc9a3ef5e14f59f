"""All pages, for the application to include."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fastapi import APIRouter

from processors.gateway.console import (
    asking,
    check,
    deciding,
    deliveries,
    exceptions,
    findings,
    home,
    ledger,
    live,
    login,
    matrix,
    reports,
    search,
    static,
    staying,
    verifying,
)

PAGES: Final[Sequence[APIRouter]] = (
    home.router,
    search.router,
    check.router,
    reports.router,
    deciding.router,
    asking.router,
    exceptions.router,
    ledger.router,
    verifying.router,
    matrix.router,
    live.router,
    deliveries.router,
    findings.router,
    login.router,
    staying.router,
    static.router,
)
