"""Which matrix judges offline: one that somebody chose, and the report names it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from processors.cli.matrix.commands import app as matrix_app
from processors.cli.root import app
from processors.client.matrix_sources import Sources
from processors.configuration.guard import SourceConfig
from processors.configuration.settings import configuration_folder, settings, shipped
from processors.errors import SettingsInvalid

SAMPLE = shipped("config") / "compat_matrix.yaml"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In an empty folder, with settings that are read there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GUARD_CONFIG", raising=False)
    settings.cache_clear()
    request = tmp_path / "plugin.yaml"
    request.write_text('id: com.a\nversion: "1.0.0"\ncorex_version: "*"\n')


@pytest.fixture(autouse=True)
def _forget_settings() -> object:
    yield
    settings.cache_clear()


def checked(*more: str) -> tuple[int, str, BaseException | None]:
    done = CliRunner().invoke(app, ["check", "-m", "plugin.yaml", "--host", "corex@1.9.0", *more])
    return done.exit_code, done.stdout, done.exception


def test_without_a_matrix_there_is_no_verdict() -> None:
    """The sample decides nothing that nobody asked it."""
    _, said, error = checked()

    assert isinstance(error, SettingsInvalid)
    assert (said, error.exit_code) == ("", 2)
    assert "--matrix" in str(error)
    assert "GUARD_CONFIG" in str(error)


@pytest.mark.parametrize("style", ["text", "json", "markdown", "html", "sarif", "junit"])
def test_every_view_of_an_offline_report_names_the_matrix_file(style: str) -> None:
    """Whoever finds the report later must know what it rests on."""
    _, said, error = checked("--matrix", str(SAMPLE), "--output", style)

    assert not isinstance(error, SettingsInvalid)
    assert "compat_matrix.yaml" in said.replace("\\", "")


def test_the_matrix_of_the_folder_that_is_named_goes_before_that_beside_us(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GUARD_CONFIG, then ./config."""
    beside, named = tmp_path / "config" / "compat_matrix.yaml", tmp_path / "named" / "compat_matrix.yaml"
    for file in (beside, named):
        file.parent.mkdir()
        shutil.copy(SAMPLE, file)

    assert json.loads(checked("-o", "json")[1])["matrix_files"] == [str(beside)]
    monkeypatch.setenv("GUARD_CONFIG", str(named.parent))
    settings.cache_clear()
    assert json.loads(checked("-o", "json")[1])["matrix_files"] == [str(named)]


def test_a_folder_of_the_guard_s_own_beside_us_goes_before_the_defaults(tmp_path: Path) -> None:
    """A folder called config that is somebody else's does not."""
    (tmp_path / "config").mkdir()
    assert configuration_folder() == shipped("config")

    (tmp_path / "config" / "guard.yaml").write_text("version: 1\n")
    assert configuration_folder() == tmp_path / "config"


def test_the_sample_is_never_published() -> None:
    """Refused before a server is asked, by whatever path it is named."""
    done = CliRunner().invoke(matrix_app, ["publish", str(SAMPLE.parent / ".." / "config" / SAMPLE.name)])

    assert isinstance(done.exception, SettingsInvalid)
    assert "is the sample that is shipped" in str(done.exception)


def test_the_sample_is_no_source_to_be_synced(tmp_path: Path) -> None:
    """Not even where the shipped folder itself is the configuration folder."""
    with pytest.raises(SettingsInvalid, match="is the sample that is shipped"):
        Sources(shipped("config"), tmp_path).read(SourceConfig(name="governance", file=Path(SAMPLE.name)))
