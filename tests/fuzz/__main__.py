"""`python -m fuzz TARGET [options of libFuzzer]`: the targets under Google's atheris, which looks for new ways.

It is in no lock, as it has no wheel for every Python that the guard runs on. Give it an environment of its own:

    python3.11 -m venv /tmp/fuzz && /tmp/fuzz/bin/pip install --require-hashes -r requirements-dev.txt
    /tmp/fuzz/bin/pip install atheris
    PYTHONPATH=.:tests /tmp/fuzz/bin/python -m fuzz codec -max_total_time=300

What it finds, `crash-*`, belongs among the findings in `targets.py`.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris  # pyright: ignore[reportMissingImports]

with atheris.instrument_imports(include=["processors"]):  # pyright: ignore
    from fuzz.targets import TARGETS


def main() -> None:
    target = TARGETS[sys.argv[1]]
    folder = Path(tempfile.mkdtemp(prefix=f"fuzz-{target.name}-"))
    for number, seed in enumerate(target.corpus()):
        (folder / str(number)).write_bytes(seed)
    atheris.Setup([sys.argv[0], *sys.argv[2:], str(folder)], target)  # pyright: ignore
    atheris.Fuzz()  # pyright: ignore


if __name__ == "__main__":
    main()
