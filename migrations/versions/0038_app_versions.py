"""Which version of its app a device runs"""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"


def upgrade() -> None:
    op.add_column("device", sa.Column("app_version", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("device", "app_version")
