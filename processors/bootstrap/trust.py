"""The keys that this installation trusts, and the key with which a command signs: from the settings and
config/guard.yaml."""

from __future__ import annotations

import json
from pathlib import Path

from processors.bootstrap import development
from processors.bootstrap.scopes import scope_of
from processors.configuration import guard
from processors.configuration.settings import Settings
from processors.documents.files import naming
from processors.errors import SettingsInvalid
from processors.matrix.document import GOVERNANCE
from processors.policies.record import SECURITY
from processors.stream.io.clients import beyond_loopback
from processors.trust.keys import PublicKey, Signer, public_half, read_public_keys, read_signer
from processors.trust.sources import Trust, TrustedSource


def matrix_trust(of: Settings) -> Trust:
    """Whose refreshes of the matrix take effect.

    Raises SettingsInvalid beyond loopback if there are no keys for governance, DocumentRefused for keys that cannot
    be read. On loopback the key of this machine is trusted for every source that is not named.
    """
    stated = guard.load(of.config).trust.sources
    far = beyond_loopback(of.kafka.bootstrap)
    sources = {
        source.name: TrustedSource(
            _keys_of(source, of, far),
            source.longest_validity,
            source.required,
            scope_of(source.speaks_for) if source.speaks_for else None,
        )
        for source in stated
    }
    if far is None:
        return Trust(sources, _development())
    if GOVERNANCE not in sources:
        raise SettingsInvalid(
            f"the broker `{far}` is not on loopback, and config/guard.yaml names no keys for the source "
            f"`{GOVERNANCE}`: whoever may write the topic could loosen every rule; make a key with "
            "`compat-guard matrix keys FILE`, and name its public half under `trust.sources`"
        )
    return Trust(sources)


def policy_trust(of: Settings) -> Trust:
    """Whose security policies take effect: those signed by the keys under `trust.policies`, else by governance's.

    Raises as `matrix_trust` does.
    """
    stated, matrix = guard.load(of.config).trust.policies, matrix_trust(of)
    if stated is not None:
        return Trust({SECURITY: TrustedSource(_keys(of.config / stated.keys))})
    return Trust({SECURITY: matrix.of(GOVERNANCE)})


def signer(of: Settings, key: Path | None = None) -> Signer:
    """The private key of a publisher: the given one, else that of the settings, else, on loopback, this machine's.

    Raises SettingsInvalid if there is none, DocumentRefused for one that cannot be read.
    """
    chosen = key or of.signing.key_file
    if chosen is None:
        if (far := beyond_loopback(of.kafka.bootstrap)) is not None:
            raise SettingsInvalid(
                f"the broker `{far}` is not on loopback, so what is published has to be signed; name a key with "
                "--key or GUARD_SIGNING__KEY_FILE, or make one with `compat-guard matrix keys FILE`"
            )
        chosen = development.signing_key_path()
    with naming(chosen):
        return read_signer(_text(chosen))


def _keys_of(source: guard.Trusted, of: Settings, far: str | None) -> tuple[PublicKey, ...]:
    if source.keys is not None:
        return _keys(of.config / source.keys)
    if far is not None:
        raise SettingsInvalid(
            f"the broker `{far}` is not on loopback, and config/guard.yaml names no keys for the source "
            f"`{source.name}`; make a key with `compat-guard matrix keys FILE`, and name its public half"
        )
    return _development().keys


def _keys(path: Path) -> tuple[PublicKey, ...]:
    with naming(path):
        return read_public_keys(_text(path))


def _development() -> TrustedSource:
    own = {"keys": [public_half(_text(development.signing_key_path()))]}
    return TrustedSource(read_public_keys(json.dumps(own), development=True))


def _text(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsInvalid(f"`{path}` cannot be opened: {(error.strerror or 'unknown error').lower()}") from None
