"""Addresses of pages about events, if there are pages."""

from __future__ import annotations

from urllib.parse import quote


def report_address(pages: str, request_id: str) -> str:
    """The page of a request's report. `pages` is the public address of the gateway; empty where there is none."""
    return f"{pages.rstrip('/')}/requests/{quote(request_id, safe='')}" if pages else ""
