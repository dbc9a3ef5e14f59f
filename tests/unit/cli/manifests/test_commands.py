"""`compat-guard manifest` as a vendor's CI runs it: exit codes, one line a mistake, JSON for machines."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import yaml

from processors.cli import main

SAMPLES = Path(__file__).parents[3] / "data" / "manifests"
SOUND = str(SAMPLES / "inventory-sync-1.4.2.plugin.yaml")
SILENT = str(SAMPLES / "chat-bridge.plugin.yaml")
BROKEN = str(SAMPLES / "broken-types.plugin.yaml")
NUMBERS = str(SAMPLES / "crm-0.9.3.plugin.yaml")


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["compat-guard", "manifest", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        pytest.param(["lint", SOUND], 0, id="clean"),
        pytest.param(["lint", SILENT], 0, id="warnings only"),
        pytest.param(["lint", "--strict", SOUND], 0, id="clean, strictly"),
        pytest.param(["lint", "--strict", SILENT], 1, id="warnings, strictly"),
        pytest.param(["lint", BROKEN], 1, id="errors"),
        pytest.param(["lint", SOUND, "/nowhere/plugin.yaml", BROKEN], 2, id="a file that is not there"),
        pytest.param(["lint", "--dialect", "maven", SOUND], 1, id="ranges of another dialect"),
        pytest.param(["lint", "--dialect", "latin", SOUND], 2, id="no such dialect"),
        pytest.param(["lint"], 2, id="no file"),
        pytest.param(["show", BROKEN], 0, id="show what is broken"),
        pytest.param(["show", "/nowhere/plugin.yaml"], 2, id="show nothing"),
    ],
)
def test_exit_codes(monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int) -> None:
    """0 clean or warnings only, 1 errors, 2 unreadable or misused: a pipeline reads nothing else."""
    assert run(monkeypatch, *arguments) == code


def test_lint_says_one_line_each(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """File, level, place, problem, and how to write it."""
    run(monkeypatch, "lint", NUMBERS)

    assert capsys.readouterr().out.splitlines()[0] == (
        f'{NUMBERS}: warning: min_core: `0.6` is not a complete version; write: min_core: "0.6.0"'
    )


def test_lint_of_several_files_as_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """One unreadable file does not hide what is wrong with the others."""
    run(monkeypatch, "lint", "--output", "json", "/nowhere/plugin.yaml", SILENT)

    found = json.loads(capsys.readouterr().out)

    assert [(item["file"], item["level"], item["path"]) for item in found] == [
        ("/nowhere/plugin.yaml", "error", ""),
        (SILENT, "warning", "corex_version"),
        (SILENT, "warning", "runtime"),
    ]
    assert found[0]["problem"] == "cannot be opened: no such file or directory"


def test_show_tells_what_is_read_and_what_is_not_stated(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both notations say the same."""
    run(monkeypatch, "show", SOUND)
    in_yaml = yaml.safe_load(capsys.readouterr().out)
    run(monkeypatch, "show", "--output", "json", SOUND)
    in_json = json.loads(capsys.readouterr().out)

    assert in_yaml == in_json
    assert (in_json["ecosystem"], in_json["host"], in_json["dialect"]) == ("powerx", "corex", "npm")
    assert in_json["runtimes"] == [{"id": "go", "range": ">=1.21", "optional": False}]
    assert "databases" in in_json["not_stated"]
    assert "defects" not in in_json["not_stated"]


def test_lint_says_so_where_nothing_is_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Silence might as well be a file that nobody looked at."""
    run(monkeypatch, "lint", SOUND)

    assert capsys.readouterr().out == f"no problems in {SOUND}\n"
