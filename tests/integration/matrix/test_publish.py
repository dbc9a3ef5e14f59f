"""Publishing a matrix on the real broker: whole or not at all, seen by every reader, and readable again."""

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from examples import commands
from examples.ground import eventually
from examples.matrices import a_document, a_rule

from processors.client.matrix_topic import publish_matrix, read_matrix
from processors.configuration.settings import KafkaSettings, RegistrySettings, Settings
from processors.embedded import Addresses
from processors.errors import BrokerUnavailable, MatrixRefused
from processors.matrix.document import MatrixDocument
from processors.stream.io.atomically import publish_atomically
from processors.stream.settings import StreamSettings
from processors.stream.types import Outbound

pytestmark = pytest.mark.stack

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def command(guarded: Addresses) -> Command:
    """The command line as people run it, on a stack that has its topics."""
    variables = {"GUARD_KAFKA__BOOTSTRAP": guarded.bootstrap, "GUARD_REGISTRY__URL": guarded.registry}

    def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
        return commands.run(*words, environment={**os.environ, **variables, "COLUMNS": "200"})

    return run


@pytest.fixture
def of(command: Command, guarded: Addresses) -> Settings:
    return Settings(
        kafka=KafkaSettings(bootstrap=guarded.bootstrap), registry=RegistrySettings(url=guarded.registry)
    )


@pytest.fixture
def source() -> str:
    """The topic is shared, a source is not."""
    return f"s{uuid.uuid4().hex[:8]}"


def now() -> int:
    return time.time_ns() // 1_000_000


def a_large(source: str, rows: int) -> MatrixDocument:
    return a_document(*[a_rule(f"com.acme.p{n}", notes="x" * 1000) for n in range(rows)], source=source)


def active(of: Settings, source: str) -> MatrixDocument | None:
    return read_matrix(of)[0].snapshot().document(source)


def await_digest(of: Settings, source: str, digest: str) -> None:
    """What is committed may be read a moment later: the broker marks each partition by itself."""
    eventually(lambda: (found := active(of, source)) is not None and found.digest == digest)


def a_file(folder: Path, text: str) -> Path:
    file = folder / "matrix.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_large_matrix_arrives_whole_and_a_smaller_one_leaves_no_parts(of: Settings, source: str) -> None:
    """Parts of the larger one are removed in the transaction that brings the smaller one."""
    large, small = a_large(source, 1_500), a_large(source, 1)

    parts = publish_matrix(of, large, now())
    assert parts > 2
    await_digest(of, source, large.digest)

    assert publish_matrix(of, small, now()) == 1
    await_digest(of, source, small.digest)
    fold, rejects = read_matrix(of)
    assert fold.parts(source) == {1}
    assert [reject for reject in rejects if (reject.record.key or b"").startswith(source.encode())] == []


def test_an_older_refresh_is_not_even_written(of: Settings, source: str) -> None:
    """Readers would ignore it, and a fresh one would not."""
    issued = now()
    document = a_large(source, 2)
    publish_matrix(of, document, issued)
    await_digest(of, source, document.digest)

    with pytest.raises(MatrixRefused, match="older"):
        publish_matrix(of, a_large(source, 1), issued - 1)


def test_publishing_again_renews_the_expiry(of: Settings, source: str) -> None:
    document, issued = a_large(source, 1), now()
    publish_matrix(of, document, issued - 1000)
    await_digest(of, source, document.digest)
    publish_matrix(of, document, issued)

    def standing() -> list[tuple[str, int]]:
        return [(s.digest, s.issued_at) for s in read_matrix(of)[0].snapshot().sources if s.name == source]

    eventually(lambda: standing() == [(document.digest, issued)])


def test_nothing_is_seen_of_records_that_cannot_all_be_written(
    of: Settings, guarded: Addresses, source: str
) -> None:
    """One record goes to a topic that does not exist, so the other one is not there either."""
    settings = StreamSettings(bootstrap=guarded.bootstrap, registry=guarded.registry)
    key = f"{source}/0001".encode()
    good, bad = Outbound("compat.matrix-refreshes", key, None), Outbound(f"{source}-nowhere", key, b"x")

    with pytest.raises(BrokerUnavailable):
        publish_atomically(settings, f"test-{source}", [good, bad])

    assert read_matrix(of)[0].parts(source) == frozenset()


def test_the_commands_publish_show_and_explain(command: Command, source: str, tmp_path: Path) -> None:
    """What was published is what is shown, and what is shown can be published again."""
    rule = 'matrix: [{host: corex, plugin: "com.acme.*", max_version: "1.5.0", action: block, notes: "old"}]'
    file = a_file(tmp_path, f"source: {source}\nhosts: {{corex: {{}}}}\n{rule}\n")

    published = command("matrix", "publish", file, "--output", "json")
    assert published.returncode == 0, published.stderr
    done: dict[str, Any] = json.loads(published.stdout)
    assert (done["source"], done["rows"], done["parts"]) == (source, 1, 1)

    standings = json.loads(command("matrix", "show", "--output", "json").stdout)["sources"]
    assert [(s["state"], s["digest"]) for s in standings if s["source"] == source] == [
        ("in effect", done["digest"])
    ]

    shown = command("matrix", "show", source, "--output", "yaml")
    again = command("matrix", "publish", a_file(tmp_path, shown.stdout), "--output", "json")
    assert json.loads(again.stdout)["digest"] == done["digest"], again.stderr

    explained = json.loads(command("matrix", "explain", "com.acme.x@1.2.0", "corex@1.9.0", "-o", "json").stdout)
    ours = [row for row in explained["rows"] if row["source"] == source]
    assert [(row["action"], row["decisive"], row["why"]) for row in ours] == [("block", True, "old")]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param(
            "matrix: [{host: c, plugin: a, action: block, min_version: 1.10}]", 'write "1.10"', id="malformed"
        ),
        pytest.param(
            "matrix: [{host: c, plugin: a, action: block, min_version: one}]", "`one`", id="unreadable bound"
        ),
        pytest.param("published_at: 2020-01-01\nmatrix: []", "expired already", id="born expired"),
        pytest.param("published_at: 2100-01-01\nmatrix: []", "future", id="issued in the future"),
    ],
)
def test_what_readers_would_refuse_is_not_published(
    command: Command, of: Settings, source: str, tmp_path: Path, text: str, complaint: str
) -> None:
    """Ends with 2 and says why."""
    published = command("matrix", "publish", a_file(tmp_path, f"source: {source}\n{text}\n"))

    assert published.returncode == 2
    assert complaint in " ".join(published.stderr.split())
    assert active(of, source) is None


def test_without_a_broker_the_exit_code_says_so(tmp_path: Path) -> None:
    """3: a dependency is down."""
    ended = subprocess.run(
        [sys.executable, "-c", "from processors.cli import main; main()", "matrix", "show"],
        env={**os.environ, "GUARD_KAFKA__BOOTSTRAP": "127.0.0.1:9", "GUARD_REGISTRY__URL": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 3, ended.stderr
