"""The statements that merge staged rows into the catalogue, set by set.

They run in this order in one transaction, under the lock of `postgres.py`, on the tables of `staging.py`.
Of the staged rows only those count that `incoming_place` gives a row of the catalogue.
"""

from collections.abc import Mapping
from typing import NamedTuple

from domain.ingestion.staging import TABLES

LISTS = ("genres", "keywords", "countries")
SCALARS = (
    "original_title", "synopsis", "release_date", "year", "original_language", "maturity_rating",
    "popularity", "runtime_seconds", "status", "episode_count", "label",
    "end_credits_seconds",
)  # fmt: skip
TITLE = ("title", "title_key", "text_language")
COPIED = ("kind", "parent_id", "number", "disc", "slug", *TITLE, *SCALARS)
EMBEDDED = ("title", "synopsis", "keywords", "genres", "year", "original_language", "maturity_rating")
"""What lies in the vector index: the text, and the traits that it filters by."""


def _create(table: str, columns: Mapping[str, str]) -> str:
    defined = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    return f"CREATE TEMP TABLE {table} ({defined}) ON COMMIT DROP"


CREATE = {table: _create(table, columns) for table, columns in TABLES.items()}


def search_vector(configuration: str, title: str, people: str, keywords: str, synopsis: str) -> str:
    """The weighted words of a work: title as written and stemmed, people, keywords, synopsis."""
    stemmed = f"{configuration}::regconfig"
    return f"""setweight(to_tsvector('simple', {title}), 'A')
        || setweight(to_tsvector({stemmed}, {title}), 'A')
        || setweight(to_tsvector('simple', {people}), 'B')
        || setweight(to_tsvector({stemmed}, {keywords}), 'C')
        || setweight(to_tsvector({stemmed}, {synopsis}), 'D')"""


# Made while another batch merges, as it is most of the cost of a new work.
STAGE_SEARCH = f"""
CREATE TEMP TABLE incoming_search ON COMMIT DROP AS
SELECT n, {
    search_vector(
        "configuration",
        "search_title",
        "search_people",
        "coalesce(array_to_string(keywords, ' '), '')",
        "coalesce(synopsis, '')",
    )
} AS search
  FROM incoming_work WHERE search_title IS NOT NULL"""

INSERT_WORKS = f"""
INSERT INTO content (id, {", ".join(COPIED)}, {", ".join(LISTS)}, search)
SELECT content_id, {
    ", ".join("coalesce(popularity, 0)" if name == "popularity" else name for name in COPIED)
},
       {", ".join(f"coalesce({name}, '{{}}')" for name in LISTS)}, search
  FROM incoming_work JOIN incoming_place USING (n) LEFT JOIN incoming_search USING (n)
 WHERE is_new ORDER BY content_id"""

# The embedding worker updates these rows too: all take them in the order of their ids.
LOCK_WORKS = """
SELECT FROM content WHERE id IN (SELECT content_id FROM incoming_place WHERE NOT is_new)
 ORDER BY id FOR NO KEY UPDATE"""


def update_works(*, fills_gaps: bool) -> str:
    """Changes the rows that differ, and answers their ids."""
    merged = _merged(fills_gaps=fills_gaps)
    before = ", ".join(f"c.{name}" for name in merged)
    return f"""
WITH merged AS (
    SELECT c.id, {", ".join(f"{value} AS {name}" for name, value in merged.items())}
      FROM incoming_work w JOIN incoming_place p USING (n) JOIN content c ON c.id = p.content_id
     WHERE NOT p.is_new)
UPDATE content c
   SET {", ".join(f"{name} = m.{name}" for name in merged)}, updated_at = now(),
       embedded_as = CASE WHEN {_row("c", EMBEDDED)} IS DISTINCT FROM {_row("m", EMBEDDED)}
                          THEN NULL ELSE c.embedded_as END
  FROM merged m
 WHERE m.id = c.id AND ({before}) IS DISTINCT FROM {_row("m", tuple(merged))}
RETURNING c.id"""


def _merged(*, fills_gaps: bool) -> dict[str, str]:
    """What each column becomes. A source that does not know a value never erases it."""
    if not fills_gaps:
        return {name: f"coalesce(w.{name}, c.{name})" for name in (*TITLE, *SCALARS, *LISTS)}
    kept = {name: f"coalesce(c.{name}, w.{name})" for name in SCALARS if name != "popularity"}
    known = {"popularity": "CASE WHEN c.popularity = 0 THEN coalesce(w.popularity, 0) ELSE c.popularity END"}
    lists = {
        name: f"CASE WHEN c.{name} = '{{}}' THEN coalesce(w.{name}, '{{}}') ELSE c.{name} END"
        for name in LISTS
    }
    return {name: f"c.{name}" for name in TITLE} | kept | known | lists


def _row(table: str, names: tuple[str, ...]) -> str:
    return "(" + ", ".join(f"{table}.{name}" for name in names) + ")"


class Detail(NamedTuple):
    """What a table holds of works: how rows that are gone leave it, and how new and different ones come."""

    table: str
    delete: str | None
    insert: str

    @property
    def incoming(self) -> str:
        return f"incoming_{self.table}"

    @property
    def changes(self) -> list[str]:
        """Both, each answering which works it changed of those that were there before."""
        return [
            f"""
WITH done AS ({statement}
RETURNING {self.table}.content_id)
SELECT DISTINCT content_id FROM done JOIN incoming_place USING (content_id) WHERE NOT is_new"""
            for statement in (self.delete, self.insert)
            if statement is not None
        ]


