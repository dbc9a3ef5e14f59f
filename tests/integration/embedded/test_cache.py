"""Downloads, from a Maven repository of our own on loopback."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from processors.embedded.artifacts import Artifact, Release
from processors.embedded.cache import DownloadFailed, cache_folder, installed
from processors.embedded.progress import Silent

CONTENT = b"a jar" * 1000
INTACT = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Mirror:
    """What the repository has answered, and what it shall answer."""

    url: str
    asked: list[str] = field(default_factory=list)
    answer: Callable[[int], bytes] = lambda _: CONTENT

    def jars(self) -> list[str]:
        return [path for path in self.asked if path.endswith(".jar")]


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    """A repository that serves one content under every name, and an empty cache."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known.asked.append(self.path)
            body = known.answer(len(known.jars()))
            self.send_response(200 if body and self.path.endswith(".jar") else 404)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        known = Mirror(f"http://127.0.0.1:{server.server_port}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("GUARD_MAVEN_MIRROR", known.url)
        monkeypatch.setenv("GUARD_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("NO_PROXY", "*")
        yield known
        server.shutdown()


def a_release(*names: str, sha256: str = INTACT) -> Release:
    jars = (Artifact("org.sample", name, "1.0", "", "jar", len(CONTENT), sha256) for name in names)
    return Release("Sample 1.0", "sample-1.0", tuple(jars))


def cached() -> list[str]:
    return sorted(path.name for path in cache_folder().iterdir() if path.is_dir())


def test_a_release_is_downloaded_once(mirror: Mirror) -> None:
    """The second time asks nobody."""
    first = installed(a_release("one", "two"), Silent())
    second = installed(a_release("one", "two"), Silent())

    assert first == second
    assert sorted(path.name for path in first.iterdir()) == ["one-1.0.jar", "two-1.0.jar"]
    assert len(mirror.jars()) == 2


def test_two_first_starts_download_once(mirror: Mirror) -> None:
    """Who comes second waits for the first and takes its result."""
    with ThreadPoolExecutor(2) as pool:
        folders = list(pool.map(lambda _: installed(a_release("one"), Silent()), range(2)))

    assert folders[0] == folders[1]
    assert len(mirror.jars()) == 1


def test_what_differs_from_the_lock_file_is_refused(mirror: Mirror) -> None:
    """A mirror that serves something else cannot put it into the cache, however often it is asked."""
    with pytest.raises(DownloadFailed, match=r"org\.sample:one:1\.0.*digest differs"):
        installed(a_release("one", sha256="0" * 64), Silent())

    assert len(mirror.jars()) == 3
    assert cached() == []


def test_a_download_that_breaks_off_is_tried_again(mirror: Mirror) -> None:
    """Half a file is never taken for a whole one."""
    mirror.answer = lambda attempt: CONTENT[:100] if attempt == 1 else CONTENT
    folder = installed(a_release("one"), Silent())

    assert (folder / "one-1.0.jar").read_bytes() == CONTENT
    assert len(mirror.jars()) == 2


def test_a_killed_download_does_not_poison_the_cache(mirror: Mirror) -> None:
    """What an interrupted run left is thrown away by the next."""

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    interrupting = Silent()
    interrupting.download = lambda *_: nullcontext(interrupt)
    with pytest.raises(KeyboardInterrupt):
        installed(a_release("one"), interrupting)
    (cache_folder() / "sample-1.0.partial").mkdir()
    (cache_folder() / "sample-1.0.partial" / "junk").write_text("left by a kill -9")

    assert [path.name for path in installed(a_release("one"), Silent()).iterdir()] == ["one-1.0.jar"]
    assert cached() == ["sample-1.0"]


def test_a_repository_that_does_not_answer_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without network and without cache the error says which file, why, and what to do."""
    monkeypatch.setenv("GUARD_MAVEN_MIRROR", "http://127.0.0.1:9")
    monkeypatch.setenv("GUARD_CACHE", str(tmp_path))
    monkeypatch.setattr("processors.embedded.cache.ATTEMPTS", 1)

    with pytest.raises(DownloadFailed, match="GUARD_CACHE"):
        installed(a_release("one"), Silent())
