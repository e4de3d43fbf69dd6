"""How often the sign-ins of an account that were under way were voided"""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    op.add_column("account", sa.Column("sign_in_epoch", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("account", "sign_in_epoch")
