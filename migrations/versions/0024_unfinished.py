"""Finding what nobody went on with"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.create_index(
        "progress_unfinished", "progress", ["updated_at"], postgresql_where=sa.text("NOT completed")
    )
    op.create_index(
        "playback_session_ended",
        "playback_session",
        ["ended_at"],
        postgresql_where=sa.text("ended_at IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("playback_session_ended", table_name="playback_session")
    op.drop_index("progress_unfinished", table_name="progress")
