"""Sessions of accounts, their refresh tokens, and what was revoked"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

revision = "0008"
down_revision = "0007"


def identifier(name: str, *constraints: Any) -> sa.Column[str]:
    return sa.Column(name, UUID(as_uuid=False), *constraints, nullable=False)


def moment(name: str, *, nullable: bool = False, now: bool = False) -> sa.Column[datetime]:
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "login_session",
        identifier("id"),
        identifier("family_id"),
        identifier("account_id", sa.ForeignKey("account.id", ondelete="CASCADE")),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("scopes", sa.ARRAY(sa.Text()), nullable=True),
        sa.Column("methods", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        moment("authenticated_at"),
        moment("created_at"),
        moment("last_used_at"),
        moment("expires_at"),
        moment("final_at"),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("user_agent", sa.Text(), nullable=True),
        moment("ended_at", nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("login_session_account", "login_session", ["account_id"])
    op.create_index("login_session_expires", "login_session", ["expires_at"])
    op.create_table(
        "refresh_token",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        identifier("session_id", sa.ForeignKey("login_session.id", ondelete="CASCADE")),
        moment("issued_at"),
        moment("used_at", nullable=True),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_index("refresh_token_session", "refresh_token", ["session_id"])
    op.create_table(
        "revocation",
        identifier("id"),
        sa.Column("reason", sa.Text(), nullable=False),
        moment("at", now=True),
        moment("until"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("revocation_at", "revocation", ["at"])


def downgrade() -> None:
    op.drop_table("revocation")
    op.drop_table("refresh_token")
    op.drop_table("login_session")
