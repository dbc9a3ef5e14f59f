"""The keys with which this process seals: those of the settings, or on loopback those of this machine."""

from __future__ import annotations

from processors.bootstrap import development
from processors.bootstrap.seal_keys import read_seals
from processors.configuration.settings import Settings
from processors.errors import SettingsInvalid
from processors.stream.io.clients import beyond_loopback
from processors.stream.seals import Seals


def has_seal_keys(of: Settings) -> bool:
    """Whether this process has keys of seals. The programs of people and vendors have none: whoever can verify a
    seal can make one."""
    return of.seal.key_file is not None or beyond_loopback(of.kafka.bootstrap) is None


def seals(of: Settings) -> Seals:
    """Raises SettingsInvalid if no keys are named and the broker is not on loopback, or if they cannot be read."""
    if of.seal.key_file is not None:
        return read_seals(of.seal.key_file)
    if (far := beyond_loopback(of.kafka.bootstrap)) is not None:
        raise SettingsInvalid(
            f"the broker `{far}` is not on loopback, and no keys are named that seal what processors say to each "
            "other; make them with `compat-guard seals make FILE`, and set GUARD_SEAL__KEY_FILE for each processor"
        )
    return read_seals(development.seal_keys_path())
