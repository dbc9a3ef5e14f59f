"""Prometheus and Alertmanager from Debian: those on the PATH, else unpacked into the user's cache.

Unpacking a package needs no root, installs nothing and starts nothing; without apt they are not available.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from processors.embedded.cache import cache_folder
from processors.embedded.staging import FileLock, complete_folder

PACKAGES: Final = ("prometheus", "prometheus-alertmanager")
_TEMPLATES: Final = "usr/share/prometheus/alertmanager"
NEEDED: Final = ("apt-get", "dpkg-deb")


class PrometheusTools(NamedTuple):
    """Programs by path."""

    prometheus: str
    promtool: str
    alertmanager: str
    templates: str = "/"
    """The folder that Alertmanager must be started in."""


@lru_cache(maxsize=1)
def prometheus_tools() -> PrometheusTools | None:
    """The programs, fetched if necessary; None if that is impossible, offline for example. Never raises."""
    return _found(os.environ.get("PATH", "")) or _unpacked()


def _found(path: str) -> PrometheusTools | None:
    alertmanagers = (shutil.which(name, path=path) for name in ("prometheus-alertmanager", "alertmanager"))
    alertmanager = next(filter(None, alertmanagers), None)
    prometheus, promtool = shutil.which("prometheus", path=path), shutil.which("promtool", path=path)
    if prometheus and promtool and alertmanager:
        return PrometheusTools(prometheus, promtool, alertmanager)
    return None


def _unpacked() -> PrometheusTools | None:
    folder = cache_folder() / "debian-prometheus"
    try:
        with FileLock(folder.with_name(f"{folder.name}.lock")):
            if not folder.is_dir():
                _fetch(folder)
    except (OSError, subprocess.SubprocessError):
        return None
    found = _found(str(folder / "usr" / "bin"))
    return found and found._replace(templates=str(folder / _TEMPLATES))


def _fetch(folder: Path) -> None:
    apt, dpkg = (shutil.which(program) for program in NEEDED)
    if apt is None or dpkg is None:
        raise FileNotFoundError(f"there is no {' or no '.join(NEEDED)}")
    with complete_folder(folder) as staging:
        packages = staging / ".packages"
        packages.mkdir()
        _run([apt, "download", *PACKAGES], packages)
        for package in packages.iterdir():
            _run([dpkg, "--extract", str(package), str(staging)], packages)
        _make_relative(staging / "usr" / "bin" / "prometheus-alertmanager")
        shutil.rmtree(packages)


def _make_relative(program: Path) -> None:
    """Make Alertmanager look for its templates in the folder where it is started.

    Debian's build contains the absolute path of the installed package, without an option to change it. A path of
    the same length replaces it.
    """
    compiled_in = f"/{_TEMPLATES}".encode()
    program.write_bytes(program.read_bytes().replace(compiled_in, b"./" * (len(compiled_in) // 2)))


def _run(command: Sequence[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, capture_output=True, check=True, timeout=300)
