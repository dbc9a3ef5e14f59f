"""Records that were lost before they were filed; the text is in 0006_losses.sql."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    """There is none: going back would drop evidence."""
    raise NotImplementedError("the ledger has no way back; restore a backup instead")
