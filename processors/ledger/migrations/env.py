"""Runs migrations on the connection that database.py hands in. There is no offline mode: roles need a server."""

from __future__ import annotations

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table="migrations",
    version_table_schema="ledger",
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
