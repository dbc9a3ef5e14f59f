"""Past requests under today's matrix and under tomorrow's: `recheck`, `replay` and `matrix publish --impact`."""

from __future__ import annotations

import json
import re
import subprocess
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from examples.outputs import valid

pytestmark = pytest.mark.stack

Command = Callable[..., subprocess.CompletedProcess[str]]


class World:
    """A plugin and a matrix source that nobody else has."""

    def __init__(self, command: Command, folder: Path) -> None:
        self.command, self.folder = command, folder
        name = uuid.uuid4().hex[:8]
        self.plugin, self.source = f"org.p{name}.crm", f"s{name}"

    def request(self, version: str = "1.1.0", id: str = "", code: int | None = None) -> str:
        """Ask, and answer with the request's id. `code` is what it has to end with, if that is known."""
        id = id or str(uuid.uuid4())
        manifest = self.file("plugin.yaml", f'id: {self.plugin}\nversion: "{version}"\ncorex_version: ">=1.0.0"\n')
        words = ("request", "-m", manifest, "--host", "corex@1.9.0", "--request-id", id, "--timeout", "60")
        asked = self.command(*words)
        assert asked.returncode in ({0, 1} if code is None else {code}), asked.stderr
        return id

    def matrix(self, action: str | None) -> Path:
        """A matrix that lists the plugin, or blocks it up to 1.5.0."""
        host, release = 'hosts: {corex: {releases: ["1.9.0"]}}', '{plugin: %s, version: "1.1.0", host: ">=1.0.0"}'
        rule = f'{{host: corex, plugin: {self.plugin}, max_version: "1.5.0", action: {action}, notes: "it leaks"}}'
        rules, releases = (rule if action else ""), release % self.plugin
        text = f"source: {self.source}\n{host}\nmatrix: [{rules}]\nreleases: [{releases}]\n"
        return self.file(f"{action}.yaml", text)

    def publish(self, action: str | None) -> None:
        done = self.command("matrix", "publish", self.matrix(action))
        assert done.returncode == 0, done.stderr

    def replay(self, action: str | None) -> dict[str, Any]:
        done = self.command("replay", "--matrix", self.matrix(action), "--since", "1h", "-o", "json")
        assert done.returncode == 0, done.stderr
        return valid("replay", done.stdout)

    def ours(self, shown: dict[str, Any]) -> list[dict[str, Any]]:
        return [change for change in shown["changes"] if change["plugin_id"] == self.plugin]

    def file(self, name: str, text: str) -> Path:
        file = self.folder / name
        file.write_text(text, encoding="utf-8")
        return file


@pytest.fixture
def world(command: Command, tmp_path: Path) -> World:
    world = World(command, tmp_path)
    world.publish(None)
    return world


def codes(findings: list[dict[str, Any]]) -> list[str]:
    return [finding["code"] for finding in findings]


def test_a_recheck_tells_what_has_come_since(world: World) -> None:
    """The first answer stands; the second one is a result of its own, under the matrix of today."""
    first = world.request()
    world.publish("block")
    again = world.command("recheck", first, "--operator", "bob", "--timeout", "60", "-o", "json")

    assert again.returncode == 1, again.stderr
    shown = valid("recheck", again.stdout)
    assert (shown["recheck_of"], shown["verdict"]) == (first, "BLOCK")
    assert shown["request_id"] != first
    assert shown["changes"]["before"] in {"ALLOW", "WARN"}
    assert (codes(shown["changes"]["come"]), shown["changes"]["gone"]) == (["MATRIX_BLOCK"], [])

    world.publish(None)
    freed = world.command("recheck", shown["request_id"], "--timeout", "60")
    assert freed.returncode == 0, freed.stderr
    assert "The verdict has changed from BLOCK to" in freed.stdout
    assert "gone  MATRIX_BLOCK" in freed.stdout


def test_a_recheck_of_nothing_is_bad_input(command: Command) -> None:
    asked = command("recheck", "no-such-request")

    assert (asked.returncode, "no request `no-such-request`" in asked.stderr) == (2, True)


def test_a_replay_shows_whom_a_matrix_would_hit(world: World) -> None:
    """A question that was asked twice counts once; the newest request is the example; another version is spared."""
    world.request("2.0.0")
    world.request()
    newest = world.request()

    (change,) = world.ours(world.replay("block"))

    assert (change["plugin_version"], change["host"], change["after"]) == ("1.1.0", "corex", "BLOCK")
    assert (change["subjects"], change["requests"], change["example"]) == (1, 2, newest)
    assert change["finding"]["code"] == "MATRIX_BLOCK"


def test_a_replay_of_what_is_in_effect_changes_nothing(world: World) -> None:
    """Both answers are worked out now, so time alone is no difference."""
    world.request()

    assert world.ours(world.replay(None)) == []


def test_a_replay_looks_back_so_far_and_publishes_nothing(world: World) -> None:
    """What was asked before is not asked again, and the matrix in effect stays."""
    world.request()
    time.sleep(1.1)

    done = world.command("replay", "--matrix", world.matrix("block"), "--since", "1s", "-o", "json")
    assert world.ours(json.loads(done.stdout)) == [], done.stderr
    in_effect = json.loads(world.command("matrix", "show", world.source, "-o", "json").stdout)
    assert in_effect["matrix"] == []


