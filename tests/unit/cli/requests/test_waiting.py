"""Whoever asks knows the id at once, waits no longer than was said, and may leave."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

ID = str(uuid.uuid4())


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that takes connections and says nothing."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(16)
        yield f"127.0.0.1:{listening.getsockname()[1]}"


def asking(folder: Path, silent: str, timeout: str) -> subprocess.Popen[str]:
    manifest = folder / "plugin.yaml"
    manifest.write_text('id: com.a\nversion: "1.0.0"\ncorex_version: "*"\n')
    question = ["-m", str(manifest), "--host", "corex@1.9.0", "--request-id", ID, "--timeout", timeout]
    return subprocess.Popen(
        [sys.executable, "-m", "processors.cli", "request", *question],
        env={**os.environ, "GUARD_REGISTRY__URL": f"http://{silent}", "GUARD_KAFKA__BOOTSTRAP": silent},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_limit_holds_and_what_was_waited_for_is_named(tmp_path: Path, silent: str) -> None:
    """The client library gives up after 10 s; the limit of whoever asks goes before that."""
    said, told = asking(tmp_path, silent, "0.5").communicate(timeout=60)

    assert said == ""
    assert told.splitlines()[0] == f"request {ID}"
    assert f"no verdict on request {ID} within 0.5 s, which counts as a block" in told
    assert f"waited for a broker at {silent}" in told
    assert f"compat-guard report {ID}" in told


def test_after_ctrl_c_the_id_is_there(tmp_path: Path, silent: str) -> None:
    """A request that was sent may still be answered."""
    process = asking(tmp_path, silent, "300")
    assert process.stderr is not None
    assert process.stderr.readline() == f"request {ID}\n"

    process.send_signal(signal.SIGINT)
    said, told = process.communicate(timeout=60)

    assert (process.returncode, said) == (130, "")
    assert f"compat-guard report {ID}" in told
