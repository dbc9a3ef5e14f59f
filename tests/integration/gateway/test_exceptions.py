"""Case C-2 over HTTP: blocked, an exception asked for by the person of the token, decided by proof, and used."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import uuid
from pathlib import Path
from shutil import which
from typing import Any

import httpx
import pytest
from examples import web
from examples.approvals import ADDONS, APPROVER, RISK, TOOL, decision
from examples.gateways import PLUGINS, ROOT, Edge, Replica, ask, bearer, question, report_of
from examples.issuers import claims, token

pytestmark = pytest.mark.stack


def post(replica: Replica, path: str, body: dict[str, Any], headers: dict[str, str]) -> httpx.Response:
    address = f"{replica.url}/internal/{path}"
    return web.patiently(lambda: web.post(address, json=body, headers=headers, timeout=60))


ON_THE_COMMAND_LINE = (
    *("--manifest", str(PLUGINS / "inventory-sync-1.5.0.yaml"), "--host", "corex@1.9.0"),
    *("--installed", "com.powerx.plugins.crm@0.6.0", "--runtime", "go@1.22", "--runtime", "node@20.11"),
    *("--target", "cluster-7", "--tenant", "acme", "--operator", "alice", "--output", "json"),
)


def test_case_c_2_over_http(edge: Edge, platform: Replica) -> None:
    """Asked for by alice, approved in two steps by others, and it lets exactly this request pass.

    Whatever is asked on the way, the report is that which the command line gets through Kafka, digest included.
    """
    blocked = ask(platform.url, question(target="cluster-7")).json()
    assert blocked["verdict"] == "BLOCK"

    wanted = {"request_id": blocked["request_id"], "risk_statement": RISK}
    key = {"Idempotency-Key": str(uuid.uuid4())}
    asked = post(platform, "version/compat/exception", wanted, bearer() | key)
    assert asked.status_code == 201, asked.text
    opened = asked.json()
    assert opened["report_digest"] == blocked["report_digest"]
    again = post(platform, "version/compat/exception", wanted, bearer() | key)
    assert (again.status_code, again.json()["exception_id"]) == (201, opened["exception_id"])

    waiting = web.get(platform.url + asked.headers["location"] + "/approvers", headers=bearer(), timeout=60).json()
    assert (waiting["step"], waiting["roles"]) == ("steward", ["plugin-steward"])

    first = decision(opened, "petra", "plugin-steward", "steward")
    assert post(platform, "version/compat/approve", first, APPROVER).status_code == 200
    second = decision(opened, "sabine", "security-approver", "security")
    counted = post(platform, "version/compat/approve", second, APPROVER)
    assert (counted.status_code, counted.json()["to_state"]) == (200, "APPROVED"), counted.text

    unwatched = {"id": opened["exception_id"], "acknowledge_risk": RISK}
    refused = ask(platform.url, question(target="cluster-7", exception=unwatched))
    typed = ("--exception", opened["exception_id"], "--acknowledge-risk", RISK, "--timeout", "60")
    through_kafka = json.loads(edge.run("request", *ON_THE_COMMAND_LINE, *typed).stdout)
    assert refused.json()["verdict"] == "BLOCK"
    assert report_of(refused).items() <= through_kafka.items()

    use = {**unwatched, "monitoring": "enhanced", "addons": ADDONS}
    answer = ask(platform.url, question(target="cluster-7", exception=use))
    allowed = answer.json()
    assert (allowed["verdict"], allowed["refusals"]) == ("ALLOW_BY_EXCEPTION", [])
    found_again = json.loads(edge.run("report", allowed["request_id"], "--output", "json").stdout)
    assert report_of(answer).items() <= found_again.items()

    shown = web.get(platform.url + asked.headers["location"], headers=bearer(), timeout=60).json()
    assert shown["requester"] == "alice"
    assert shown["history"][0]["event"] == "requested"


def test_nobody_approves_their_own_request(platform: Replica) -> None:
    blocked = ask(platform.url, question(environment="staging")).json()
    wanted = {"request_id": blocked["request_id"], "risk_statement": RISK}
    opened = post(platform, "version/compat/exception", wanted, bearer()).json()
    own = post(platform, "version/compat/approve", decision(opened, "alice", "plugin-steward", "steward"), APPROVER)
    assert (own.status_code, own.json()["reason_code"]) == (403, "SELF_APPROVAL")
    moved = decision(opened, "sabine", "security-approver", "security")
    early = post(platform, "version/compat/approve", moved, APPROVER)
    assert (early.status_code, early.json()["reason_code"]) == (409, "WRONG_STEP")
    open_already = post(platform, "version/compat/exception", wanted, bearer())
    assert (open_already.status_code, open_already.json()["exception_id"]) == (409, opened["exception_id"])


def test_only_who_asked_withdraws_and_other_tenants_see_nothing(platform: Replica) -> None:
    blocked = ask(platform.url, question(environment="test")).json()
    wanted = {"request_id": blocked["request_id"], "risk_statement": RISK}
    opened = post(platform, "version/compat/exception", wanted, bearer()).json()
    address = f"exceptions/{opened['exception_id']}/commands"
    foreign = bearer(token(claims(tenant="globex")))

    assert post(platform, address, {"kind": "withdraw"}, foreign).status_code == 404
    others = post(platform, address, {"kind": "withdraw"}, bearer(token(claims("bob"))))
    assert (others.status_code, others.json()["reason_code"]) == (409, "NOT_THE_REQUESTER")
    done = post(platform, address, {"kind": "withdraw"}, bearer())
    assert (done.status_code, done.json()["to_state"]) == (200, "WITHDRAWN")
    assert post(platform, "version/compat/exception", wanted, foreign).status_code == 404


SIGN = """#!{python}
import json, sys
sys.path[:0] = ["{tests}", "{root}"]
from joserfc.jwk import ECKey
from examples import approvals
approvals.TOOL = ECKey.import_key(json.loads({key!r}))
exception, digest, step, person, role = sys.argv[1:]
print(approvals.decision({{"exception_id": exception, "report_digest": digest}}, person, role, step)["proof"])
"""


@pytest.mark.skipif(not (which("curl") and which("jq")), reason="the page is for curl and jq")
def test_the_page_for_platforms_runs_as_it_stands(platform: Replica, tmp_path: Path) -> None:
    """Every snippet in order, in one shell, as a reader types them; `sign` is an approval tool."""
    snippets = re.findall(r"```sh\n(.*?)```", (ROOT / "schemas" / "HTTP.md").read_text("utf-8"), re.DOTALL)
    key = json.dumps(TOOL.as_dict(private=True))
    sign = tmp_path / "sign"
    sign.write_text(SIGN.format(python=sys.executable, tests=ROOT / "tests", root=ROOT, key=key))
    sign.chmod(0o700)
    (tmp_path / "scripts").symlink_to(ROOT / "scripts")
    everything = token(claims(roles=("deployer", "approver", "reader")))
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "GUARD": platform.url, "TOKEN": everything}
    script = "set -euo pipefail\n" + "\n".join(snippets)
    done = subprocess.run(
        ["/bin/bash", "-c", script],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout.splitlines()
    assert said[1] == "BLOCK"
    states = ["pending", "ALLOW", "IN_REVIEW", "APPROVED", "ALLOW_BY_EXCEPTION"]
    assert [line for line in said if line in states] == states
    assert (tmp_path / "report.md").read_text().startswith("## Blocked")


def test_a_proof_that_is_handed_in_again_gets_its_first_answer(platform: Replica) -> None:
    """Also when the exception has moved on meanwhile; from somebody else it is a replay."""
    blocked = ask(platform.url, question(environment="again")).json()
    wanted = {"request_id": blocked["request_id"], "risk_statement": RISK}
    opened = post(platform, "version/compat/exception", wanted, bearer()).json()
    first = decision(opened, "petra", "plugin-steward", "steward")
    answers = [post(platform, "version/compat/approve", first, APPROVER) for _ in range(2)]
    others = bearer(token(claims("another-tool", roles=("approver", "reader"))))

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    replayed = post(platform, "version/compat/approve", first, others)
    assert (replayed.status_code, replayed.json()["reason_code"]) == (409, "REPLAYED")


def test_an_exception_is_amended_over_http(platform: Replica) -> None:
    """What is not named stays; a block of something else is refused."""
    blocked = ask(platform.url, question(environment="amended")).json()
    wanted = {"request_id": blocked["request_id"], "risk_statement": RISK}
    opened = post(platform, "version/compat/exception", wanted, bearer()).json()
    address = f"exceptions/{opened['exception_id']}"
    amended = post(platform, f"{address}/commands", {"kind": "amend", "controls": ["somebody watches"]}, bearer())
    assert (amended.status_code, amended.json()["to_state"]) == (200, "PENDING"), amended.text
    shown = web.get(f"{platform.url}/internal/{address}", headers=bearer(), timeout=60).json()
    assert (shown["risk"], shown["controls"]) == (RISK, ["somebody watches"])
    other = ask(platform.url, question(environment="elsewhere")).json()["request_id"]
    refused = post(platform, f"{address}/commands", {"kind": "amend", "request_id": other}, bearer())
    assert refused.status_code == 422
