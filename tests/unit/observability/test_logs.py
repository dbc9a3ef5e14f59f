"""What a process logs: one JSON line each, that a machine can read, and nobody's secret."""

import json
import subprocess
import sys
from typing import Any

CANARIES = ("alice@example.com", "hunter2-hunter2", "ghp_0123456789abcdefghijABCDEFGHIJ012345")
PROGRAM = """
import logging, structlog
from processors.masking.masker import Masker
from processors.masking.pseudonyms import PseudonymKeys
from processors.observability.logs import configure_logging
configure_logging("info", Masker(PseudonymKeys("k1", {"k1": b"x" * 32})))
log = structlog.get_logger()
alice, password, token = %r
log.info("request answered", operator=alice, plugin_version="1.5.0", band="HIGH", score=75, host="corex",
         dependencies=["com.acme.crm >=1.0", token], reason="password=" + password,
         detail={"deep": "token " + token, "password": password}, db_password=password)
log.info("for " + alice)
log.debug("not shown")
logging.getLogger("a.library").warning("Authorization: Bearer " + token)
try:
    raise ValueError("password=" + password)
except ValueError:
    log.exception("failed")
log.warning("waiting", message="no broker", labels={"password=" + password: "blue"})
log.info("request answered", operator=alice.upper())
"""


def lines() -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM % (CANARIES,)], capture_output=True, text=True, check=True, timeout=60
    )
    assert not done.stdout
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_logs_are_lines_of_json_without_anybodys_secret() -> None:
    """Ours, a library's and a traceback: all of them go through the same mask."""
    logged = lines()

    assert len(logged) == 6
    assert all(line["@timestamp"] and line["log.level"] and line["message"] for line in logged)
    text = json.dumps(logged)
    assert [canary for canary in CANARIES if canary in text] == []


def test_what_happened_and_what_an_error_says_stand_apart() -> None:
    """Neither takes the other's place."""
    (waiting,) = [line for line in lines() if line["message"] == "waiting"]

    assert waiting["error.message"] == "no broker"


def test_a_line_tells_what_an_operator_searches_for() -> None:
    """Plugin version, host, dependencies and risk band stay readable; the operator has one name throughout."""
    first, *_, last = lines()

    assert (first["plugin_version"], first["host"], first["band"]) == ("1.5.0", "corex", "HIGH")
    assert first["score"] == 75
    assert first["dependencies"][0] == "com.acme.crm >=1.0"
    assert first["operator"].startswith("k1:")
    assert first["operator"] == last["operator"]
