"""What those who run the service have to say"""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"


def upgrade() -> None:
    op.create_table(
        "announcement",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("announcement_ends", "announcement", ["ends_at"])
    op.add_column(
        "news",
        sa.Column(
            "announcement_id",
            sa.BigInteger(),
            sa.ForeignKey("announcement.id", ondelete="CASCADE"),
            nullable=True,
        ),
    )


def downgrade() -> None:
    op.execute("DELETE FROM news WHERE announcement_id IS NOT NULL")
    op.drop_column("news", "announcement_id")
    op.drop_table("announcement")
