"""The releases on this machine: downloaded once, verified, and used without network from then on."""

from __future__ import annotations

import os
import shutil
import tarfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_cache_path

from processors.embedded.artifacts import Artifact, Release
from processors.embedded.progress import Advance, Progress
from processors.embedded.staging import FileLock, complete_folder
from processors.errors import Unavailable

if TYPE_CHECKING:
    from jgo.maven import MavenContext

ATTEMPTS = 3


class DownloadFailed(Unavailable):
    """A release could not be downloaded, kept, or was not what its lock file says. The cache is as it was."""

    def __init__(self, release: Release, why: str) -> None:
        super().__init__(
            f"cannot get {release.title} into `{cache_folder()}`: {why}; "
            "try again with network and space, or let GUARD_CACHE name a cache that is filled"
        )
        self.release, self.why = release, why


def cache_folder() -> Path:
    """Where releases are kept: GUARD_CACHE, else the user's cache folder."""
    named = os.environ.get("GUARD_CACHE")
    return Path(named).expanduser().resolve() if named else user_cache_path("compat-guard")


def installed(release: Release, progress: Progress) -> Path:
    """The folder of the release, downloaded if it is not there. Two processes that ask at once download once.

    Raises DownloadFailed. Uses the network only when the release is missing.
    """
    folder = cache_folder() / release.folder
    if folder.is_dir():
        return folder
    try:
        with FileLock(folder.with_name(f"{release.folder}.lock")):
            if not folder.is_dir():
                _install(release, folder, progress)
    except OSError as error:
        raise DownloadFailed(release, str(error)) from error
    return folder


def _install(release: Release, folder: Path, progress: Progress) -> None:
    with complete_folder(folder) as staging, progress.download(release.title, release.size) as advance:
        scratch = staging / ".maven"
        context = _maven(scratch, advance)
        for artifact in release.artifacts:
            _unpack(_fetch(context, release, artifact), staging)
        shutil.rmtree(scratch)


def _maven(scratch: Path, advance: Advance) -> MavenContext:
    """A Maven client that sees nothing but its remote repository, so that the result is the same everywhere."""
    from jgo.maven import MavenContext, PythonResolver  # noqa: PLC0415  a warm start must not need it

    @contextmanager
    def meter(_name: str, _size: int) -> Generator[Advance]:
        yield advance

    mirror = os.environ.get("GUARD_MAVEN_MIRROR")
    return MavenContext(
        repo_cache=scratch,
        local_repos=[],
        remote_repos={"mirror": mirror} if mirror else None,
        resolver=PythonResolver(progress_callback=meter),
        timeout=30,
    )


def _fetch(context: MavenContext, release: Release, artifact: Artifact) -> Path:
    component = context.project(artifact.group, artifact.name).at_version(artifact.version)
    wanted = component.artifact(artifact.classifier, artifact.packaging)
    why = "its digest differs from the lock file's"
    for attempt in range(ATTEMPTS):
        time.sleep(attempt)
        shutil.rmtree(context.repo_cache, ignore_errors=True)  # jgo takes half a file for a whole one
        try:
            file = wanted.resolve()
        except (OSError, RuntimeError) as error:  # requests' errors are OSErrors; jgo's "not found" is the other
            why = str(error)
            continue
        if artifact.is_intact(file):
            return file
    raise DownloadFailed(release, f"`{artifact.coordinate}`: {why}")


def _unpack(file: Path, into: Path) -> None:
    if file.name.endswith(".tar.gz"):
        with tarfile.open(file) as archive:
            archive.extractall(into, filter="data")
    else:
        file.rename(into / file.name)
