"""What is set, by whom, and no secret."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from processors.cli.root import app
from processors.configuration.settings import settings


@pytest.fixture(autouse=True)
def _read_anew() -> object:
    settings.cache_clear()
    yield
    settings.cache_clear()


def test_each_setting_has_its_value_and_origin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret is masked wherever it comes from, and said to be there."""
    secret = tmp_path / "password"
    secret.write_text("hunter2\n")
    monkeypatch.setenv("GUARD_KAFKA__BOOTSTRAP", "127.0.0.1:7")
    monkeypatch.setenv("GUARD_KAFKA__PASSWORD_FILE", str(secret))
    monkeypatch.setenv("GUARD_POSTGRES__URL", "postgresql+psycopg://guard:hunter3@127.0.0.1/guard")
    monkeypatch.setenv("GUARD_REGISTRY__URL", "https://guard:hunter4@127.0.0.1:8081/schemas")
    monkeypatch.setenv("GUARD_OTLP_ENDPOINT", "https://hunter5@127.0.0.1:4318")

    said = CliRunner().invoke(app, ["config", "show", "-o", "json"]).stdout

    shown = {row["variable"]: (row["value"], row["origin"]) for row in json.loads(said)}
    assert shown["GUARD_KAFKA__BOOTSTRAP"] == ("127.0.0.1:7", "environment")
    assert shown["GUARD_KAFKA__PASSWORD"] == ("********", f"file {secret}")
    assert shown["GUARD_POSTGRES__URL"] == ("********", "environment")
    assert shown["GUARD_REGISTRY__URL"][0] == "https://********@127.0.0.1:8081/schemas"
    assert shown["GUARD_OTLP_ENDPOINT"][0] == "https://********@127.0.0.1:4318"
    assert shown["GUARD_BATCH"] == ("2000", "default")
    assert shown["GUARD_REGISTRY__PASSWORD"] == ("", "default")
    assert "hunter" not in said


@pytest.mark.parametrize("own", [True, False])
def test_the_configuration_folder_in_use_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: bool
) -> None:
    """Found in a fixed order, and nobody has to guess which one it was."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GUARD_CONFIG", raising=False)
    (tmp_path / "config").mkdir()
    if own:
        (tmp_path / "config" / "guard.yaml").write_text("version: 1\n")

    said = json.loads(CliRunner().invoke(app, ["config", "show", "-o", "json"]).stdout)

    (folder,) = (row for row in said if row["variable"] == "GUARD_CONFIG")
    assert folder["origin"] == ("./config" if own else "shipped defaults")
    assert (folder["value"] == str(tmp_path / "config")) is own
