"""Imports of other services' files, and what each of them brought"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"


def moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "import",
        sa.Column("id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("account_id", sa.UUID(as_uuid=False), nullable=False),
        text("source"),
        text("name"),
        text("digest"),
        moment("begun_at"),
        moment("finished_at", nullable=True),
        moment("undone_at", nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("import_account", "import", ["account_id", sa.text("begun_at DESC"), "id"])
    op.create_index(
        "import_begun",
        "import",
        ["account_id", "digest"],
        unique=True,
        postgresql_where=sa.text("finished_at IS NULL AND undone_at IS NULL"),
    )
    op.create_table(
        "import_item",
        sa.Column("import_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content_id", sa.BigInteger(), autoincrement=False, nullable=False),
        text("kind"),
        sa.Column("hlc", sa.BigInteger(), nullable=False),
        text("hlc_device"),
        moment("at", nullable=True),
        sa.Column("viewing", sa.Integer(), nullable=True),
        sa.Column("tag", sa.UUID(as_uuid=False), nullable=True),
        text("mark", nullable=True),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("taken_back", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(["import_id"], ["import.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["content_id"], ["content.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("import_id", "number"),
    )
    op.create_index("import_item_content", "import_item", ["content_id", "import_id"])


def downgrade() -> None:
    op.drop_table("import_item")
    op.drop_table("import")
