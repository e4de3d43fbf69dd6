"""Since when a device is incognito"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.add_column("device", sa.Column("incognito_since", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("device", "incognito_since")
