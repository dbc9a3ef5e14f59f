"""Writes the picture: `python -m deploy.flow`."""

from __future__ import annotations

from pathlib import Path

from deploy.flow.drawing import drawing

FILE = Path(__file__).with_name("flow.svg")

if __name__ == "__main__":
    FILE.write_text(drawing(), "utf-8")
