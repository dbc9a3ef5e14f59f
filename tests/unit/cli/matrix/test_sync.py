"""What `matrix sync` does about each source, wherever it comes from."""

import base64
import hashlib
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from examples.matrices import HOUR, NOON, a_document, a_rule
from examples.trust import TRUST

from processors.cli.matrix.sync import Step, outcomes, step_of
from processors.client import matrix_sources
from processors.client.matrix_sources import Sources, SourceUnreachable
from processors.configuration.guard import Signature, SourceConfig
from processors.documents.yaml_writing import to_yaml
from processors.errors import DocumentRefused, MatrixRefused, SettingsInvalid
from processors.matrix.merged import Matrix, Source
from processors.matrix.writing import written

DAY = 24 * HOUR
DOCUMENT = replace(a_document(a_rule(), source="vendor"), expires_after=DAY)
TEXT = to_yaml(written(DOCUMENT)).encode()
STAMPED = to_yaml(written(replace(DOCUMENT, published_at=NOON))).encode()
STANDING = Source("vendor", DOCUMENT.revision, DOCUMENT.digest, NOON, NOON + DAY)


@pytest.mark.parametrize(
    ("document", "standing", "hours", "expected"),
    [
        pytest.param(DOCUMENT, None, 0, Step.NEW, id="nothing of the source is in effect"),
        pytest.param(DOCUMENT, STANDING, 1, Step.UNCHANGED, id="the same, and young"),
        pytest.param(DOCUMENT, STANDING, 12, Step.RENEWED, id="the same, at half of its age"),
        pytest.param(DOCUMENT, STANDING, 30, Step.RENEWED, id="the same, and expired"),
        pytest.param(DOCUMENT, STANDING._replace(digest="other"), 1, Step.CHANGED, id="other rows"),
        pytest.param(replace(DOCUMENT, revision="2"), STANDING, 1, Step.CHANGED, id="another revision"),
        pytest.param(replace(DOCUMENT, expires_after=HOUR), STANDING, 1, Step.CHANGED, id="another life"),
        pytest.param(
            replace(DOCUMENT, published_at=NOON), STANDING, 20, Step.UNCHANGED, id="stamped by its issuer"
        ),
        pytest.param(replace(DOCUMENT, published_at=NOON + 1), STANDING, 1, Step.RENEWED, id="issued again"),
    ],
)
def test_only_what_has_changed_or_grows_old_is_published(
    document: Any, standing: Source | None, hours: int, expected: Step
) -> None:
    """Renewing starts at half of the allowed age, and never for a document that states its own time of issue."""
    assert step_of(document, standing, 50, NOON + hours * HOUR) is expected


def test_one_bad_source_stops_no_other() -> None:
    """Each has its line, and the worst of them decides how the command ends."""
    published: list[str] = []

    def read(source: SourceConfig) -> Any:
        if source.name == "down":
            raise SourceUnreachable("no answer")
        if source.name == "forged":
            raise MatrixRefused("not signed by whom it should be")
        return replace(DOCUMENT, source=source.name)

    configured = [SourceConfig(name=name, file=Path("x")) for name in ("down", "vendor", "forged", "acme")]
    lines = list(
        outcomes(configured, read, Matrix.EMPTY, TRUST, 50, lambda document, _: published.append(document.source))
    )

    assert [(line.source, line.step, line.code) for line in lines] == [
        ("down", Step.FAILED, 3), ("vendor", Step.NEW, 0), ("forged", Step.FAILED, 2), ("acme", Step.NEW, 0),
    ]  # fmt: skip
    assert published == ["vendor", "acme"]


def test_a_document_from_the_future_is_refused() -> None:
    """It would shut out whatever corrects it, for as long as its stamp lies ahead."""
    published: list[str] = []
    soon = time.time_ns() // 1_000_000 + HOUR
    configured = [SourceConfig(name="vendor", file=Path("x"))]

    (line,) = outcomes(
        configured,
        lambda _: replace(DOCUMENT, published_at=soon),
        Matrix.EMPTY,
        TRUST,
        50,
        lambda document, _: published.append(document.source),
    )

    assert (line.step, line.code, published) == (Step.FAILED, 2, [])
    assert "future" in line.why


