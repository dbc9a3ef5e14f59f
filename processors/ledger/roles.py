"""The roles of the ledger, under which every login acts. They belong to the whole server: no dump contains them."""

from __future__ import annotations

from typing import Final, Literal, get_args

import psycopg
from sqlalchemy import Connection, exc, text

from processors.errors import SettingsInvalid

Role = Literal["guard_owner", "guard_sink", "guard_auditor", "guard_maintenance", "guard_privacy"]

ROLES: Final[tuple[Role, ...]] = get_args(Role)

AFRESH: Final = (
    "if it was restored on a server without the roles, which loses every owner and grant: drop it, run "
    "`compat-guard ledger migrate --roles`, then `pg_restore --create` again"
)


def prepare(connection: Connection) -> None:
    """Create what is missing: the roles, and a schema that guard_owner owns.

    Raises SettingsInvalid if the login may not create them, or if the schema is somebody else's.
    """
    prepare_roles(connection)
    try:
        if connection.execute(text("SELECT to_regnamespace('ledger') IS NULL")).scalar_one():
            connection.execute(text("CREATE SCHEMA ledger AUTHORIZATION guard_owner"))
    except exc.ProgrammingError as error:
        raise _told(connection, error) from error
    query = "SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'ledger'"
    owner = connection.execute(text(query)).scalar_one()
    if owner != "guard_owner":
        raise SettingsInvalid(
            f"the schema ledger of this database belongs to `{owner}`, expected guard_owner; {AFRESH}"
        )


def prepare_roles(connection: Connection) -> None:
    """Create the roles that are missing, and let this login act as guard_owner, whose objects a dump restores.

    Raises SettingsInvalid if the login may not.
    """
    try:
        for role in ROLES:
            connection.execute(text(_MAKE.format(role=role)))
        connection.execute(text(_BECOME_OWNER))
    except exc.ProgrammingError as error:
        raise _told(connection, error) from error


def without_right(error: psycopg.Error) -> bool:
    """Whether a login or role lacks a right. Our own triggers and functions refuse with the same code."""
    raised = "exec_stmt_raise"
    return isinstance(error, psycopg.errors.InsufficientPrivilege) and error.diag.source_function != raised


def _told(connection: Connection, error: exc.ProgrammingError) -> Exception:
    if not isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
        return error
    login = connection.engine.url.username
    why = str(error.orig).partition("\n")[0]
    return SettingsInvalid(
        f"login `{login}` may not prepare the database: {why}. Migrate as a superuser, or have one make the roles "
        f"{', '.join(ROLES)} and the schema ledger of guard_owner, and `GRANT guard_owner TO {login}`"
    )


_MAKE: Final = (
    "DO $$ BEGIN IF to_regrole('{role}') IS NULL THEN CREATE ROLE {role} NOLOGIN; END IF; "
    "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
)
"""Another database's migration may be creating them at this moment."""

_BECOME_OWNER: Final = (
    "DO $$ BEGIN IF NOT pg_has_role(current_user, 'guard_owner', "
    "CASE WHEN current_setting('server_version_num')::int < 160000 THEN 'MEMBER' ELSE 'SET' END) THEN "
    "EXECUTE format('GRANT guard_owner TO %I', current_user); END IF; END $$"
)
"""Since PostgreSQL 16 the creator of a role is a member of it that may grant it, but may not use it."""
