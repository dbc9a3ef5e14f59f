"""The ledger's tables, functions and grants; the text is in 0001_ledger.sql."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Through the driver's own cursor: the text is full of percent signs that are not parameters.
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    """There is none: going back would drop evidence."""
    raise NotImplementedError("the ledger has no way back; restore a backup instead")
