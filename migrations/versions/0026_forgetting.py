"""Titles that their viewers had forgotten, and for how long each keeps their history"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.create_table(
        "forgotten_title",
        sa.Column("account_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("content_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hlc", sa.BigInteger(), nullable=False),
        sa.Column("hlc_device", sa.Text(), nullable=False),
        sa.Column("forgotten_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["content_id"], ["content.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account_id", "content_id"),
    )
    op.create_index("forgotten_title_age", "forgotten_title", ["forgotten_at"], postgresql_using="brin")
    op.create_table(
        "history_limit",
        sa.Column("account_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("chosen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account_id"),
    )


def downgrade() -> None:
    op.drop_table("history_limit")
    op.drop_table("forgotten_title")
