"""Tiers of applications, and secrets of theirs that are replaced"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.add_column("oauth_client", sa.Column("tier", sa.Text(), server_default="free", nullable=False))
    op.add_column("oauth_client", sa.Column("old_secret_hash", sa.LargeBinary(), nullable=True))
    op.add_column("oauth_client", sa.Column("old_secret_until", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("oauth_client", "old_secret_until")
    op.drop_column("oauth_client", "old_secret_hash")
    op.drop_column("oauth_client", "tier")
