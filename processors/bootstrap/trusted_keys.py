"""The keys that are trusted to sign decisions, refreshed by a thread: rules never wait for a file or a server."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import structlog

from processors.bootstrap import development
from processors.bootstrap.keys_url import fetch
from processors.errors import Fatal, GuardError, SettingsInvalid
from processors.exception_workflow.config import ExceptionPolicy, Issuer
from processors.exception_workflow.proof.keys import KeyRing, TrustedKey, read_jwks, ring

LOOK_EVERY = 5.0
"""Seconds between two reads of a file; a rotated key should be published this long before it signs."""

ASK_EVERY = 60.0
"""The same for a URL."""

_log = structlog.get_logger(__name__)


class TrustedKeys:
    """Reads every issuer's JWKS periodically. If one cannot be read, its previous keys stay."""

    def __init__(self, policy: ExceptionPolicy, folder: Path) -> None:
        """File names are relative to `folder`. Raises if an issuer's keys cannot be read at all."""
        self._issuers, self._folder = policy.proof.issuers, folder
        self._keys: dict[str, tuple[TrustedKey, ...]] = {}
        self._asked: dict[str, float] = {}
        self._failure: Exception | None = None
        for issuer in self._issuers:
            self._read(issuer)
        self._ring = self._joined()

    def __call__(self) -> KeyRing:
        """Raises Fatal when the refreshing thread has stopped: a revoked key would be trusted for ever."""
        if self._failure is not None:
            raise Fatal(f"keys are not kept fresh any more: {self._failure!r}") from self._failure
        return self._ring

    def keep_fresh(self) -> None:
        """Start refreshing, in a thread that ends with the process."""
        threading.Thread(target=self._forever, name="trusted-keys", daemon=True).start()

    def look(self) -> None:
        """Read the key sets that are due."""
        for issuer in self._issuers:
            every = ASK_EVERY if _is_url(issuer) else LOOK_EVERY
            if time.monotonic() - self._asked[issuer.issuer] >= every:
                try:
                    self._read(issuer)
                except GuardError as error:
                    _log.error("keys could not be read", issuer=issuer.issuer, message=str(error))
        self._ring = self._joined()

    def _forever(self) -> None:
        try:
            while True:
                time.sleep(LOOK_EVERY)
                self.look()
        except Exception as error:  # noqa: BLE001 - whoever asks for the keys next stops the process
            self._failure = error

    def _read(self, issuer: Issuer) -> None:
        self._asked[issuer.issuer] = time.monotonic()
        self._keys[issuer.issuer] = read_jwks(self._text(issuer), issuer)

    def _text(self, issuer: Issuer) -> bytes:
        if _is_url(issuer):
            return fetch(issuer.jwks)
        path = development.jwks_path() if issuer.development else self._folder / issuer.jwks
        try:
            return path.read_bytes()
        except OSError as error:
            raise SettingsInvalid(f"the keys of `{issuer.issuer}` cannot be read: {error}") from None

    def _joined(self) -> KeyRing:
        return ring([key for keys in self._keys.values() for key in keys])


def _is_url(issuer: Issuer) -> bool:
    return issuer.jwks.startswith(("https://", "http://"))
