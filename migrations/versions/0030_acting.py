"""Sessions are found by the administrator who acts in them"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    op.create_index(
        "login_session_acting",
        "login_session",
        ["acting_id"],
        postgresql_where=sa.text("acting_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("login_session_acting", table_name="login_session")
