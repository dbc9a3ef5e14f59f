"""The ledger behind a pooler in transaction mode: each commit hands the server connection to somebody else."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from examples.ledgers import commit, rows_of
from sqlalchemy import make_url, text

from processors.ledger.database import connect, reading
from processors.ledger.roles import Role
from processors.ledger.samples import story
from processors.ledger.transaction import PostgresTransaction

PGBOUNCER = shutil.which("pgbouncer") or shutil.which("/usr/sbin/pgbouncer")
pytestmark = pytest.mark.skipif(PGBOUNCER is None, reason="no PgBouncer here: apt-get install pgbouncer")


@pytest.fixture
def pooled(database: str, tmp_path: Path) -> Iterator[str]:
    """The ledger's URL through a PgBouncer that has two server connections for everybody."""
    url = make_url(database)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "users.txt").write_text(f'"{url.username}" "{url.password or ""}"\n')
    (tmp_path / "pgbouncer.ini").write_text(
        f"[databases]\n{url.database} = host={url.host} port={url.port} dbname={url.database}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = {'trust' if not url.password else 'plain'}\nauth_file = {tmp_path / 'users.txt'}\n"
        "pool_mode = transaction\ndefault_pool_size = 2\n"
    )
    (tmp_path / "users.txt").chmod(0o644)
    tmp_path.chmod(0o755)
    assert PGBOUNCER is not None
    as_nobody = ["-u", "nobody"] if Path("/proc/self").owner() == "root" else []
    with subprocess.Popen([PGBOUNCER, "-q", *as_nobody, str(tmp_path / "pgbouncer.ini")]) as process:
        try:
            _await(port)
            yield url.set(host="127.0.0.1", port=port).render_as_string(hide_password=False)
        finally:
            process.terminate()


def _await(port: int) -> None:
    until = time.monotonic() + 20
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), 1):
                return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


@pytest.mark.parametrize("role", ["guard_auditor", "guard_sink"])
def test_every_transaction_has_the_role_that_it_asked_for(pooled: str, role: Role) -> None:
    """Four clients of two roles share two server connections; none is ever served under the other's role."""
    roles: tuple[Role, ...] = (role, "guard_maintenance", role, "guard_owner")

    def seen(asked: Role) -> set[tuple[str, str]]:
        engine = connect(pooled, asked)
        found: set[tuple[str, str]] = set()
        for _ in range(60):
            with reading(engine) as connection:
                found |= {(asked, connection.execute(text("SELECT current_user")).scalar_one())}
        engine.dispose()
        return found

    with ThreadPoolExecutor(len(roles)) as pool:
        served = set().union(*pool.map(seen, roles))

    assert served == {(asked, asked) for asked in roles}


def test_rows_are_filed_and_read_through_a_pooler(pooled: str) -> None:
    """No statement is prepared in a session that the next transaction does not have."""
    sink, auditor = connect(pooled, "guard_sink"), connect(pooled, "guard_auditor")
    rows = rows_of([sample for number in range(20) for sample in story(number)])
    transaction = PostgresTransaction(sink)
    transaction.committed(sorted({(row.topic, row.partition) for row in rows}))
    for start in range(0, len(rows), 10):
        commit(transaction, rows[start : start + 10])
        with reading(auditor) as connection:
            held = connection.execute(text("SELECT count(*) FROM ledger.ledger_events")).scalar_one()
        assert held == min(start + 10, len(rows))
    sink.dispose()
    auditor.dispose()
