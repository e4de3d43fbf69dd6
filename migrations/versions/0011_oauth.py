"""Applications, and what owners of accounts grant to them"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, UUID

revision = "0011"
down_revision = "0010"


def texts(name: str) -> sa.Column[list[str]]:
    return sa.Column(name, sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False)


def text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def moment(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def account(*, nullable: bool = False) -> sa.Column[Any]:
    key = sa.ForeignKey("account.id", ondelete="CASCADE")
    return sa.Column("account_id", UUID(as_uuid=False), key, nullable=nullable)


def client() -> sa.Column[Any]:
    return sa.Column(
        "client_id", sa.Text(), sa.ForeignKey("oauth_client.id", ondelete="CASCADE"), nullable=False
    )


def upgrade() -> None:
    op.add_column("login_session", texts("resources"))
    op.add_column("login_session", text("key_thumbprint", nullable=True))
    op.add_column("login_session", sa.Column("acting_id", UUID(as_uuid=False), nullable=True))
    op.create_index("login_session_client", "login_session", ["client_id"])
    op.create_table(
        "oauth_client",
        text("id"),
        text("name"),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=True),
        texts("redirect_uris"),
        texts("grants"),
        texts("scopes"),
        sa.Column("trusted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("bound", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        moment("created_at"),
        moment("disabled_at", nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "authorization_code",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        client(),
        account(),
        text("redirect_uri"),
        text("challenge"),
        sa.Column("terms", JSONB(), nullable=False),
        text("nonce", nullable=True),
        moment("expires_at"),
        moment("used_at", nullable=True),
        sa.Column("session_id", UUID(as_uuid=False), nullable=True),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_index("authorization_code_expires", "authorization_code", ["expires_at"])
    op.create_table(
        "device_code",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        text("user_code"),
        client(),
        texts("scopes"),
        texts("resources"),
        text("key_thumbprint", nullable=True),
        sa.Column("interval_seconds", sa.Integer(), nullable=False),
        moment("expires_at"),
        text("address", nullable=True),
        moment("polled_at", nullable=True),
        account(nullable=True),
        sa.Column("terms", JSONB(), nullable=True),
        moment("denied_at", nullable=True),
        moment("used_at", nullable=True),
        sa.PrimaryKeyConstraint("hash"),
        sa.UniqueConstraint("user_code"),
    )
    op.create_index("device_code_expires", "device_code", ["expires_at"])


def downgrade() -> None:
    op.drop_table("device_code")
    op.drop_table("authorization_code")
    op.drop_table("oauth_client")
    op.drop_index("login_session_client", table_name="login_session")
    for name in ("acting_id", "key_thumbprint", "resources"):
        op.drop_column("login_session", name)
