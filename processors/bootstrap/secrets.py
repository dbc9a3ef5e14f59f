"""Reads secrets from the places that a configuration names."""

from __future__ import annotations

import os
from pathlib import Path

from processors.errors import SettingsInvalid
from processors.outbound.endpoints import SecretPlace


def secret(place: SecretPlace, folder: Path) -> str:
    """The secret, without a trailing line end. Raises SettingsInvalid that names the place."""
    if place.env is not None:
        if not (found := os.environ.get(place.env)):
            raise SettingsInvalid(f"a secret is needed in {place.env}, which is not set")
        return found
    path = folder / (place.file or "")
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsInvalid(f"a secret is needed in `{path}`, which cannot be read: {error}") from None
