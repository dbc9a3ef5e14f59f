"""What was measured, each beside its baseline of the same run."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console

talk = Console(stderr=True)


@dataclass(frozen=True)
class Figure:
    name: str
    unit: str
    value: float
    ratio_to: str | None = None
    ratio: float | None = None
    spread: float | None = None
    """How far apart the rounds were, as a share of the median."""


class Figures:
    """What was measured so far, shown as it comes."""

    def __init__(self) -> None:
        self.all: list[Figure] = []

    def add(
        self, name: str, unit: str, value: float, against: str | None = None, spread: float | None = None
    ) -> None:
        baseline = next((f.value for f in self.all if f.name == against), None)
        figure = Figure(name, unit, value, against, value / baseline if baseline else None, spread)
        self.all.append(figure)
        ratio = f", {figure.ratio:.2f} of {against}" if figure.ratio is not None else ""
        talk.print(f"  {name}: {number(value)} {unit}{ratio}", highlight=False)


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.1f}"
