"""Finding the commands that nobody answered"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    # Until now a device acknowledged what it had done.
    op.execute("UPDATE device_command SET state = 'executed' WHERE state = 'acknowledged'")
    op.create_index(
        "device_command_open",
        "device_command",
        ["expires_at"],
        postgresql_where=sa.text("state IN ('queued', 'delivered', 'acknowledged')"),
    )


def downgrade() -> None:
    op.drop_index("device_command_open", table_name="device_command")
    op.execute("UPDATE device_command SET state = 'acknowledged' WHERE state = 'executed'")
