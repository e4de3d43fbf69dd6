"""Titles are looked up by their id on a platform"""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_index("offer_link", "offer", ["platform", "link_id"])


def downgrade() -> None:
    op.drop_index("offer_link", table_name="offer")
