"""Viewing profiles, and the PIN that lifts them"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def of_session() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["session_id"], ["login_session.id"], ondelete="CASCADE")


def of_account() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["account_id"], ["account.id"], ondelete="CASCADE")


def upgrade() -> None:
    op.create_table(
        "viewing_profile",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("max_rating", sa.Text(), nullable=True),
        sa.Column("shows_unrated", sa.Boolean(), nullable=False),
        sa.Column("blocked_genres", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("hours_start", sa.Integer(), nullable=True),
        sa.Column("hours_end", sa.Integer(), nullable=True),
        sa.Column("hours_zone", sa.Text(), nullable=True),
        sa.Column("limiting", sa.Boolean(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        of_account(),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("viewing_profile_account", "viewing_profile", ["account_id"])
    op.create_index(
        "viewing_profile_default",
        "viewing_profile",
        ["account_id"],
        unique=True,
        postgresql_where=sa.text("is_default"),
    )
    op.create_table(
        "viewing_choice",
        sa.Column("session_id", sa.UUID(), nullable=False),
        sa.Column("profile_id", sa.UUID(), nullable=True),
        of_session(),
        sa.ForeignKeyConstraint(["profile_id"], ["viewing_profile.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("session_id"),
    )
    op.create_index("viewing_choice_profile", "viewing_choice", ["profile_id"])
    op.create_table(
        "viewing_unlock",
        sa.Column("session_id", sa.UUID(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        of_session(),
        sa.PrimaryKeyConstraint("session_id"),
    )
    op.create_table(
        "parental_pin",
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("pin_hash", sa.Text(), nullable=False),
        of_account(),
        sa.PrimaryKeyConstraint("account_id"),
    )


def downgrade() -> None:
    op.drop_table("parental_pin")
    op.drop_table("viewing_unlock")
    op.drop_table("viewing_choice")
    op.drop_table("viewing_profile")
