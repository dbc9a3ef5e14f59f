"""Reads matrices from files, Git repositories, and the web, where a digest or a signature must verify them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any, Final, NamedTuple

import httpx
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from processors.bootstrap.download import PLAIN, TooMuch, TooSlow, read_whole
from processors.client.matrices import refuse_shipped
from processors.configuration.guard import Signature, SourceConfig
from processors.documents import json_text
from processors.errors import MatrixRefused, SettingsInvalid, Unavailable, shorten
from processors.matrix.document import MatrixDocument
from processors.matrix.text import matrix_text, parse_matrix

LARGEST: Final = json_text.LIMIT
"""The most bytes of any source; YAML has a lower limit of its own."""

LARGEST_SIGNATURE: Final = 4096
TIMEOUT: Final = 30.0
"""Seconds for each step of a download."""

PATIENCE: Final = 120.0
"""Seconds for a whole download."""

_GIT_ENVIRONMENT: Final = {
    "GIT_TERMINAL_PROMPT": "0",  # a job cannot answer prompts
    "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",  # not ext::, which runs a command
}


class SourceUnreachable(Unavailable):
    """The repository or web server of a matrix does not answer."""


class Sources:
    """Reads sources. Relative paths start at `home`; `cache` is a folder for files that can be fetched again, and
    `patience` the seconds that a web server has for a document.

    The cache is not trusted: digest or signature are checked at every reading.
    """

    def __init__(self, home: Path, cache: Path, patience: float = PATIENCE) -> None:
        self._home, self._cache, self._patience = home, cache, patience

    def read(self, source: SourceConfig) -> MatrixDocument:
        """The present document of a source.

        Raises:
            SourceUnreachable: it cannot be fetched at the moment.
            MatrixRefused: its name, digest or signature is wrong.
            DocumentRefused: it is not a matrix.
            SettingsInvalid: the source is configured in a way that cannot work.
        """
        content, name = self._content(source)
        document = parse_matrix(content, json=name.endswith(".json"))
        if document.source != source.name:
            raise MatrixRefused(
                f"the document calls itself `{document.source}`, and is configured as source `{source.name}`"
            )
        if source.signature is not None and document.published_at is None:
            raise MatrixRefused(
                "it is signed and does not state `published_at`, so nobody can tell whether it is an old one; its "
                "publisher must state when it was issued"
            )
        return document

    def _content(self, source: SourceConfig) -> tuple[bytes, str]:
        if source.file is not None:
            refuse_shipped(self._home / source.file)
            return matrix_text(self._home / source.file), source.file.name
        if source.git is not None:
            return self._from_git(source.git, source.ref, source.path), source.path
        url = str(source.url)
        content = self._from_web(url, LARGEST)
        if source.sha256 is not None and hashlib.sha256(content).hexdigest() != source.sha256:
            raise MatrixRefused(
                f"`{url}` has sha256 {hashlib.sha256(content).hexdigest()}, expected {source.sha256}"
            )
        if source.signature is not None:
            self._verify(content, source.signature)
        return content, httpx.URL(url).path

    def _from_git(self, url: str, ref: str, path: str) -> bytes:
        """One file of one commit, without a checkout."""
        here = self._home / url
        url = str(here.resolve()) if "://" not in url and here.exists() else url
        repository = self._cache / f"git-{_key(url)}"
        _git("init", "--quiet", "--bare", str(repository))
        git_dir = f"--git-dir={repository}"
        _git(git_dir, "fetch", "--quiet", "--depth=1", "--no-tags", "--", url, ref)
        return _git(git_dir, "show", f"FETCH_HEAD:{path}")

    def _from_web(self, url: str, largest: int) -> bytes:
        """The server's document, transferred only if it differs from the cached one (ETag)."""
        body, facts = self._cache / f"web-{_key(url)}", self._cache / f"web-{_key(url)}.json"
        known = _known(body, facts)
        headers = {**PLAIN, "If-None-Match": known.etag} if known else PLAIN
        until = time.monotonic() + self._patience
        try:
            with (
                httpx.Client(timeout=TIMEOUT, follow_redirects=False) as client,
                client.stream("GET", url, headers=headers) as answer,
            ):
                if known is not None and answer.status_code == 304:
                    return known.content
                if answer.status_code != 200:
                    raise SourceUnreachable(f"`{url}` answers {answer.status_code}, expected 200")
                content = read_whole(answer, largest, until)
        except TooMuch as error:
            raise MatrixRefused(f"`{url}` {error}") from None
        except TooSlow as error:
            raise SourceUnreachable(f"`{url}` {error}") from None
        except httpx.HTTPError as error:
            raise SourceUnreachable(f"`{url}` cannot be read: {type(error).__name__} {error}") from None
        _remember(body, facts, content, answer.headers.get("etag"))
        return content

    def _verify(self, content: bytes, signature: Signature) -> None:
        signed = self._from_web(signature.url, LARGEST_SIGNATURE)
        key = _public_key(self._home / signature.key)
        try:
            if isinstance(key, Ed25519PublicKey):
                key.verify(_raw(signed), content)
            else:
                key.verify(_raw(signed), content, ECDSA(SHA256()))
        except InvalidSignature:
            raise MatrixRefused(
                f"the signature at `{signature.url}` is not one of this document by `{signature.key}`"
            ) from None


class _Known(NamedTuple):
    content: bytes
    etag: str


def _known(body: Path, facts: Path) -> _Known | None:
    try:
        etag: Any = json.loads(facts.read_text("utf-8"))["etag"]
        return _Known(body.read_bytes(), str(etag)) if etag else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _remember(body: Path, facts: Path, content: bytes, etag: str | None) -> None:
    """The tag is removed first and written last, so that it never belongs to another document."""
    body.parent.mkdir(parents=True, exist_ok=True)
    facts.unlink(missing_ok=True)
    if etag:
        body.write_bytes(content)
        facts.write_text(json.dumps({"etag": etag}), "utf-8")


def _public_key(path: Path) -> Ed25519PublicKey | EllipticCurvePublicKey:
    try:
        key = load_pem_public_key(path.read_bytes())
    except OSError as error:
        raise SettingsInvalid(f"`{path}` cannot be opened: {(error.strerror or 'unknown error').lower()}") from None
    except ValueError:
        raise SettingsInvalid(f"`{path}` is not a public key in PEM") from None
    if not isinstance(key, Ed25519PublicKey | EllipticCurvePublicKey):
        raise SettingsInvalid(f"`{path}` is a {type(key).__name__}; Ed25519 and ECDSA keys are understood")
    return key


def _raw(signature: bytes) -> bytes:
    """The signature itself, stored as bytes or in base64."""
    try:
        return base64.b64decode(signature.strip(), validate=True)
    except binascii.Error:
        return signature


def _git(*arguments: str) -> bytes:
    program = shutil.which("git")
    if program is None:
        raise SettingsInvalid("a source is a Git repository, and there is no `git` on the PATH")
    try:
        done = subprocess.run(
            [program, *arguments],
            env={**os.environ, **_GIT_ENVIRONMENT},
            capture_output=True,
            check=False,
            timeout=PATIENCE,
        )
    except subprocess.TimeoutExpired:
        raise SourceUnreachable(f"git took more than {PATIENCE:g} s") from None
    if done.returncode:
        raise SourceUnreachable(f"git: {shorten(done.stderr.decode('utf-8', 'replace').strip(), 300)}")
    if len(done.stdout) > LARGEST:
        raise MatrixRefused(f"the file in the repository has more than {LARGEST} bytes")
    return done.stdout


def _key(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()[:32]
