"""A broker's empty folder is made by the storage tool once, and copied from then on."""

from __future__ import annotations

from pathlib import Path

import pytest

from processors.embedded.formatting import format_folder, new_id


class Tool:
    """Writes what the storage tool writes, as far as it counts here."""

    def __init__(self) -> None:
        self.filled: list[Path] = []

    def __call__(self, empty: Path) -> None:
        self.filled.append(empty)
        (empty / "__cluster_metadata-0").mkdir()
        (empty / "__cluster_metadata-0" / "0.checkpoint").write_bytes(b"features")
        (empty / "meta.properties").write_text("cluster.id=another\nnode.id=7\ndirectory.id=another\nversion=1\n")


@pytest.fixture
def release(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "kafka-1"


def formatted(data: Path, release: Path, tool: Tool, node: int = 1, cluster: str = "ours") -> dict[str, str]:
    """What a broker reads first in its folder."""
    data.mkdir(parents=True)
    format_folder(data, release, tool, node=node, cluster=cluster)
    assert (data / "__cluster_metadata-0" / "0.checkpoint").read_bytes() == b"features"
    lines = (data / "meta.properties").read_text().splitlines()
    return dict(line.split("=") for line in lines if not line.startswith("#"))


def test_the_tool_runs_once_for_a_release(tmp_path: Path, release: Path) -> None:
    tool = Tool()
    first = formatted(tmp_path / "a", release, tool, 1, "one")
    second = formatted(tmp_path / "b", release, tool, 2, "two")

    assert len(tool.filled) == 1
    assert (first["cluster.id"], first["node.id"]) == ("one", "1")
    assert (second["cluster.id"], second["node.id"]) == ("two", "2")
    assert len({first["directory.id"], second["directory.id"], "another"}) == 3


def test_another_release_is_formatted_by_its_own_tool(tmp_path: Path, release: Path) -> None:
    tool = Tool()
    formatted(tmp_path / "a", release, tool)
    formatted(tmp_path / "b", release.with_name("kafka-2"), tool)

    assert len(tool.filled) == 2


def test_a_tool_that_fails_leaves_nothing_that_would_be_copied(tmp_path: Path, release: Path) -> None:
    def fails(empty: Path) -> None:
        (empty / "half").touch()
        raise RuntimeError

    (tmp_path / "a").mkdir()
    with pytest.raises(RuntimeError):
        format_folder(tmp_path / "a", release, fails, node=1, cluster="ours")

    assert formatted(tmp_path / "b", release, Tool())["cluster.id"] == "ours"
    assert not (tmp_path / "b" / "half").exists()


def test_where_nothing_can_be_kept_the_tool_formats_the_folder_itself(tmp_path: Path) -> None:
    (tmp_path / "no folder").touch()
    tool = Tool()
    formatted(tmp_path / "a", tmp_path / "no folder" / "kafka-1", tool)

    assert tool.filled == [tmp_path / "a"]


def test_no_id_reads_as_an_option() -> None:
    ids = {new_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert not [id for id in ids if id.startswith("-") or len(id) != 22]
