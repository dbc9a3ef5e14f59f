"""`compat-guard plan`, word for word: the answers that administrators read, and those that programs do.

`GUARD_GOLDEN=write pytest tests/unit/cli/requests/test_plan.py` writes them anew; read them before you commit.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from xml.etree.ElementTree import fromstring

import jsonschema_rs
import pytest
from typer.testing import CliRunner

from processors.cli.root import app
from processors.configuration.settings import shipped
from processors.errors import SettingsInvalid

GOLDEN = Path(__file__).parents[3] / "data" / "plans"
MATRIX = """
source: governance
revision: "7"
expires_after: 3650d
undeclared: {host: block, runtime: allow, matrix: allow}
hosts: {corex: {dialect: npm, releases: ["1.9.0", "2.0.0"]}}
releases:
  - {plugin: crm, version: "1.4.0", host: "<2.0.0", requires: ["mail ^1.0.0"]}
  - {plugin: crm, version: "2.1.0", host: ">=2.0.0", requires: ["mail ^2.0.0", "search >=3.0.0"]}
  - {plugin: mail, version: "1.8.0", host: "*"}
  - {plugin: mail, version: "2.0.0", host: "*", requires: ["queue"]}
  - {plugin: queue, version: "1.0.0", host: "*"}
  - {plugin: search, version: "2.9.0", host: "*"}
  - {plugin: search, version: "3.2.0", host: ">=1.9.0"}
  - {plugin: reports, version: "5.0.0", host: "<2.0.0", requires: [crm]}
  - {plugin: badge, version: "1.0.0", host: ">=1.0.0 <2.0.0"}
  - {plugin: badge, version: "2.0.0", host: ">=2.0.0", requires: ["printer ^4.0.0"]}
"""
FITTING = ("crm@1.4.0", "mail@1.8.0", "search@2.9.0")
QUESTIONS = {
    "an-upgrade-in-steps": "--host corex@2.0.0 --from corex@1.9.0",
    "an-upgrade-from-nobody-knows-where": "--host corex@2.0.0",
    "an-upgrade-that-is-held-back": "--host corex@2.0.0 --from corex@1.9.0"
    " --installed reports@5.0.0 --installed badge@1.0.0 --installed homemade@0.1.0",
    "what-is-broken-made-whole": "--from corex@1.9.0 --installed queue@1.0.0 --installed badge@2.0.0",
    "nothing-to-do": "--from corex@1.9.0",
    "a-host-that-nobody-knows": "--host corx@2.0.0",
}
ENDS = dict.fromkeys(QUESTIONS, 0) | {"an-upgrade-that-is-held-back": 1, "a-host-that-nobody-knows": 1}


def answered(folder: Path, *options: str) -> tuple[int, str]:
    """How the command ends, and what it prints."""
    (folder / "matrix.yaml").write_text(MATRIX, "utf-8")
    (folder / "installed.txt").write_text("\n".join(FITTING), "utf-8")
    known = ("--matrix", str(folder / "matrix.yaml"), "--installed-from", str(folder / "installed.txt"))
    done = CliRunner(env={"COLUMNS": None}).invoke(app, ["plan", *known, *options])  # nobody's terminal
    if not isinstance(done.exception, SystemExit | None):
        raise done.exception
    return done.exit_code, done.stdout


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_answer_is_as_it_was_read(name: str, tmp_path: Path) -> None:
    """As text, and as Markdown for a ticket."""
    for style, suffix in (("text", "txt"), ("markdown", "md")):
        code, said = answered(tmp_path, *QUESTIONS[name].split(), "--output", style)
        path = GOLDEN / f"{name}.{suffix}"
        if os.environ.get("GUARD_GOLDEN") == "write":
            path.write_text(said, "utf-8")
        assert said == path.read_text("utf-8")
        assert code == ENDS[name]


@pytest.mark.parametrize("name", QUESTIONS)
def test_programs_read_what_the_schema_says(name: str, tmp_path: Path) -> None:
    """The JSON view holds against its published schema, which allows no other field."""
    schema = json.loads((shipped("schemas") / "InstallationPlan.schema.json").read_text("utf-8"))
    _, said = answered(tmp_path, *QUESTIONS[name].split(), "--output", "json")

    jsonschema_rs.validate(schema, json.loads(said))


def test_a_build_server_sees_one_case_for_each_plugin(tmp_path: Path) -> None:
    """Failed for whoever holds the upgrade back."""
    _, said = answered(tmp_path, *QUESTIONS["an-upgrade-that-is-held-back"].split(), "--output", "junit")
    suite = fromstring(said)  # noqa: S314 - our own document
    cases = {case.get("name"): case.find("failure") is not None for case in suite.iter("testcase")}

    assert cases == {
        **dict.fromkeys(("crm", "mail", "search"), False),
        **dict.fromkeys(("badge", "homemade", "reports"), True),
    }


def test_what_comes_from_outside_is_no_markup(tmp_path: Path) -> None:
    """Ids are whatever a file says."""
    evil = ("--host", "corex@2.0.0", "--installed", "<script>x</script>@1.0.0")

    assert "<script>" not in answered(tmp_path, *evil, "--output", "html")[1]
    assert "\\<script" in answered(tmp_path, *evil, "--output", "markdown")[1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "neither --host nor --from is given"),
        (("--host", "corex@1.0.0", "--from", "corex@2.0.0"), "older than --from `2.0.0`"),
        (("--host", "corex@2.0.0", "--from", "other@1.0.0"), "a plan keeps the host"),
        (("--host", "corex@2.0.0", "--host", "corex@3.0.0"), "--host is given 2 times"),
    ],
)
def test_what_is_no_question_is_refused(options: tuple[str, ...], said: str, tmp_path: Path) -> None:
    """Each with the way out; the command ends with 2."""
    with pytest.raises(SettingsInvalid, match=said):
        answered(tmp_path, *options)
