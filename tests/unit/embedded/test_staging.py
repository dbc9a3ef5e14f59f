"""A folder that is complete or not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from processors.embedded.staging import FileLock, complete_folder, write_whole


def test_a_block_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """Neither under the final name nor under the temporary one."""

    def fill_half() -> None:
        with complete_folder(tmp_path / "folder") as staging:
            (staging / "half").touch()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fill_half()

    assert list(tmp_path.iterdir()) == []


def test_a_block_that_ends_well_leaves_the_folder(tmp_path: Path) -> None:
    """And nothing else."""
    with complete_folder(tmp_path / "folder") as staging:
        (staging / "whole").touch()

    assert list(tmp_path.rglob("*")) == [tmp_path / "folder", tmp_path / "folder" / "whole"]


def test_a_file_is_written_whole_and_for_its_owner_only(tmp_path: Path) -> None:
    """It may hold a password."""
    write_whole(tmp_path / "file", "old")
    write_whole(tmp_path / "file", "new")

    assert (tmp_path / "file").read_text() == "new"
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_a_lock_has_one_holder_at_a_time(tmp_path: Path) -> None:
    """Until it is given back."""
    first, second = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")

    assert first.acquire(wait=False)
    assert not second.acquire(wait=False)
    first.release()
    assert second.acquire(wait=False)
    second.release()
