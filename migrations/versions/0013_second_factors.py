"""Second factors, questions that stand, and proofs"""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def moment(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def of_account() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["account_id"], ["account.id"], ondelete="CASCADE")


def upgrade() -> None:
    op.create_table(
        "totp_factor",
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        moment("created_at"),
        moment("confirmed_at", nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        of_account(),
        sa.PrimaryKeyConstraint("account_id"),
    )
    op.create_table(
        "backup_code",
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        of_account(),
        sa.PrimaryKeyConstraint("account_id", "digest"),
    )
    op.create_table(
        "passkey",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("credential_id", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("transports", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("synced", sa.Boolean(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        moment("created_at"),
        moment("last_used_at", nullable=True),
        of_account(),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("credential_id"),
    )
    op.create_index("passkey_account", "passkey", ["account_id"])
    op.create_table(
        "challenge",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("account_id", sa.UUID(), nullable=True),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        moment("expires_at"),
        of_account(),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index("challenge_expires", "challenge", ["expires_at"])
    op.create_index("challenge_account", "challenge", ["account_id"])
    op.create_table(
        "session_proof",
        sa.Column("session_id", sa.UUID(), nullable=False),
        moment("until"),
        sa.ForeignKeyConstraint(["session_id"], ["login_session.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("session_id"),
    )


def downgrade() -> None:
    op.drop_table("session_proof")
    op.drop_table("challenge")
    op.drop_table("passkey")
    op.drop_table("backup_code")
    op.drop_table("totp_factor")
