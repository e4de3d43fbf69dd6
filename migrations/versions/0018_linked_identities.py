"""Whom accounts belong to at other providers"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.create_table(
        "linked_identity",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column(
            "account_id",
            UUID(as_uuid=False),
            sa.ForeignKey("account.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("linked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("provider", "subject"),
    )
    op.create_index("linked_identity_account", "linked_identity", ["account_id"])


def downgrade() -> None:
    op.drop_table("linked_identity")
