"""The command line over HTTP says what it says through Kafka, with no way to a broker."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from examples.approvals import ADDONS, RISK
from examples.gateways import PLUGINS, ROOT, Edge, Replica
from examples.issuers import claims, token
from examples.typed import Done, typed

pytestmark = pytest.mark.stack

Shell = Callable[..., Done]

WHERE = (
    *("--host", "corex@1.9.0", "--installed", "com.powerx.plugins.crm@0.6.0"),
    *("--runtime", "go@1.22", "--runtime", "node@20.11"),
)
EVERYTHING = ("deployer", "approver", "reader")


@pytest.fixture(scope="module")
def shell(edge: Edge, platform: Replica) -> Shell:
    """Commands that know a gateway and a token, and a broker that is not there."""
    nowhere = {"GUARD_KAFKA__BOOTSTRAP": "127.0.0.1:1", "GUARD_REGISTRY__URL": "http://127.0.0.1:1"}

    def run(*words: str, who: str | None = None, **more: str) -> Done:
        said = {"GUARD_GATEWAY__TOKEN": who or token(claims(roles=EVERYTHING)), "GUARD_GATEWAY__URL": platform.url}
        return typed(*words, environment={**edge.environment, **nowhere, **said, **more})

    return run


@pytest.fixture(scope="module")
def kafka(edge: Edge) -> Shell:
    """The same commands, for the same person, through Kafka."""
    return lambda *words: typed(*words, environment=edge.environment)


def test_a_command_over_http_needs_no_library_of_kafka(edge: Edge, platform: Replica, tmp_path: Path) -> None:
    (tmp_path / "confluent_kafka.py").write_text("raise ImportError('a command over HTTP needs no Kafka')\n")
    known = {"GUARD_GATEWAY__TOKEN": token(claims(roles=EVERYTHING)), "PYTHONPATH": f"{tmp_path}:{ROOT}"}
    for words in (("report", "nobody-asked"), ("exception", "list"), ("approve", "nobody", "--as", "petra")):
        done = edge.run(*words, "--gateway", platform.url, **known)
        assert (done.returncode in {0, 2}, "Traceback" in done.stderr) == (True, False), done.stderr


def test_a_gateway_that_can_verify_no_state_does_not_start(edge: Edge) -> None:
    """It would show what anybody has written as what the guard decided."""
    done = edge.run("run", "gateway", GUARD_KAFKA__BOOTSTRAP="broker.invalid:9092", GUARD_GATEWAY__PORT="0")

    assert done.returncode == 2
    assert "GUARD_SEAL__KEY_FILE" in done.stderr


def test_a_verdict_reads_as_through_kafka(shell: Shell, kafka: Shell) -> None:
    """Text, JSON and exit code; only ids and times differ, and where a finding is explained."""
    for manifest, code in (("inventory-sync-1.5.0.yaml", 1), ("audit-log-4.0.1.yaml", 0)):
        for style in ("text", "json"):
            words = ("request", "--manifest", str(PLUGINS / manifest), *WHERE, "--output", style)
            http, direct = shell(*words), kafka(*words, "--tenant", "acme", "--operator", "alice")
            assert http.returncode == code == direct.returncode, http.stderr
            assert _anonymous(http.stdout) == _anonymous(direct.stdout)
            assert _anonymous(http.stderr) == _anonymous(direct.stderr)


def _anonymous(text: str) -> str:
    text = re.sub(r'"decided_at": "[^"]+"', '"decided_at": "TIME"', text)
    return re.sub(r"on this: .*", "on this: GUIDE", re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", text))


def test_files_go_over_as_they_are(shell: Shell, kafka: Shell, tmp_path: Path) -> None:
    """Installed plugins with all that a file says of them, where 1.10 stays 1.10, and what is installed besides."""
    listed = tmp_path / "installed.json"
    listed.write_text('[{"id": "com.powerx.plugins.crm", "version": 1.10, "provides": {"crm.contacts": 1.10}}]')
    besides = ("--installed-from", str(listed), "--with", str(PLUGINS / "audit-log-4.0.1.yaml"))
    words = (
        "request",
        "--manifest",
        str(PLUGINS / "inventory-sync-1.5.0.yaml"),
        *WHERE[:2],
        *besides,
        "-o",
        "json",
    )
    http, direct = shell(*words), kafka(*words, "--tenant", "acme", "--operator", "alice")

    assert http.returncode == direct.returncode, http.stderr
    assert json.loads(http.stdout)["input_digest"] == json.loads(direct.stdout)["input_digest"]


def test_a_block_is_passed_by_an_exception(shell: Shell, kafka: Shell) -> None:
    """Case C-2 as it is typed: asked for, amended, looked at, approved twice, used, and ended."""
    ask = ("request", "--manifest", str(PLUGINS / "inventory-sync-1.5.0.yaml"), *WHERE, "--target", "cluster-h")
    ask = (*ask, "--environment", "over-http")
    blocked = shell(*ask)
    request = re.findall(r"request ([0-9a-f-]{36})", blocked.stderr)[-1]

    asked = shell("exception", "request", request, "--risk", RISK)
    assert asked.returncode == 4, asked.stderr
    exception = asked.stdout.strip()
    assert "step `steward` waits for plugin-steward" in asked.stderr
    again = shell("exception", "request", request, "--risk", RISK)
    assert (again.returncode, again.stdout.strip()) == (2, exception)
    assert "exception amend" in again.stderr
    amended = shell("exception", "amend", exception, "--control", "somebody watches", "--reason", "asked to")
    assert amended.returncode == 4, amended.stderr

    http, direct = (run("exception", "show", exception, "-o", "json") for run in (shell, kafka))
    assert _without_clock(json.loads(http.stdout)) == _without_clock(json.loads(direct.stdout))
    http, direct = (run("exception", "list", "-o", "json") for run in (shell, kafka))
    assert _row(http.stdout, exception) == _row(direct.stdout, exception)
    assert "somebody watches" in shell("exception", "show", exception).stdout
    assert exception in shell("exception", "list").stdout

    assert shell("approve", exception, "--as", "petra").returncode == 0
    early = shell("approve", exception, "--as", "petra")
    assert (early.returncode, "step" in early.stderr) == (2, True)
    approved = shell("approve", exception, "--as", "sabine")
    assert approved.returncode == 0, approved.stderr
    assert uuid.UUID(approved.stdout.strip())

    use = (*ask, "--exception", exception, "--acknowledge-risk", RISK)
    unwatched = shell(*use)
    assert unwatched.returncode == 1
    assert f"approved with: --monitoring enhanced:{','.join(ADDONS)}" in unwatched.stderr
    allowed = shell(*use, "--monitoring", f"enhanced:{','.join(ADDONS)}")
    assert allowed.returncode == 0, allowed.stderr
    assert f"allowed by exception {exception}" in allowed.stderr

    revoked = shell("exception", "revoke", exception, "--as", "lena", "--reason", "it leaks")
    assert revoked.returncode in (0, 2), revoked.stderr
    assert shell("exception", "withdraw", exception).returncode == 2


def _without_clock(shown: dict) -> dict:
    """What is left of an SLA goes down while one looks."""
    return {name: value for name, value in shown.items() if name != "left"}


def _row(shown: str, exception: str) -> dict:
    """One exception of a list; those of other modules and tenants lie on the same topics."""
    (row,) = (one for one in json.loads(shown) if one["exception"] == exception)
    return _without_clock(row)


def test_a_request_is_withdrawn_and_others_see_nothing_of_it(shell: Shell) -> None:
    ask = ("request", "--manifest", str(PLUGINS / "inventory-sync-1.5.0.yaml"), *WHERE, "--environment", "typed")
    request = re.findall(r"request ([0-9a-f-]{36})", shell(*ask).stderr)[-1]
    exception = shell("exception", "request", request, "--risk", RISK).stdout.strip()
    foreign = token(claims(tenant="globex", roles=EVERYTHING))

    assert shell("exception", "show", exception, who=foreign).returncode == 2
    assert shell("report", request, who=foreign).returncode == 2
    done = shell("exception", "withdraw", exception, "--reason", "not needed")
    assert (done.returncode, "WITHDRAWN" in done.stderr) == (0, True), done.stderr


def test_a_report_is_shown_again(shell: Shell, kafka: Shell) -> None:
    ask = ("request", "--manifest", str(PLUGINS / "inventory-sync-1.5.0.yaml"), *WHERE)
    request = re.findall(r"request ([0-9a-f-]{36})", shell(*ask).stderr)[-1]
    http, direct = (run("report", request) for run in (shell, kafka))
    assert (http.returncode, _anonymous(http.stdout)) == (direct.returncode, _anonymous(direct.stdout))
    http, direct = (run("report", "nobody-asked") for run in (shell, kafka))
    assert (http.returncode, http.stderr) == (direct.returncode, direct.stderr) == (2, direct.stderr)


def test_results_are_watched_as_they_come(edge: Edge, shell: Shell, platform: Replica) -> None:
    words = [sys.executable, "-m", "processors.cli", "watch", "-n", "1", "-o", "json"]
    known = {"GUARD_GATEWAY__TOKEN": token(claims(roles=EVERYTHING)), "GUARD_GATEWAY__URL": platform.url}
    with subprocess.Popen(words, env=edge.environment | known, stdout=subprocess.PIPE, text=True) as watching:
        while watching.poll() is None:
            shell("request", "--manifest", str(PLUGINS / "audit-log-4.0.1.yaml"), *WHERE)
        assert watching.stdout is not None
        (line,) = watching.stdout.read().splitlines()
    assert (json.loads(line)["plugin_id"], watching.returncode) == ("com.powerx.plugins.audit-log", 0)


@pytest.mark.parametrize(
    ("words", "more", "code", "says"),
    [
        pytest.param(("--gateway", "http://127.0.0.1:1"), {}, 3, "http://127.0.0.1:1", id="nobody there"),
        pytest.param(("--gateway", "http://guard.example"), {}, 2, "https", id="in the clear"),
        pytest.param(("--operator", "mallory"), {}, 2, "token", id="somebody else's name"),
        pytest.param(("--tenant", "globex"), {}, 2, "tenant", id="somebody else's tenant"),
        pytest.param((), {"GUARD_GATEWAY__TOKEN": "no.token.atall"}, 2, "token", id="a bad token"),
        pytest.param((), {"GUARD_GATEWAY__TOKEN": ""}, 2, "token", id="no token"),
        pytest.param((), {"GUARD_GATEWAY__CA": "/nowhere.pem"}, 2, "GUARD_GATEWAY__CA", id="no authority"),
    ],
)
def test_what_is_wrong_is_said_and_is_no_verdict(
    shell: Shell, words: tuple[str, ...], more: dict[str, str], code: int, says: str
) -> None:
    """Exit codes as ever: 2 for what the caller has to change, 3 for what is away."""
    done = shell("request", "--manifest", str(PLUGINS / "audit-log-4.0.1.yaml"), *WHERE, *words, **more)
    assert (done.returncode, says in done.stderr, done.stdout) == (code, True, ""), done.stderr
