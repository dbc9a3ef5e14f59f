"""A platform that speaks HTTP asks, and gets what it would get through Kafka; retries repeat nothing."""

from __future__ import annotations

import gzip
import json
import re
import socket
import uuid
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from examples import web
from examples.gateways import CHECK, PLUGINS, Edge, Replica, ask, bearer, question, report_of
from examples.issuers import bad_tokens, claims, token

from processors.gateway.app import application
from processors.gateway.contract import contract

pytestmark = pytest.mark.stack

ON_THE_COMMAND_LINE = (
    *("--host", "corex@1.9.0", "--installed", "com.powerx.plugins.crm@0.6.0"),
    *("--runtime", "go@1.22", "--runtime", "node@20.11", "--output", "json"),
)


@pytest.mark.parametrize(
    ("manifest", "verdict"),
    [
        pytest.param("inventory-sync-1.5.0.yaml", "BLOCK", id="c-1"),
        pytest.param("audit-log-4.0.1.yaml", "ALLOW", id="allowed"),
        pytest.param("chat-2.3.1.yaml", "WARN", id="warned"),
    ],
)
def test_http_kafka_and_the_command_line_give_the_same_report(
    edge: Edge, gateway: Replica, manifest: str, verdict: str
) -> None:
    """Digest included, so down to the byte."""
    answer = ask(gateway.url, question(manifest))
    command = ("--manifest", str(PLUGINS / manifest), *ON_THE_COMMAND_LINE)
    offline = json.loads(edge.run("check", *command, "--matrix", "config/compat_matrix.yaml").stdout)
    through_kafka = json.loads(edge.run("request", *command, "--timeout", "60").stdout)
    del offline["matrix_files"]

    assert answer.status_code == 200, answer.text
    assert answer.json()["verdict"] == verdict
    assert report_of(answer) == offline
    assert offline.items() <= through_kafka.items()
    assert answer.headers["etag"] == f'"{offline["report_digest"]}"'


def test_the_operator_and_tenant_are_those_of_the_token(gateway: Replica) -> None:
    result = ask(gateway.url).json()
    assert (result["operator"], result["tenant"]) == ("alice", "acme")


def test_a_form_with_the_file_as_it_is_asks_the_same_question(gateway: Replica) -> None:
    manifest = PLUGINS / "inventory-sync-1.5.0.yaml"
    answer = web.post(
        gateway.url + CHECK,
        files={"manifest": (manifest.name, manifest.read_bytes())},
        data={
            "host": "corex@1.9.0",
            "installed": ["com.powerx.plugins.crm@0.6.0"],
            "runtime": ["go@1.22", "node@20.11"],
        },
        headers=bearer(),
        timeout=60,
    )
    assert answer.status_code == 200, answer.text
    assert report_of(answer) == report_of(ask(gateway.url))


def test_a_retry_under_the_same_key_gets_the_same_result(gateway: Replica) -> None:
    key = str(uuid.uuid4())
    first, again = ask(gateway.url, key=key), ask(gateway.url, key=key)
    assert first.json() == again.json()


def test_twins_under_one_key_get_one_result(gateway: Replica) -> None:
    key = str(uuid.uuid4())
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: ask(gateway.url, key=key), range(10)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["result_id"] for answer in answers}) == 1


def test_a_key_that_comes_with_another_question_is_refused(gateway: Replica) -> None:
    key = str(uuid.uuid4())
    assert ask(gateway.url, key=key).status_code == 200
    for other in (question("audit-log-4.0.1.yaml"), question(target="cluster-7"), question(host="corex@2.0.0")):
        answer = ask(gateway.url, other, key=key)
        assert (answer.status_code, answer.json()["type"]) == (422, "/internal/problems/key-reused")


def test_one_key_of_two_tenants_and_of_two_people_is_two_requests(gateway: Replica) -> None:
    key = str(uuid.uuid4())
    others = [bearer(token(claims(tenant="globex"))), bearer(token(claims("bob")))]
    answers = [ask(gateway.url, key=key), *(ask(gateway.url, key=key, headers=other) for other in others)]
    assert len({answer.json()["request_id"] for answer in answers}) == 3