class Web:
    """A web server with ETags, as they are. `documents` are by path; `served` is what went out whole,
    `pause` the seconds after the first byte."""

    def __init__(self) -> None:
        self.documents: dict[str, bytes] = {}
        self.served: list[str] = []
        self.pause = 0.0
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                content = web.documents.get(self.path)
                tag = f'"{hashlib.sha256(content or b"").hexdigest()}"'
                known = self.headers.get("If-None-Match") == tag
                self.send_response(404 if content is None else 304 if known else 200)
                self.send_header("ETag", tag)
                if content is not None and not known:
                    web.served.append(self.path)
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content[:1])
                    time.sleep(web.pause)
                    self.wfile.write(content[1:])
                else:
                    self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server.server_port}{path}"


@pytest.fixture
def web() -> Iterator[Web]:
    web = Web()
    yield web
    web.server.shutdown()
    web.server.server_close()


def test_a_file_is_read_beside_the_configuration(tmp_path: Path) -> None:
    """Relative paths start from the folder of guard.yaml."""
    (tmp_path / "vendor.yaml").write_bytes(TEXT)

    found = Sources(tmp_path, tmp_path / "cache").read(SourceConfig(name="vendor", file=Path("vendor.yaml")))

    assert found.digest == DOCUMENT.digest


def test_a_document_of_another_source_is_refused(tmp_path: Path) -> None:
    """Else a vendor could speak for governance, which alone may loosen."""
    (tmp_path / "vendor.yaml").write_bytes(TEXT)

    with pytest.raises(MatrixRefused, match="calls itself `vendor`"):
        Sources(tmp_path, tmp_path / "c").read(SourceConfig(name="governance", file=Path("vendor.yaml")))


def test_a_file_of_a_repository_is_read_at_its_ref(tmp_path: Path) -> None:
    """Without a checkout; what was not committed does not count."""
    repository = tmp_path / "repository"
    repository.mkdir()

    def git(*arguments: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *who, *arguments], cwd=repository, check=True, capture_output=True)  # noqa: S607 - the one on the PATH

    git("init", "--quiet", "--initial-branch=main")
    (repository / "matrix.yaml").write_bytes(TEXT)
    git("add", ".")
    git("commit", "--quiet", "-m", "one")
    (repository / "matrix.yaml").write_text("spoilt")
    sources = Sources(tmp_path, tmp_path / "cache")
    configured = SourceConfig(name="vendor", git="repository", ref="main", path="matrix.yaml")

    assert sources.read(configured).digest == DOCUMENT.digest
    with pytest.raises(SourceUnreachable, match="git"):
        sources.read(configured.model_copy(update={"ref": "none"}))
    with pytest.raises(SourceUnreachable, match="not allowed"):
        sources.read(configured.model_copy(update={"git": f"ext::touch {tmp_path}/run"}))
    assert not (tmp_path / "run").exists()


def test_a_document_from_the_web_must_have_its_digest(tmp_path: Path, web: Web) -> None:
    """And is transferred once, as long as its tag stays."""
    web.documents["/m.yaml"] = TEXT
    sources = Sources(tmp_path, tmp_path / "cache")
    configured = SourceConfig(name="vendor", url=web.url("/m.yaml"), sha256=hashlib.sha256(TEXT).hexdigest())

    for _ in range(3):
        assert sources.read(configured).digest == DOCUMENT.digest
    assert web.served == ["/m.yaml"]

    web.documents["/m.yaml"] = TEXT + b"# changed\n"
    with pytest.raises(MatrixRefused, match="sha256"):
        sources.read(configured)


def test_a_cache_that_somebody_changed_is_noticed(tmp_path: Path, web: Web) -> None:
    """What is cached is proved again each time."""
    web.documents["/m.yaml"] = TEXT
    configured = SourceConfig(name="vendor", url=web.url("/m.yaml"), sha256=hashlib.sha256(TEXT).hexdigest())
    sources = Sources(tmp_path, tmp_path / "cache")
    sources.read(configured)
    (body,) = (path for path in (tmp_path / "cache").iterdir() if path.suffix != ".json")
    body.write_bytes(TEXT + b"# forged\n")

    with pytest.raises(MatrixRefused, match="sha256"):
        sources.read(configured)


