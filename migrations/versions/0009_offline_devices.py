"""Devices that were offline: places, notes, conflicts, operations done once; a log whose old entries go"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"


def key(name: str, table: str) -> list[sa.Column[object] | sa.ForeignKeyConstraint]:
    kind = sa.UUID(as_uuid=False) if table == "account" else sa.BigInteger()
    return [
        sa.Column(name, kind, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint([name], [f"{table}.id"], ondelete="CASCADE"),
    ]


def moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def document(name: str) -> sa.Column[object]:
    return sa.Column(name, postgresql.JSONB(astext_type=sa.Text()), nullable=False)


def upgrade() -> None:
    op.add_column("progress", moment("completed_at", nullable=True))
    op.execute("""UPDATE progress SET completed_at = to_timestamp((hlc >> 16) / 1000.0) WHERE completed""")
    op.add_column("device", sa.Column("settled_hlc", sa.BigInteger(), nullable=True))
    op.add_column("watchlist_tag", sa.Column("place", sa.Text(collation="C"), nullable=True))
    op.add_column(
        "watchlist_tag", sa.Column("given", sa.Boolean(), server_default=sa.text("true"), nullable=False)
    )
    op.add_column("watchlist_tag", sa.Column("removed_hlc", sa.BigInteger(), nullable=True))
    op.add_column("watchlist_tag", sa.Column("removed_by", sa.Text(), nullable=True))
    op.add_column("watchlist_tag", moment("removed_at", nullable=True))
    op.execute("UPDATE watchlist_tag SET removed_at = now() WHERE removed")
    # As domain/sync/ordering.py has it: eight digits in base 62 of the milliseconds of the addition, and V.
    op.execute(
        """UPDATE watchlist_tag t SET place = (
               SELECT string_agg(
                          substr('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz',
                                 ((t.added_hlc >> 16) / (62::numeric ^ power)::bigint % 62)::int + 1, 1),
                          '' ORDER BY power DESC) || 'V'
                 FROM generate_series(0, 7) power)
            WHERE added_hlc IS NOT NULL"""
    )
    op.create_table(
        "title_mark",
        *key("account_id", "account"),
        *key("content_id", "content"),
        sa.Column("kind", sa.Text(), nullable=False),
        document("value"),
        sa.Column("hlc", sa.BigInteger(), nullable=False),
        sa.Column("hlc_device", sa.Text(), nullable=False),
        moment("updated_at"),
        sa.PrimaryKeyConstraint("account_id", "content_id", "kind"),
    )
    op.create_table(
        "sync_operation",
        *key("account_id", "account"),
        sa.Column("id", sa.UUID(as_uuid=False), nullable=False),
        moment("done_at"),
        sa.PrimaryKeyConstraint("account_id", "id"),
    )
    op.create_index("sync_operation_age", "sync_operation", ["done_at"], postgresql_using="brin")
    op.create_table(
        "sync_conflict",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        *key("account_id", "account"),
        *key("content_id", "content"),
        sa.Column("kind", sa.Text(), nullable=False),
        document("lost"),
        sa.Column("lost_hlc", sa.BigInteger(), nullable=False),
        sa.Column("lost_device", sa.Text(), nullable=False),
        document("won"),
        sa.Column("won_hlc", sa.BigInteger(), nullable=False),
        sa.Column("won_device", sa.Text(), nullable=False),
        moment("noted_at"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("sync_conflict_account", "sync_conflict", ["account_id", sa.literal_column("id DESC")])
    op.create_index(
        "sync_conflict_once",
        "sync_conflict",
        ["account_id", "content_id", "kind", "lost_hlc", "lost_device"],
        unique=True,
    )
    op.create_index("sync_conflict_age", "sync_conflict", ["noted_at"], postgresql_using="brin")
    op.create_index("change_age", "change", ["created_at"], postgresql_using="brin")


def downgrade() -> None:
    op.drop_index("change_age", table_name="change")
    op.drop_table("sync_conflict")
    op.drop_table("sync_operation")
    op.drop_table("title_mark")
    for column in ("removed_at", "removed_by", "removed_hlc", "given", "place"):
        op.drop_column("watchlist_tag", column)
    op.drop_column("device", "settled_hlc")
    op.drop_column("progress", "completed_at")
