"""In which session of theirs an administrator began to act as somebody"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

revision = "0036"
down_revision = "0035"


def upgrade() -> None:
    op.add_column("login_session", sa.Column("acting_in", UUID(as_uuid=False), nullable=True))
    op.create_index(
        "login_session_acting_in",
        "login_session",
        ["acting_in"],
        postgresql_where=sa.text("acting_in IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_column("login_session", "acting_in")
