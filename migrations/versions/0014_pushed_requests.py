"""Authorisation requests that clients send ahead"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "pushed_request",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column(
            "client_id", sa.Text(), sa.ForeignKey("oauth_client.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("parameters", JSONB(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_index("pushed_request_expires", "pushed_request", ["expires_at"])


def downgrade() -> None:
    op.drop_table("pushed_request")
