"""Index of keywords, by which related works are found"""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_index("content_keywords", "content", ["keywords"], postgresql_using="gin")


def downgrade() -> None:
    op.drop_index("content_keywords", table_name="content")