def test_an_answer_is_found_again_in_every_form(gateway: Replica) -> None:
    result = ask(gateway.url).json()
    address = f"{gateway.url}{CHECK}/{result['request_id']}"
    found = web.get(address, headers=bearer())
    assert found.json() == result
    assert web.get(address, headers={**bearer(), "If-None-Match": found.headers["etag"]}).status_code == 304
    forms = {
        "text/html": "<!doctype html>",
        "text/markdown": "## Blocked",
        "application/sarif+json": "{",
        "application/junit+xml": "<?xml",
    }
    for form, beginning in forms.items():
        shown = web.get(address, headers={**bearer(), "Accept": form})
        assert shown.headers["content-type"].startswith(form)
        assert shown.text.startswith(beginning)


def test_what_belongs_to_another_tenant_is_not_there(gateway: Replica) -> None:
    result = ask(gateway.url).json()
    address = f"{gateway.url}{CHECK}/{result['request_id']}"
    foreign = web.get(address, headers=bearer(token(claims(tenant="globex"))))
    unknown = web.get(f"{gateway.url}{CHECK}/{uuid.uuid4()}", headers=bearer())
    assert (foreign.status_code, unknown.status_code) == (404, 404)
    assert foreign.json() == unknown.json()


def test_whoever_will_not_wait_comes_back_for_the_verdict(edge: Edge, gateway: Replica) -> None:
    """202 names the address; there the answer is waited for, and it is that of the very request."""
    with edge.checker_paused():
        answer = ask(gateway.url, headers={"Prefer": "wait=0"})
    assert answer.status_code == 202
    assert 2 <= int(answer.headers["retry-after"]) <= 8
    later = web.get(gateway.url + answer.headers["location"], headers=bearer(), timeout=60)
    assert later.status_code == 200
    assert later.json()["request_id"] == answer.json()["request_id"]


def test_nobody_can_wait_for_anothers_request(edge: Edge, gateway: Replica) -> None:
    with edge.checker_paused():
        pending = ask(gateway.url, headers={"Prefer": "wait=0"})
    foreign = bearer(token(claims(tenant="globex")))
    assert web.get(gateway.url + pending.headers["location"], headers=foreign, timeout=60).status_code == 404


def test_a_manifest_with_defects_is_blocked_and_one_that_is_none_is_refused(gateway: Replica) -> None:
    defective = ask(gateway.url, question() | {"manifest": {"content": "id: com.powerx.plugins.crm\n"}})
    none = ask(gateway.url, question() | {"manifest": {"content": "- just\n- a list\n"}})
    assert (defective.status_code, defective.json()["verdict"]) == (200, "BLOCK")
    assert none.status_code == 422


OPERATIONS = [
    (method, path, operation["operationId"])
    for path, item in contract(application())["paths"].items()
    for method, operation in item.items()
    if operation.get("security")
]


def test_no_bad_token_is_believed_by_any_operation(gateway: Replica) -> None:
    """Every operation of the contract with everything that can be wrong with a token, and with none."""
    believed = []
    with httpx.Client(base_url=gateway.url, timeout=60) as client:
        for what, bad in {"none": None, **bad_tokens()}.items():
            headers = {} if bad is None else bearer(bad)
            for method, path, name in OPERATIONS:
                answer = client.request(method, re.sub(r"{\w+}", "x", path), headers=headers)
                if answer.status_code != 401 or "www-authenticate" not in answer.headers:
                    believed.append((what, name, answer.status_code))
    assert believed == []


def test_a_good_token_without_a_role_may_do_nothing(gateway: Replica) -> None:
    nobody, allowed = bearer(token(claims("nadia", roles=()))), []
    for method, path, name in OPERATIONS:
        answer = web.request(method, gateway.url + re.sub(r"{\w+}", "x", path), headers=nobody, timeout=60)
        if answer.status_code != 403:
            allowed.append(name)
    assert allowed == ["whoami"]


