"""Matrix files given on the command line: every one of them binds, or the command says why not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from processors.cli.root import app
from processors.client.matrices import load_sources
from processors.configuration.settings import settings
from processors.errors import SettingsInvalid

HEAD = "hosts: {corex: {dialect: npm}}\nundeclared: {runtime: allow, matrix: allow}\n"
GOVERNANCE = HEAD + "matrix: [{host: corex, plugin: com.a, action: block}]\n"
CATALOGUE = HEAD + 'releases: [{plugin: com.a, version: "1.0.0", host: "*"}]\n'
OVERRIDE = (
    HEAD + "matrix: [{host: corex, plugin: com.a, action: %s, overrides: "
    '{what: MATRIX_BLOCK, why: agreed, until: "2999-01-01"}}]\n'
)
LISTED_ONLY = "hosts: {corex: {dialect: npm}}\nundeclared: {runtime: allow, matrix: block}\n"
CATALOGUE_ALONE = 'releases: [{plugin: com.a, version: "1.0.0"}]\n'
ALLOWING = "matrix: [{host: corex, plugin: com.a, action: allow}]\n"
SPEAKS_FOR = 'trust: {sources: [{name: spoken-for, speaks_for: {plugins: ["com.*"]}}]}'
BLOCKING = "source: vendor\nmatrix: [{host: corex, plugin: com.a, action: block}]\n"
BROKEN = 'source: security\nmatrix: [{host: corex, plugin: com.a, min_version: "?", action: warn}]\n'


@pytest.fixture(autouse=True)
def _forget_settings() -> Iterator[None]:
    settings.cache_clear()
    yield
    settings.cache_clear()


def written(folder: Path, *contents: str) -> list[Path]:
    files = [folder / f"{n}.yaml" for n in range(len(contents))]
    for file, content in zip(files, contents, strict=True):
        file.write_text(content)
    return files


def options(files: list[Path]) -> list[str]:
    return [part for file in files for part in ("--matrix", str(file))]


@pytest.fixture
def manifest(tmp_path: Path) -> str:
    file = tmp_path / "plugin.yaml"
    file.write_text('id: com.a\nversion: "1.0.0"\ncorex_version: "*"\n')
    return str(file)


@pytest.mark.parametrize("contents", [(GOVERNANCE, CATALOGUE), (CATALOGUE, GOVERNANCE)])
@pytest.mark.parametrize(
    "question",
    [
        ["check", "--host", "corex@1.9.0", "--manifest"],
        ["matrix", "explain", "com.a@1.0.0", "corex@1.9.0"],
        ["replay"],
    ],
)
def test_two_files_of_one_source_are_refused_in_any_order(
    tmp_path: Path, manifest: str, question: list[str], contents: tuple[str, str]
) -> None:
    """A row that blocks must not be lost because another file says nothing of its source."""
    files = written(tmp_path, *contents)
    asked = [*question, manifest] if question[-1] == "--manifest" else question

    error = CliRunner().invoke(app, [*asked, *options(files)]).exception

    assert isinstance(error, SettingsInvalid)
    assert str(error).startswith(f"{files[0]} and {files[1]} both state the source `governance`")


def test_a_file_that_is_given_twice_is_refused(tmp_path: Path) -> None:
    file = written(tmp_path, GOVERNANCE)[0]

    with pytest.raises(SettingsInvalid, match="both state the source `governance`"):
        load_sources([file, file])


def test_the_author_of_a_source_is_told_what_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A warning, which does not fail the check of the file."""
    (tmp_path / "guard.yaml").write_text(SPEAKS_FOR)
    monkeypatch.setenv("GUARD_CONFIG", str(tmp_path))
    files = written(tmp_path, *(f"source: {name}\n{CATALOGUE_ALONE}" for name in ("vendor", "spoken-for")))

    told, silent = (CliRunner().invoke(app, ["matrix", "lint", "-o", "json", str(file)]) for file in files)

    assert [notice["where"] for notice in json.loads(told.stdout)] == ["releases", "source"]
    assert json.loads(silent.stdout) == []
    assert told.exit_code == silent.exit_code == 0


@pytest.mark.parametrize(
    ("contents", "action", "code"),
    [
        ((GOVERNANCE, "source: vendor\n" + CATALOGUE), "block", 1),
        ((BLOCKING, HEAD), "block", 1),
        ((OVERRIDE % "allow", BLOCKING), "warn", 0),
        ((OVERRIDE % "block", BLOCKING), "block", 1),
        ((OVERRIDE % "allow", BLOCKING, BROKEN), "block", 1),
        ((OVERRIDE % "allow", "source: vendor\n" + CATALOGUE), "allow", 0),
        ((LISTED_ONLY, "source: vendor\n" + CATALOGUE), "block", 1),
        ((LISTED_ONLY, "source: vendor\n" + ALLOWING), "block", 1),
        ((LISTED_ONLY, "source: spoken-for\n" + CATALOGUE), "allow", 0),
        ((LISTED_ONLY, "source: spoken-for\n" + ALLOWING), "allow", 0),
        ((HEAD.replace("matrix: allow", "matrix: warn"), BLOCKING), "block", 1),
    ],
)
def test_explain_and_check_agree_on_what_the_rows_of_several_files_say(
    tmp_path: Path,
    manifest: str,
    monkeypatch: pytest.MonkeyPatch,
    contents: tuple[str, ...],
    action: str,
    code: int,
) -> None:
    """An override by code included; governance overrides neither itself nor what nobody can read. A source lists
    what guard.yaml says that it speaks for."""
    (tmp_path / "guard.yaml").write_text(SPEAKS_FOR)
    monkeypatch.setenv("GUARD_CONFIG", str(tmp_path))
    files = written(tmp_path, *contents)

    explained = CliRunner().invoke(
        app, ["matrix", "explain", "com.a@1.0.0", "corex@1.9.0", "-o", "json", *options(files)]
    )
    checked = CliRunner().invoke(app, ["check", "-m", manifest, "--host", "corex@1.9.0", *options(files)])

    assert json.loads(explained.stdout)["action"] == action
    assert checked.exit_code == code
