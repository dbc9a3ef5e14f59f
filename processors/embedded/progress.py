"""What a waiting human sees: bars on a terminal, lines elsewhere, nothing in tests."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, TextColumn, TransferSpeedColumn
from rich.progress import Progress as Bars

Advance = Callable[[int], None]


class Progress(Protocol):
    """Told what happens. May be called from several threads; must not raise."""

    def say(self, text: str) -> None:
        """Something began or ended."""
        ...

    def download(self, title: str, size: int) -> AbstractContextManager[Advance]:
        """A download of `size` bytes begins; the yielded function is called with the bytes of each step."""
        ...


class Silent:
    """For callers that only want the result."""

    def say(self, text: str) -> None:
        pass

    @contextmanager
    def download(self, title: str, size: int) -> Generator[Advance]:  # noqa: ARG002  the protocol names them
        yield lambda _: None


class OnConsole:
    """Bars where the console is a terminal, else one line at the start and one at the end of a download."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def say(self, text: str) -> None:
        self._console.print(text, highlight=False)

    @contextmanager
    def download(self, title: str, size: int) -> Generator[Advance]:
        if not self._console.is_terminal:
            self.say(f"downloading {title} ({size / 1e6:.0f} MB), once")
            yield lambda _: None
            self.say(f"downloaded {title}")
            return
        columns = (
            TextColumn("downloading {task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
        )
        with Bars(*columns, console=self._console) as bars:
            bar = bars.add_task(title, total=size)
            yield lambda step: bars.advance(bar, step)
