"""The audit log, to which rows can only be added"""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

# Triggers hold for everybody, the owner of the table included; rights hold for all but superusers. The one
# change that is let through takes personal values away, and only from entries about an account that is gone.
KEEP = """
CREATE FUNCTION audit_keep() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    blanked audit_entry;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        blanked := OLD;
        blanked.before := NULL;
        blanked.after := NULL;
        blanked.address := NULL;
        blanked.user_agent := NULL;
        IF NEW IS NOT DISTINCT FROM blanked AND EXISTS (
            SELECT FROM unnest(ARRAY[OLD.account_id, OLD.on_behalf_of,
                                     CASE WHEN OLD.resource_type = 'account' THEN OLD.resource_id::uuid END])
                     AS named(id)
             WHERE id IS NOT NULL AND NOT EXISTS (SELECT FROM account WHERE account.id = named.id))
        THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'insufficient_privilege';
END $$"""


def upgrade() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        moment("at"),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("account_id", sa.UUID(), nullable=True),
        sa.Column("on_behalf_of", sa.UUID(), nullable=True),
        sa.Column("resource_type", sa.Text(), nullable=False),
        sa.Column("resource_id", sa.Text(), nullable=True),
        sa.Column("before", sa.dialects.postgresql.JSONB(), nullable=True),
        sa.Column("after", sa.dialects.postgresql.JSONB(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("user_agent", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("audit_entry_at", "audit_entry", ["at"])
    op.create_index("audit_entry_account", "audit_entry", ["account_id", "id"])
    op.create_index("audit_entry_on_behalf_of", "audit_entry", ["on_behalf_of", "id"])
    op.create_index("audit_entry_resource", "audit_entry", ["resource_type", "resource_id", "id"])
    op.create_index("audit_entry_action", "audit_entry", ["action", "id"])
    op.execute(KEEP)
    op.execute("""
        CREATE TRIGGER audit_rows_stay BEFORE UPDATE OR DELETE ON audit_entry
        FOR EACH ROW EXECUTE FUNCTION audit_keep()""")
    op.execute("""
        CREATE TRIGGER audit_table_stays BEFORE TRUNCATE ON audit_entry
        FOR EACH STATEMENT EXECUTE FUNCTION audit_keep()""")
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON audit_entry FROM PUBLIC, CURRENT_USER")
    op.execute("GRANT UPDATE (before, after, address, user_agent) ON audit_entry TO CURRENT_USER")


def downgrade() -> None:
    op.drop_table("audit_entry")
    op.execute("DROP FUNCTION audit_keep")


def moment(name: str) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)
