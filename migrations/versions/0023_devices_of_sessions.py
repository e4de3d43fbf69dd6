"""The device that a session is on"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.add_column("login_session", sa.Column("device_id", sa.UUID(), nullable=True))


def downgrade() -> None:
    op.drop_column("login_session", "device_id")
