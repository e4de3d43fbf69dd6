"""How long the closing credits of films and episodes are"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    op.add_column("content", sa.Column("end_credits_seconds", sa.Integer(), nullable=True))
    op.create_check_constraint("content_end_credits_positive", "content", "end_credits_seconds > 0")
    op.add_column("playback_session", sa.Column("end_credits_seconds", sa.Integer(), nullable=True))
    # What is read of a work is compared there, so that a change of it is told.
    _rewrite("\\m(o|n)\\.runtime_seconds,", "\\1.runtime_seconds, \\1.end_credits_seconds,")


def downgrade() -> None:
    _rewrite(" (o|n)\\.end_credits_seconds,", "")
    op.drop_column("playback_session", "end_credits_seconds")
    op.drop_constraint("content_end_credits_positive", "content")
    op.drop_column("content", "end_credits_seconds")


def _rewrite(pattern: str, by: str) -> None:
    op.execute(f"""
        DO $do$ BEGIN
            EXECUTE regexp_replace(
                pg_get_functiondef('catalog_works_changed()'::regprocedure), '{pattern}', '{by}', 'g');
        END $do$""")
