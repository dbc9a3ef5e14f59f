"""The data folder of a broker that has never run.

Kafka's storage tool writes it, and needs a Java of its own for that. What it writes is the same for every broker of
a release but for three lines, so it is kept beside the release, and copied.
"""

from __future__ import annotations

import base64
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

from processors.embedded.staging import FileLock, complete_folder, write_whole

Tool = Callable[[Path], None]
"""Formats an empty folder. Raises CalledProcessError, and OSError where there is no such program."""


def new_id() -> str:
    """For a cluster or a folder: a UUID in base64. One that begins with a hyphen would be read as an option."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text


def format_folder(data: Path, release: Path, tool: Tool, *, node: int, cluster: str) -> None:
    """Fill an empty folder for the node of a cluster, whose id is given. Uses the tool once for each release.

    Not for a broker with users of its own, who are among what the tool writes. Raises what the tool raises.
    """
    kept = release.with_name(f"{release.name}-formatted")
    try:
        _keep(kept, tool)
    except OSError:  # a cache that somebody else filled may be closed to us
        tool(data)
        return
    shutil.copytree(kept, data, dirs_exist_ok=True)
    identity = {"version": "1", "cluster.id": cluster, "node.id": str(node), "directory.id": new_id()}
    write_whole(data / "meta.properties", "".join(f"{name}={value}\n" for name, value in identity.items()))


def _keep(kept: Path, tool: Tool) -> None:
    if kept.is_dir():
        return
    with FileLock(kept.with_name(f"{kept.name}.lock")):
        if not kept.is_dir():
            with complete_folder(kept) as staging:
                tool(staging)
