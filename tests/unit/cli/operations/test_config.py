"""`config check`: whatever people write by hand is read as the processors read it."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from processors.cli.operations.config import FILES, app
from processors.configuration.settings import shipped
from processors.errors import DocumentRefused, SettingsInvalid


def test_the_shipped_files_are_all_checked_and_sound() -> None:
    """A file that nobody checks is a file that breaks a start."""
    done = CliRunner().invoke(app, ["check"])

    assert done.exit_code == 0, done.output
    assert {path.name for path in shipped("config").glob("*.yaml")} <= set(FILES)


def test_every_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    """All of them at once, each with its place."""
    folder = tmp_path / "config"
    shutil.copytree(shipped("config"), folder)
    (folder / "guard.yaml").write_text("staleness: {warn_at: 101}\n")
    (folder / "topics.yaml").unlink()

    done = CliRunner().invoke(app, ["check", str(folder)])

    assert isinstance(done.exception, DocumentRefused)
    assert "guard.yaml: staleness.warn_at" in str(done.exception)
    assert "topics.yaml: " in str(done.exception)
    assert "compat_matrix" not in str(done.exception)


def test_a_folder_without_a_matrix_is_sound(tmp_path: Path) -> None:
    """As in an installed wheel: the matrix of the checkout is a sample, and production has its own elsewhere."""
    folder = tmp_path / "config"
    shutil.copytree(shipped("config"), folder)
    (folder / "compat_matrix.yaml").unlink()

    done = CliRunner().invoke(app, ["check", str(folder)])

    assert done.exit_code == 0
    assert "compat_matrix" not in done.output


@pytest.mark.parametrize("name", ["nope.yaml", "a-file"])
def test_what_is_no_folder_is_said_once(tmp_path: Path, name: str) -> None:
    """Not once for each file that is not in it."""
    (tmp_path / "a-file").touch()

    done = CliRunner().invoke(app, ["check", str(tmp_path / name)])

    assert isinstance(done.exception, SettingsInvalid)
    assert str(done.exception) == f"`{tmp_path / name}` is not a folder"


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("guard.yaml", "version", "vresion"),
        ("guard.yaml", "plugin-compat-guard", "plugin-compat-gaurd"),
        ("guard.yaml", "warn_at", "warn-at"),
        ("exception_workflow.yaml", "version", "vresion"),
        ("exception_workflow.yaml", "members", "membres"),
        ("exception_workflow.yaml", "escalate_to", "escalate-to"),
        ("topics.yaml", "partitions", "partition"),
        ("compat_matrix.yaml", "expires_after", "expire_after"),
    ],
)
def test_a_misspelled_key_is_told_the_right_one(tmp_path: Path, name: str, right: str, wrong: str) -> None:
    """In every file, at every depth, and also inside lists, mappings and what may be left out."""
    folder = tmp_path / "config"
    shutil.copytree(shipped("config"), folder)
    text = (folder / name).read_text("utf-8")
    (folder / name).write_text(text.replace(f"{right}:", f"{wrong}:", 1))

    done = CliRunner().invoke(app, ["check", str(folder)])

    assert str(done.exception).startswith(f"{name}: ")
    assert f"did you mean `{right}`?" in str(done.exception)
