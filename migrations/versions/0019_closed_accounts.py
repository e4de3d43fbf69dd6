"""When an account was closed, and pictures of accounts"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.add_column("account", sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "account_closed", "account", ["closed_at"], postgresql_where=sa.text("closed_at IS NOT NULL")
    )
    op.create_table(
        "avatar",
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("picture", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account_id"),
        sa.UniqueConstraint("name"),
    )


def downgrade() -> None:
    op.drop_table("avatar")
    op.drop_index("account_closed", table_name="account")
    op.drop_column("account", "closed_at")
