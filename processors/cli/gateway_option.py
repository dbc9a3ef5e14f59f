"""The option to use a gateway instead of Kafka."""

from __future__ import annotations

from typing import Annotated

import typer

GatewayOption = Annotated[
    str | None,
    typer.Option(
        "--gateway",
        help="ask over HTTP, with the access token of GUARD_GATEWAY__TOKEN",
        metavar="URL",
        show_default="GUARD_GATEWAY__URL",
    ),
]
