"""The device that a session is on"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.add_column("login_session", sa.Column("device_id", sa.UUID(), nullable=True))


def downgrade() -> None:
    op.drop_column("login_session", "device_id")
