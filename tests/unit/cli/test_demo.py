"""What the demo shows of commands."""

from __future__ import annotations

import shlex

from processors.cli.demo.commands import folded


def test_a_command_fits_the_terminal_and_is_still_that_command() -> None:
    words = ["request", "--manifest", "plugin.yaml", "--acknowledge-risk=I watch it until Sunday", "x" * 90]
    shown = folded(words, 40)

    assert shlex.split(shown.replace("\\\n", "")) == ["$", "compat-guard", *words]
    for line in shown.splitlines():
        assert len(line) <= 40 or len(shlex.split(line.removesuffix("\\"))) == 1  # a word is never broken
