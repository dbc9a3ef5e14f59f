"""`compat-guard gateway`: what a gateway needs before it runs, and its contract."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from processors.cli import talk

app = typer.Typer(
    add_completion=False,
    help="The gateway's keys and its contract; `compat-guard run gateway` runs it.",
    no_args_is_help=True,
)


@app.command()
def keys(
    file: Annotated[Path, typer.Argument(help="file to make, for GUARD_GATEWAY__SIGNING_KEYS", metavar="FILE")],
) -> None:
    """Create the keys with which the gateway signs. All replicas share the file; it is never overwritten."""
    from processors.gateway.signing import make_signing_keys  # noqa: PLC0415 - slow to import

    make_signing_keys(file)
    talk().print(f"made `{file}`; its public half is served at /internal/keys", highlight=False)


@app.command()
def openapi() -> None:
    """Print the HTTP contract, OpenAPI 3.1, as YAML: the file deploy/gateway/openapi.yaml."""
    from processors.gateway.contract import published  # noqa: PLC0415 - as above

    typer.echo(published(), nl=False)
