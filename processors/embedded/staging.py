"""A folder that is either complete or not there, and a lock that ends with its holder."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def complete_folder(folder: Path) -> Generator[Path]:
    """Yields an empty folder to fill; it becomes `folder` only if the block ends well.

    A process that is killed in the block leaves nothing under the final name. What it left under the
    temporary one is removed by the next attempt, so the caller must hold a lock on the place.
    """
    staging = folder.with_name(folder.name + ".partial")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    try:
        yield staging
        staging.rename(folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def write_whole(file: Path, text: str) -> None:
    """Replace the file in one step, readable by its owner alone. A reader sees the old text or the new one."""
    fresh = file.with_name(f"{file.name}.{os.getpid()}.partial")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(text)
    fresh.replace(file)


class FileLock:
    """An advisory lock that the kernel gives back when the holder dies, however it dies.

    Not reentrant, and not inherited by child processes.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._held: IO[str] | None = None

    def acquire(self, *, wait: bool) -> bool:
        """True if this process holds the lock; False at once if another one does and `wait` is off."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        handle = self._file.open("a")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            handle.close()
            return False
        self._held = handle
        return True

    def release(self) -> None:
        """Give the lock back; the file stays, because deleting it would let two holders in."""
        if self._held:
            self._held.close()
            self._held = None

    def __enter__(self) -> FileLock:
        self.acquire(wait=True)
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
