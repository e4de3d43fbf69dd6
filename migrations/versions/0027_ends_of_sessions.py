"""Why playback sessions ended, in what quality they play, and when their position was last told outside"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    op.add_column("playback_session", sa.Column("end_reason", sa.Text(), nullable=True))
    op.add_column("playback_session", sa.Column("quality", sa.Text(), server_default="auto", nullable=False))
    op.add_column("playback_session", sa.Column("told_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        """UPDATE playback_session SET end_reason = CASE state WHEN 'ended' THEN 'finished' ELSE 'stopped' END
            WHERE ended_at IS NOT NULL"""
    )


def downgrade() -> None:
    op.drop_column("playback_session", "told_at")
    op.drop_column("playback_session", "quality")
    op.drop_column("playback_session", "end_reason")
