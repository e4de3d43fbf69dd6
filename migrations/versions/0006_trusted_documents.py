"""Published documents, and what of the graph is used"""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def moment(name: str) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)


def upgrade() -> None:
    op.create_table(
        "trusted_document",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("operation_name", sa.Text(), nullable=True),
        sa.Column("clients", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        moment("first_published_at"),
        moment("last_published_at"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("trusted_document_hash", "trusted_document", ["hash"])
    op.create_table(
        "operation_usage",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("operation_name", sa.Text(), nullable=False),
        sa.Column("trusted", sa.Boolean(), nullable=False),
        sa.Column("uses", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        moment("first_used_at"),
        moment("last_used_at"),
        sa.PrimaryKeyConstraint("hash", "operation_name"),
    )
    op.create_table(
        "field_usage",
        sa.Column("coordinate", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("uses", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("coordinate", "day"),
    )


def downgrade() -> None:
    op.drop_table("field_usage")
    op.drop_table("operation_usage")
    op.drop_index("trusted_document_hash", table_name="trusted_document")
    op.drop_table("trusted_document")