JSON = {"Content-Type": "application/json"}
FORM = "multipart/form-data; boundary=x; charset="
MANIFEST = b'--x\r\nContent-Disposition: form-data; name="manifest"; filename="plugin.yaml"\r\n\r\nid: a\r\n'
HALF = b'--x\r\nContent-Disposition: form-data; name="exception"\r\n\r\n"\\ud800"\r\n--x--\r\n'


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        pytest.param(b'{"host": "corex@1.9.0", "host": "corex@2.0.0"}', JSON, 400, id="a key twice"),
        pytest.param(b'{"a":' * 50 + b"1" + b"}" * 50, JSON, 400, id="50 levels"),
        pytest.param(b"[" * 100_000, JSON, 400, id="levels without end"),
        pytest.param(b'{"host": NaN}', JSON, 400, id="no JSON"),
        pytest.param(b"\xff\xfe", JSON, 400, id="no UTF-8"),
        pytest.param(b"{}", {**JSON, "Content-Encoding": "gzip"}, 415, id="packed"),
        pytest.param(
            gzip.compress(b" " * 50_000_000),
            {**JSON, "Content-Encoding": "gzip"},
            415,
            id="a bomb of 50 MB in 50 kB",
        ),
        pytest.param(gzip.compress(b" " * 1_000_000), JSON, 400, id="packed and not said so"),
        pytest.param(b"{}", {"Content-Type": "text/plain"}, 415, id="another type"),
        pytest.param(b" " * 5_000_000, JSON, 413, id="5 MB"),
        pytest.param(
            b'{"manifest": {"content": "a: 1"}, "host": "corex@1\\ud800"}', JSON, 400, id="half a character"
        ),
        pytest.param(b"--x--", {"Content-Type": "multipart/form-data"}, 400, id="a form without a boundary"),
        pytest.param(HALF, {"Content-Type": FORM + "punycode"}, 415, id="a form in a codec that needs minutes"),
        pytest.param(HALF, {"Content-Type": FORM + "undefined"}, 415, id="a form in a codec that reads nothing"),
        pytest.param(HALF, {"Content-Type": FORM + "unicode_escape"}, 415, id="a form of half characters"),
        pytest.param(MANIFEST + HALF, {"Content-Type": FORM + "utf-8"}, 400, id="half a character in a form"),
    ],
)
def test_a_hostile_body_is_refused_with_a_problem(
    gateway: Replica, body: bytes, headers: dict[str, str], status: int
) -> None:
    answer = web.post(gateway.url + CHECK, content=body, headers={**bearer(), **headers}, timeout=60)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text


def test_a_body_without_a_length_is_bounded_too(gateway: Replica) -> None:
    endless = (b" " * 65536 for _ in range(100))
    answer = web.post(gateway.url + CHECK, content=endless, headers={**bearer(), **JSON}, timeout=60)
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "head",
    [
        pytest.param("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", id="two lengths"),
        pytest.param("Content-Length: 4\r\nContent-Length: 5\r\n", id="two that differ"),
        pytest.param("Content-Length: +4\r\n", id="a sign"),
        pytest.param("Transfer-Encoding: xchunked\r\n", id="an unknown coding"),
        pytest.param("X-A: b\r\n Content-Length: 4\r\n", id="a folded header"),
    ],
)
def test_what_two_parsers_could_read_in_two_ways_is_no_second_request(gateway: Replica, head: str) -> None:
    """Request smuggling: a request that is hidden in another one is never answered."""
    hidden = "GET /internal/whoami HTTP/1.1\r\nHost: x\r\n\r\n"
    chunked = "0\r\n\r\n" + hidden
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as connection:
        said = f"POST {CHECK} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{head}\r\n{chunked}"
        connection.sendall(said.encode())
        answered = b""
        while piece := connection.recv(65536):
            answered += piece
    assert answered.count(b"HTTP/1.1 ") == 1
    assert answered.startswith((b"HTTP/1.1 400", b"HTTP/1.1 401", b"HTTP/1.1 411", b"HTTP/1.1 501"))