def test_a_signed_document_needs_the_right_key(tmp_path: Path, web: Web) -> None:
    """Raw or in base64; another document or another key is refused."""
    key = Ed25519PrivateKey.generate()
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "vendor.pem").write_bytes(pem)
    signature = key.sign(STAMPED)
    web.documents |= {"/m.yaml": STAMPED, "/m.sig": signature, "/m.b64": base64.b64encode(signature) + b"\n"}
    sources = Sources(tmp_path, tmp_path / "cache")

    def configured(path: str, pem: str = "vendor.pem") -> SourceConfig:
        proof = Signature(url=web.url(path), key=Path(pem))
        return SourceConfig(name="vendor", url=web.url("/m.yaml"), signature=proof)

    assert sources.read(configured("/m.sig")).digest == sources.read(configured("/m.b64")).digest == DOCUMENT.digest
    web.documents["/m.yaml"] = STAMPED + b"# forged\n"
    with pytest.raises(MatrixRefused, match="signature"):
        sources.read(configured("/m.sig"))
    with pytest.raises(SourceUnreachable, match="404"):
        sources.read(configured("/none"))
    with pytest.raises(SettingsInvalid, match="cannot be opened"):
        sources.read(configured("/m.sig", "none.pem"))


def test_a_signed_document_states_when_it_was_issued(tmp_path: Path, web: Web) -> None:
    """Else an old one, with its good signature, would be stamped with the time of its reading."""
    key = Ed25519PrivateKey.generate()
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "vendor.pem").write_bytes(pem)
    web.documents |= {"/m.yaml": TEXT, "/m.sig": key.sign(TEXT)}
    proof = Signature(url=web.url("/m.sig"), key=Path("vendor.pem"))

    with pytest.raises(MatrixRefused, match="published_at"):
        Sources(tmp_path, tmp_path / "cache").read(
            SourceConfig(name="vendor", url=web.url("/m.yaml"), signature=proof)
        )


def test_an_old_document_is_not_taken_for_a_new_one() -> None:
    """It differs from what is in effect, and was issued before it."""
    old = replace(DOCUMENT, digest="sha256:old", published_at=NOON - 1)

    with pytest.raises(MatrixRefused, match="before what is in effect"):
        step_of(old, STANDING, 50, NOON + HOUR)


def test_a_life_that_is_capped_is_no_change() -> None:
    """Else a matrix that claims ten years would be published on every run."""
    claims = replace(DOCUMENT, expires_after=3650 * DAY)
    standing = STANDING._replace(expires_at=NOON + 7 * DAY)

    assert step_of(claims, standing, 50, NOON + HOUR, longest=7 * DAY) is Step.UNCHANGED
    assert step_of(claims, standing, 50, NOON + 4 * DAY, longest=7 * DAY) is Step.RENEWED


def test_what_is_no_matrix_is_refused(tmp_path: Path) -> None:
    """As `matrix publish` would."""
    (tmp_path / "vendor.yaml").write_text("a page that says: log in first")

    with pytest.raises(DocumentRefused):
        Sources(tmp_path, tmp_path / "c").read(SourceConfig(name="vendor", file=Path("vendor.yaml")))


def test_a_server_that_is_not_there_is_unreachable(tmp_path: Path) -> None:
    """Exit code 3: the job is to be run again."""
    configured = SourceConfig(name="vendor", url="http://127.0.0.1:9/m.yaml", sha256="0" * 64)

    with pytest.raises(SourceUnreachable):
        Sources(tmp_path, tmp_path / "c").read(configured)


def test_a_server_that_dawdles_is_unreachable(tmp_path: Path, web: Web) -> None:
    """The time counts for the whole document, so that drops of it do not hold a job for ever."""
    web.documents["/m.yaml"], web.pause = TEXT, 0.3
    configured = SourceConfig(name="vendor", url=web.url("/m.yaml"), sha256=hashlib.sha256(TEXT).hexdigest())

    with pytest.raises(SourceUnreachable, match="takes too long"):
        Sources(tmp_path, tmp_path / "c", patience=0.1).read(configured)


def test_a_document_that_is_too_large_is_refused(tmp_path: Path, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read no further than the limit."""
    monkeypatch.setattr(matrix_sources, "LARGEST", 100)
    web.documents["/m.yaml"] = TEXT
    configured = SourceConfig(name="vendor", url=web.url("/m.yaml"), sha256=hashlib.sha256(TEXT).hexdigest())

    with pytest.raises(MatrixRefused, match="sends more than 100 bytes"):
        Sources(tmp_path, tmp_path / "c").read(configured)
