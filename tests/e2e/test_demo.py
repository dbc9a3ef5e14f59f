"""The demo, as somebody with five minutes runs it."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

pytestmark = pytest.mark.stack


@pytest.mark.timeout(540)
def test_the_demo_plays_its_cases_and_each_ends_as_expected() -> None:
    """Ends with 0, and case C-1 says what conflicts with what and how to fix it."""
    played = subprocess.run(
        [sys.executable, "-m", "processors.cli", "demo", "--once"],
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )

    assert played.returncode == 0, played.stderr
    said = " ".join(played.stdout.split())
    assert "inventory-sync 1.5.0 needs corex >=2.0.0, and this host runs 1.9.0." in said
    assert "Upgrade corex to 2.0.0" in said
    assert "1.4.2" in said
    assert "Case C-1 over HTTP" in said
    assert "200 BLOCK" in said
    told = set(re.findall(r"POST http://127.0.0.1:\d+(/\S+) (plugin\S+)", said))
    assert told == {
        ("/internal/notify/publish", "plugin.compat.notification"),
        ("/internal/audit/version", "plugin.compat.blocked"),
    }
