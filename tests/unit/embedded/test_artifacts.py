"""The lock files."""

from __future__ import annotations

from pathlib import Path

import pytest

from processors.embedded.artifacts import KAFKA, REGISTRY, Artifact, Release


@pytest.mark.parametrize("release", [KAFKA, REGISTRY], ids=lambda release: release.title)
def test_everything_is_pinned_by_digest(release: Release) -> None:
    """No artifact can change without a change of this repository."""
    assert release.artifacts
    for artifact in release.artifacts:
        assert len(bytes.fromhex(artifact.sha256)) == 32
        assert artifact.size > 0


def test_the_servers_are_the_announced_versions() -> None:
    """The title, the folder and what is in it agree."""
    assert "org.apache.kafka:kafka_2.13:4.4.0" in [artifact.coordinate for artifact in KAFKA.artifacts]
    assert [artifact.coordinate for artifact in REGISTRY.artifacts] == ["io.apicurio:apicurio-registry-app:3.3.3"]
    assert (REGISTRY.artifacts[0].classifier, REGISTRY.artifacts[0].packaging) == ("all", "tar.gz")
    assert KAFKA.folder.startswith("apache-kafka-4.4.0-")


def test_jars_have_different_names() -> None:
    """All of a release lie in one folder."""
    names = [f"{artifact.name}-{artifact.version}" for artifact in KAFKA.artifacts]

    assert len(names) == len(set(names))


@pytest.mark.parametrize(("content", "intact"), [(b"abc", True), (b"abd", False), (b"abcd", False), (b"", False)])
def test_a_file_is_intact_only_byte_for_byte(tmp_path: Path, content: bytes, intact: bool) -> None:
    """Size and digest both have to agree."""
    sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    file = tmp_path / "file"
    file.write_bytes(content)

    assert Artifact("g", "a", "1", "", "jar", 3, sha256).is_intact(file) is intact
