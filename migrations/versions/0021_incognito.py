"""Since when a device is incognito"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.add_column("device", sa.Column("incognito_since", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("device", "incognito_since")
