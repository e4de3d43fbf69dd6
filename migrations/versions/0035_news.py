"""What concerns everybody: offers that begin and end, and trends"""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"

# What can be watched by now is no news.
FILL = """
INSERT INTO availability (content_id, region, platform, kind)
SELECT DISTINCT offer.content_id, offer.region, offer.platform, offer.kind
  FROM offer JOIN content c ON c.id = offer.content_id
 WHERE (available_from IS NULL OR available_from <= now()) AND (expires_at IS NULL OR expires_at > now())
   AND c.deleted_at IS NULL"""


def upgrade() -> None:
    op.create_table(
        "news",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("content_id", sa.BigInteger(), nullable=True),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("platform", sa.Text(), nullable=True),
        sa.Column("offer_kind", sa.Text(), nullable=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("content_ids", sa.ARRAY(sa.BigInteger()), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("news_content", "news", ["content_id", "id"])
    op.create_index("news_region", "news", ["region", "id"])
    op.create_index("news_trends", "news", ["id"], postgresql_where=sa.text("kind = 'trends'"))
    op.create_index("news_age", "news", ["at"])
    op.create_table(
        "availability",
        sa.Column("content_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("leaving_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("content_id", "region", "platform", "kind"),
    )
    op.create_table(
        "news_state",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seen", sa.Text(), nullable=True),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("forgotten", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "offer_begins", "offer", ["available_from"], postgresql_where=sa.text("available_from IS NOT NULL")
    )
    op.create_index("offer_ends", "offer", ["expires_at"], postgresql_where=sa.text("expires_at IS NOT NULL"))
    op.execute(FILL)


def downgrade() -> None:
    op.drop_index("offer_ends", table_name="offer")
    op.drop_index("offer_begins", table_name="offer")
    for table in ("news_state", "availability", "news"):
        op.drop_table(table)
