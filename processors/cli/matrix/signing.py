"""`compat-guard matrix keys|sign|withdraw`: keys and signatures of a source."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from processors.cli import talk
from processors.configuration.settings import settings
from processors.documents import json_text
from processors.documents.files import naming
from processors.documents.secrets import make_once
from processors.errors import DocumentRefused, SettingsInvalid
from processors.matrix.writing import instant
from processors.trust.keys import new_signing_key, public_half
from processors.trust.statements import Statement

Key = Annotated[
    Path | None,
    typer.Option("--key", help="private key to sign with", show_default="as set, else that of this laptop"),
]
Serial = Annotated[
    int | None,
    typer.Option("--serial", min=0, help="must be higher than any before", show_default="the time of issue, in ms"),
]


def keys(
    file: Annotated[Path, typer.Argument(help="file of the private key", show_default=False)],
    name: Annotated[str, typer.Option("--name", help="how the key's id begins")] = "publisher",
) -> None:
    """Create a signing key, if the file does not exist, and print its public half as a JWKS.

    The public half belongs in the file that config/guard.yaml names for the source. That file may contain several
    keys.
    """
    if make_once(file, new_signing_key(name)):
        talk().print(f"made {file}. Keep it secret: its owner can publish for the source", highlight=False)
    try:
        text = file.read_bytes()
    except OSError as error:
        raise DocumentRefused.unopened(file, error) from None
    with naming(file):
        typer.echo(json.dumps({"keys": [public_half(text)]}, indent=2))


def withdraw(
    source: Annotated[str, typer.Argument(help="source to take out of effect", show_default=False)],
    key: Key = None,
    serial: Serial = None,
) -> None:
    """Withdraw a source: its demands no longer apply. Without a required source, everything blocks."""
    from processors.client.matrix_topic import withdraw_matrix  # noqa: PLC0415 - lint needs no client library

    said = withdraw_matrix(settings(), source, key=key, serial=serial)
    talk().print(f"withdrawn: {source}, with serial {said.serial}", highlight=False)


def shown(statement: Statement, signature: str) -> dict[str, Any]:
    """A signed statement as `sign` prints it."""
    return {
        **statement._asdict(),
        "issued_at": instant(statement.issued_at),
        "expires_at": instant(statement.expires_at),
        "signature": signature,
    }


def read_signature(file: Path) -> tuple[int, str]:
    """Serial and signature from the output of `sign`. Raises DocumentRefused, SettingsInvalid."""
    try:
        text = file.read_bytes()
    except OSError as error:
        raise DocumentRefused.unopened(file, error) from None
    with naming(file):
        said: Any = json_text.load(text, limit=16_384)
    try:
        return int(said["serial"]), str(said["signature"])
    except (KeyError, TypeError, ValueError):
        raise SettingsInvalid(f"`{file}` is not what `compat-guard matrix sign` prints") from None
