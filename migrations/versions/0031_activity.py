"""What a device tells of its user and of itself with its signs of life"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    op.add_column("device", sa.Column("acted_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("device", sa.Column("active", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("device", sa.Column("condition", JSONB(), nullable=True))
    op.add_column("device", sa.Column("condition_told_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("device", "condition_told_at")
    op.drop_column("device", "condition")
    op.drop_column("device", "active")
    op.drop_column("device", "acted_at")
