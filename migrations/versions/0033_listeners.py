"""Which stream of its commands a device opened last"""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    op.add_column("device", sa.Column("listener", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("device", "listener")
