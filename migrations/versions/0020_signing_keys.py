"""The keys that tokens are signed with, where they lie in the database"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.create_table(
        "signing_keys",
        sa.Column("single", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("single", name="signing_keys_single"),
        sa.PrimaryKeyConstraint("single"),
    )


def downgrade() -> None:
    op.drop_table("signing_keys")
