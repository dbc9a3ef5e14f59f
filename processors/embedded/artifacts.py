"""The exact files that are downloaded: the lock files beside this module."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Artifact:
    """One file of a Maven repository, with its required digest and size."""

    group: str
    name: str
    version: str
    classifier: str
    packaging: str
    size: int
    sha256: str

    @property
    def coordinate(self) -> str:
        return f"{self.group}:{self.name}:{self.version}"

    def is_intact(self, file: Path) -> bool:
        """Whether the file is this artifact. Reads it whole, unless its size already says no."""
        if file.stat().st_size != self.size:
            return False
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest() == self.sha256


@dataclass(frozen=True, slots=True)
class Release:
    """A server as it is published: everything it needs, at one version."""

    title: str
    folder: str
    artifacts: tuple[Artifact, ...]

    @property
    def size(self) -> int:
        """Bytes to download."""
        return sum(artifact.size for artifact in self.artifacts)


def read_release(title: str, lock: str) -> Release:
    """The release that a lock file pins. Its folder carries a digest of the lock, so that a changed lock
    never meets the files of another one in the cache."""
    text = (HERE / lock).read_text("utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    folder = f"{title.lower().replace(' ', '-')}-{digest}"
    return Release(title, folder, tuple(_artifact(line) for line in lines))


def _artifact(line: str) -> Artifact:
    sha256, size, coordinate = line.split()
    group, name, version, classifier, packaging = (*coordinate.split(":"), "", "jar")[:5]
    if not classifier:
        packaging = "jar"
    return Artifact(group, name, version, classifier, packaging, int(size), sha256)


KAFKA = read_release("Apache Kafka 4.4.0", "kafka.lock")
REGISTRY = read_release("Apicurio Registry 3.3.3", "registry.lock")
