"""GET matrix/status and matrix/hosts: how fresh each source of the matrix is, and the dialects of hosts."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path
from pydantic import BaseModel

from processors.client.matrix_freshness import freshness
from processors.client.matrix_topic import read_matrix
from processors.configuration.gateway import Role
from processors.gateway.api.callers import AtDesk, holding
from processors.gateway.auth.principal import Principal
from processors.gateway.desk import Desk
from processors.gateway.limits import Rate
from processors.gateway.problems import documented
from processors.matrix.merged import Matrix
from processors.versions import Dialect

KEPT: Final = 15.0
"""Seconds for which a matrix is cached: it may have a million rows."""

router = APIRouter(tags=["matrix"])


class _CachedMatrix:
    """The cached matrix, loaded by one reader at a time."""

    def __init__(self) -> None:
        self._reading = asyncio.Lock()
        self._matrix: Matrix | None = None
        self._until = 0.0

    async def read(self, desk: Desk) -> Matrix:
        async with self._reading:
            if self._matrix is None or time.monotonic() > self._until:
                fold, _ = await desk.read(read_matrix, desk.settings)
                self._matrix, self._until = fold.snapshot(), time.monotonic() + KEPT
            return self._matrix


cached = _CachedMatrix()


@router.get(
    "/internal/matrix/status",
    summary="How fresh each source of the matrix is",
    operation_id="matrixStatus",
    responses=documented(),
)
async def matrix_status(
    desk: AtDesk,
    who: Annotated[Principal, holding(Role.READER, rate=Rate.LEDGER)],  # noqa: ARG001 - it is admitted
) -> list[dict[str, Any]]:
    """Those that expire first on top. None at all means that every request is blocked."""
    matrix = await cached.read(desk)
    return freshness(matrix, desk.config().staleness.warn_at, time.time_ns() // 1_000_000)


class HostDialect(BaseModel):
    """How the versions of a host are written."""

    name: str
    dialect: Dialect


@router.get(
    "/internal/matrix/hosts/{host}",
    summary="How the versions of a host are written",
    operation_id="matrixHost",
    responses=documented(),
)
async def matrix_host(
    desk: AtDesk,
    who: Annotated[Principal, holding(Role.REQUESTER, Role.READER, rate=Rate.READ)],  # noqa: ARG001 - as above
    host: Annotated[str, Path(max_length=256)],
) -> HostDialect:
    """As the matrix in effect says; npm's way for a host that no source declares."""
    return HostDialect(name=host, dialect=(await cached.read(desk)).host_dialect(host))
