"""What each transaction changed in the catalogue"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

WORK = "content"
DETAILS = ("credit", "external_id", "rating", "artwork", "offer")
PERSON = "person"
TABLES = (WORK, *DETAILS, PERSON)
LIMIT = 50_000
"""Of one entry; whatever is more stands for everything."""

SHOWN = (
    "kind", "parent_id", "number", "disc", "slug", "title", "title_key", "original_title", "synopsis",
    "release_date", "year", "genres", "keywords", "original_language", "countries", "maturity_rating",
    "popularity", "runtime_seconds", "status", "episode_count", "label", "updated_at", "deleted_at",
)  # fmt: skip
"""What is read of a work; its search words and its embedding come and go without being told."""


def _row(table: str) -> str:
    return "(" + ", ".join(f"{table}.{name}" for name in SHOWN) + ")"


RECORD = f"""
CREATE FUNCTION catalog_record(works bigint[], people bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF cardinality(works) + cardinality(people) > {LIMIT} THEN
        INSERT INTO catalog_change (everything) VALUES (true);
    ELSIF cardinality(works) + cardinality(people) > 0 THEN
        INSERT INTO catalog_change (content_ids, person_ids) VALUES (works, people);
    END IF;
END $$"""  # noqa: S608 - of our own names

# A part stands and falls with its whole, and has its offers; a list of parts changes with each of them.
BELOW = """
CREATE FUNCTION catalog_with_parts(works bigint[]) RETURNS bigint[] LANGUAGE sql STABLE AS $$
    WITH RECURSIVE below (id) AS (
        SELECT unnest(works) UNION SELECT c.id FROM content c JOIN below ON c.parent_id = below.id)
    SELECT coalesce(array_agg(id), '{}') FROM below
$$"""

WORKS_CHANGED = f"""
CREATE FUNCTION catalog_works_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    works bigint[];
    roots bigint[];
    people bigint[] := '{{}}';
BEGIN
    IF TG_OP = 'INSERT' THEN
        works := ARRAY(SELECT id FROM new_rows UNION SELECT parent_id FROM new_rows WHERE parent_id > 0);
    ELSIF TG_OP = 'DELETE' THEN
        works := ARRAY(SELECT id FROM old_rows UNION SELECT parent_id FROM old_rows WHERE parent_id > 0);
    ELSE
        WITH changed AS MATERIALIZED (
            SELECT id, o.parent_id AS was_in, n.parent_id AS is_in,
                   (o.deleted_at, o.parent_id) IS DISTINCT FROM (n.deleted_at, n.parent_id) AS moved
              FROM old_rows o JOIN new_rows n USING (id)
             WHERE {_row("o")} IS DISTINCT FROM {_row("n")})
        SELECT ARRAY(SELECT id FROM changed UNION SELECT was_in FROM changed WHERE was_in > 0
                     UNION SELECT is_in FROM changed WHERE is_in > 0),
               ARRAY(SELECT id FROM changed WHERE moved)
          INTO works, roots;
        people := ARRAY(SELECT DISTINCT person_id FROM credit WHERE content_id = ANY(works));
        works := works || catalog_with_parts(roots);
    END IF;
    PERFORM catalog_record(works, people);
    RETURN NULL;
END $$"""  # noqa: S608 - as above

DETAILS_CHANGED = """
CREATE FUNCTION catalog_details_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    works bigint[] := '{}';
    people bigint[] := '{}';
BEGIN
    IF TG_OP <> 'DELETE' THEN
        works := works || ARRAY(SELECT DISTINCT content_id FROM new_rows);
    END IF;
    IF TG_OP <> 'INSERT' THEN
        works := works || ARRAY(SELECT DISTINCT content_id FROM old_rows);
    END IF;
    IF TG_TABLE_NAME = 'offer' THEN
        works := catalog_with_parts(works);
    ELSIF TG_TABLE_NAME = 'credit' THEN
        IF TG_OP <> 'DELETE' THEN
            people := people || ARRAY(SELECT DISTINCT person_id FROM new_rows);
        END IF;
        IF TG_OP <> 'INSERT' THEN
            people := people || ARRAY(SELECT DISTINCT person_id FROM old_rows);
        END IF;
    END IF;
    PERFORM catalog_record(works, people);
    RETURN NULL;
END $$"""

PEOPLE_CHANGED = """
CREATE FUNCTION catalog_people_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    works bigint[] := '{}';
    people bigint[];
BEGIN
    IF TG_OP = 'DELETE' THEN
        people := ARRAY(SELECT id FROM old_rows);
    ELSE
        people := ARRAY(SELECT id FROM new_rows);
    END IF;
    IF TG_OP = 'UPDATE' THEN
        works := ARRAY(SELECT DISTINCT content_id FROM credit WHERE person_id = ANY(people));
    END IF;
    PERFORM catalog_record(works, people);
    RETURN NULL;
END $$"""

EMPTIED = """
CREATE FUNCTION catalog_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO catalog_change (everything) VALUES (true);
    RETURN NULL;
END $$"""

ROWS = {
    "insert": "NEW TABLE AS new_rows",
    "update": "OLD TABLE AS old_rows NEW TABLE AS new_rows",
    "delete": "OLD TABLE AS old_rows",
}


def _watch(table: str) -> None:
    function = {WORK: "catalog_works_changed", PERSON: "catalog_people_changed"}
    for event, rows in ROWS.items():
        op.execute(f"""
            CREATE TRIGGER catalog_{event} AFTER {event} ON {table} REFERENCING {rows}
            FOR EACH STATEMENT EXECUTE FUNCTION {function.get(table, "catalog_details_changed")}()""")
    op.execute(f"""
        CREATE TRIGGER catalog_truncate AFTER TRUNCATE ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION catalog_emptied()""")


def upgrade() -> None:
    op.create_table(
        "catalog_change",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "xid",
            sa.BigInteger(),
            server_default=sa.text("(pg_current_xact_id()::text::bigint)"),
            nullable=False,
        ),
        sa.Column("everything", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("content_ids", sa.ARRAY(sa.BigInteger()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("person_ids", sa.ARRAY(sa.BigInteger()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("catalog_change_xid", "catalog_change", ["xid"])
    op.create_index("catalog_change_at", "catalog_change", ["at"])
    for function in (RECORD, BELOW, WORKS_CHANGED, DETAILS_CHANGED, PEOPLE_CHANGED, EMPTIED):
        op.execute(function)
    for table in TABLES:
        _watch(table)


def downgrade() -> None:
    for table in TABLES:
        for event in (*ROWS, "truncate"):
            op.execute(f"DROP TRIGGER catalog_{event} ON {table}")
    op.execute("DROP FUNCTION catalog_works_changed, catalog_details_changed, catalog_people_changed")
    op.execute("DROP FUNCTION catalog_emptied, catalog_with_parts, catalog_record")
    op.drop_table("catalog_change")