DETAILS = (
    Detail(
        "credit",
        """
DELETE FROM credit USING (
    SELECT content_id, role, max(position) AS last FROM incoming_credit JOIN incoming_place USING (n)
     GROUP BY content_id, role) i
 WHERE credit.content_id = i.content_id AND credit.role = i.role AND credit.position > i.last""",
        """
INSERT INTO credit (content_id, role, position, person_id, character)
SELECT content_id, role, position, person_id, character FROM incoming_credit JOIN incoming_place USING (n)
 ORDER BY content_id, role, position
ON CONFLICT (content_id, role, position)
DO UPDATE SET person_id = excluded.person_id, character = excluded.character
 WHERE (credit.person_id, credit.character) IS DISTINCT FROM (excluded.person_id, excluded.character)""",
    ),
    Detail(
        "external_id",
        None,
        """
INSERT INTO external_id (source, value, content_id)
SELECT source, value, content_id FROM incoming_external_id JOIN incoming_place USING (n)
 ORDER BY source, value
ON CONFLICT DO NOTHING""",
    ),
    Detail(
        "rating",
        None,
        """
INSERT INTO rating (content_id, source, value, scale, vote_count)
SELECT content_id, source, value, scale, vote_count FROM incoming_rating JOIN incoming_place USING (n)
ON CONFLICT (content_id, source)
DO UPDATE SET value = excluded.value, scale = excluded.scale,
              vote_count = coalesce(excluded.vote_count, rating.vote_count)
 WHERE (rating.value, rating.scale, rating.vote_count) IS DISTINCT FROM
       (excluded.value, excluded.scale, coalesce(excluded.vote_count, rating.vote_count))""",
    ),
    Detail(
        "artwork",
        """
DELETE FROM artwork USING (
    SELECT content_id, kind, max(position) AS last FROM incoming_artwork JOIN incoming_place USING (n)
     GROUP BY content_id, kind) i
 WHERE artwork.content_id = i.content_id AND artwork.kind = i.kind AND artwork.position > i.last""",
        """
INSERT INTO artwork (content_id, kind, position, url, width, height)
SELECT content_id, kind, position, url, width, height FROM incoming_artwork JOIN incoming_place USING (n)
ON CONFLICT (content_id, kind, position)
DO UPDATE SET url = excluded.url, width = excluded.width, height = excluded.height
 WHERE (artwork.url, artwork.width, artwork.height) IS DISTINCT FROM
       (excluded.url, excluded.width, excluded.height)""",
    ),
    Detail(
        "offer",
        # What the source no longer lists for a platform and region is gone; so are made-up offers it no
        # longer has, wherever they were.
        """
WITH i AS (SELECT * FROM incoming_offer JOIN incoming_place USING (n))
DELETE FROM offer
 WHERE (EXISTS (SELECT FROM i WHERE i.content_id = offer.content_id
                   AND i.platform = offer.platform AND i.region = offer.region)
        OR (offer.demonstration AND EXISTS (
               SELECT FROM i WHERE i.content_id = offer.content_id AND i.demonstration)))
   AND NOT EXISTS (SELECT FROM i
                    WHERE (i.content_id, i.region, i.platform, i.kind, i.quality)
                        = (offer.content_id, offer.region, offer.platform, offer.kind, offer.quality))
   AND offer.content_id IN (SELECT content_id FROM i)""",
        """
INSERT INTO offer (content_id, region, platform, kind, quality, price, currency, link_id, available_from,
                   expires_at, demonstration)
SELECT content_id, region, platform, kind, quality, price, currency, link_id, available_from, expires_at,
       demonstration
  FROM incoming_offer JOIN incoming_place USING (n)
ON CONFLICT (content_id, region, platform, kind, quality)
DO UPDATE SET price = excluded.price, currency = excluded.currency, link_id = excluded.link_id,
              available_from = excluded.available_from, expires_at = excluded.expires_at,
              demonstration = excluded.demonstration, last_verified_at = now()
 WHERE (offer.price, offer.currency, offer.link_id, offer.available_from, offer.expires_at,
        offer.demonstration)
       IS DISTINCT FROM (excluded.price, excluded.currency, excluded.link_id, excluded.available_from,
                         excluded.expires_at, excluded.demonstration)""",
    ),
)


TOUCH = "UPDATE content SET updated_at = now() WHERE id = ANY($1::bigint[])"

SEARCHED = """
SELECT c.id, c.title, c.original_title, c.text_language, ARRAY(
           SELECT ARRAY[p.name, p.name_key] FROM credit JOIN person p ON p.id = credit.person_id
            WHERE credit.content_id = c.id ORDER BY credit.role, credit.position) AS people
  FROM content c WHERE c.id = ANY($1::bigint[]) AND c.parent_id IS NULL ORDER BY c.id"""

REFRESH_SEARCH = f"""
UPDATE content c SET search = {
    search_vector(
        "i.configuration",
        "i.title",
        "i.people",
        "array_to_string(c.keywords, ' ')",
        "coalesce(c.synopsis, '')",
    )
}
  FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) AS i (id, configuration, title, people)
 WHERE i.id = c.id"""
