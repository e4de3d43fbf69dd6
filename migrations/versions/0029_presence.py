"""Whether the others were told that a device is there"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    op.add_column("device", sa.Column("present", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.execute(
        """UPDATE device SET present = true
            WHERE removed_at IS NULL AND last_seen_at > now() - interval '1 hour'"""
    )
    op.create_index("device_present", "device", ["id"], postgresql_where=sa.text("present"))


def downgrade() -> None:
    op.drop_index("device_present", table_name="device")
    op.drop_column("device", "present")
