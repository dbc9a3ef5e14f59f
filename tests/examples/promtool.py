"""promtool, of the Prometheus that evaluates the rules."""

from __future__ import annotations

import subprocess

import pytest

from processors.embedded.debian import prometheus_tools


def promtool(*arguments: str) -> None:
    """Fails with what it says. Skips the test where there is no promtool."""
    tools = prometheus_tools()
    if tools is None:
        pytest.skip("promtool is not on the PATH, and there is no apt to get Debian's package with")
    done = subprocess.run([tools.promtool, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