@pytest.mark.parametrize(
    ("answer", "code", "rows"), [pytest.param("n\n", 1, 0, id="no"), pytest.param("y\n", 0, 1, id="yes")]
)
def test_publishing_shows_the_impact_and_asks(world: World, answer: str, code: int, rows: int) -> None:
    newest = world.request()

    done = world.command("matrix", "publish", world.matrix("block"), "--impact", "--since", "1h", input=answer)

    assert done.returncode == code, done.stderr
    assert newest in done.stderr
    in_effect = json.loads(world.command("matrix", "show", world.source, "-o", "json").stdout)
    assert len(in_effect["matrix"]) == rows


def test_where_nobody_answers_nothing_is_published(world: World) -> None:
    """The error has a line of its own, as every error has."""
    world.request()

    done = world.command("matrix", "publish", world.matrix("block"), "--impact", "--since", "1h", input="")

    assert done.returncode == 2
    assert "\nerror: the question was not answered" in done.stderr
    in_effect = json.loads(world.command("matrix", "show", world.source, "-o", "json").stdout)
    assert in_effect["matrix"] == []


def test_whoever_says_yes_beforehand_is_not_asked(world: World) -> None:
    """A pipeline has nobody to ask; the impact is in its log."""
    newest = world.request()

    done = world.command("matrix", "publish", world.matrix("block"), "--impact", "--since", "1h", "--yes")

    assert (done.returncode, newest in done.stderr, "Publish it?" in done.stderr) == (0, True, False)


def test_what_is_kept_is_watched_with_its_time(world: World) -> None:
    """It comes partition by partition, so that the time on each line is what puts them in order."""
    world.request()
    (line,) = world.command("watch", "--from-beginning", "-n", "1").stdout.splitlines()

    at, verdict = datetime.fromisoformat(line[:19]).replace(tzinfo=UTC), line[19:].split()[0]
    assert at <= datetime.now(UTC)
    assert verdict in {"allow", "warn", "block"}

    (result,) = valid("watch", world.command("watch", "--from-beginning", "-n", "1", "-o", "json").stdout)
    columns = world.command("watch", "--from-beginning", "-n", "1", "--columns", "verdict,plugin,decided").stdout
    assert columns.splitlines()[0].split() == ["verdict", "plugin", "decided"]
    assert columns.splitlines()[1].split()[:2] == [verdict, result["plugin_id"]]
    assert columns.split()[-2:] == [*result["decided_at"][:19].split("T")]


def test_a_slip_in_the_host_leaves_no_block_behind(world: World) -> None:
    """It is told before anybody is asked: what an administrator mistypes is nothing for the ledger."""
    manifest, id = world.file("plugin.yaml", f'id: {world.plugin}\nversion: "1.1.0"\n'), str(uuid.uuid4())
    said = world.command("request", "-m", manifest, "--host", "corex@1.9", "--request-id", id, "--timeout", "60")

    assert said.returncode == 2, said.stderr
    assert "did you mean corex@1.9.0?" in said.stderr
    assert world.command("report", id).returncode == 2  # there is no such request


def test_another_question_under_a_request_s_id_is_never_taken_for_it(world: World) -> None:
    """Somebody who has seen the id asks something harmless under it: the block stays a block, whoever looks."""
    world.publish("block")
    blocked = world.request()
    manifest = world.file("harmless.yaml", f'id: {world.plugin}\nversion: "2.0.0"\ncorex_version: ">=1.0.0"\n')
    harmless = ("request", "-m", manifest, "--host", "corex@1.9.0", "--operator", "mallory", "--timeout", "60")
    assert world.command(*harmless, "--request-id", blocked).returncode == 0

    for words in (("report", blocked), ("recheck", blocked), ("exception", "request", blocked, "--risk", "x" * 30)):
        refused = world.command(*words)
        assert (refused.returncode, "several questions were asked under the id" in refused.stderr) == (2, True)
    (mine,) = re.findall(r"--question (\w+)  \S+ 1\.1\.0 .* BLOCK", world.command("report", blocked).stderr)
    assert world.command("report", blocked, "--question", mine).returncode == 1


def test_whoever_waits_is_not_answered_by_another_question_under_the_same_id(world: World) -> None:
    """A harmless question, asked again and again under the id while a blocked one waits, does not end the wait."""
    world.publish("block")
    id = str(uuid.uuid4())
    manifest = world.file("harmless.yaml", f'id: {world.plugin}\nversion: "2.0.0"\ncorex_version: ">=1.0.0"\n')
    harmless = ("request", "-m", manifest, "--host", "corex@1.9.0", "--request-id", id, "--timeout", "60")
    with ThreadPoolExecutor() as others:
        racing = [others.submit(world.command, *harmless) for _ in range(2)]
        assert world.request(id=id, code=1) == id
        assert [race.result().returncode for race in racing] == [0, 0]
