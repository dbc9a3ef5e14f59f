"""The state machine as a Mermaid diagram, generated from the transition table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from processors.exception_workflow.rules.transitions import NEVER_ASKED, TABLE, Row


def draw() -> str:
    """The diagram of README.md. Triggers with the same source and target share an arrow; the order is stable."""
    arrows: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for on, row in TABLE.items():
        for arrow in _arrows(row):
            arrows[arrow].append(on.value)
    lines = [f"    {source} --> {target}: {', '.join(names)}" for (source, target), names in sorted(arrows.items())]
    return "\n".join(["stateDiagram-v2", *lines]) + "\n"


def _arrows(row: Row) -> Iterator[tuple[str, str]]:
    for source in row.sources:
        for target in {source} if row.stays else row.targets:
            yield "[*]" if source is NEVER_ASKED else source.value, target.value


if __name__ == "__main__":
    print(draw(), end="")
