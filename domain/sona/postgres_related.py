"""Works related by people and keywords, for many works in one statement."""

from domain.platform.postgres import Row
from domain.sona.model import Relation, SimilarityKind

FIRST_CAST = 10
"""Actors of a work that count, in the order of its credits."""

# A person counts by the lesser of what they did for the two works.
ROLE_WEIGHT = """CASE credit.role WHEN 'director' THEN 1.0 WHEN 'creator' THEN 1.0 WHEN 'artist' THEN 1.0
    WHEN 'writer' THEN 0.6 WHEN 'composer' THEN 0.5 ELSE CASE WHEN credit.position < 3 THEN 0.6 ELSE 0.4 END
    END::float8"""
COUNTS = f"(credit.role <> 'cast' OR credit.position < {FIRST_CAST})"

# A keyword counts 1 / ln(1 + the number of works that have it): Adamic and Adar, "Friends and neighbors on
# the Web", 2003; each is looked up once, however many seeds have it.
RELATED = f"""
WITH seed AS MATERIALIZED (
    SELECT id, keywords FROM content WHERE id = ANY($1::bigint[])
), person AS MATERIALIZED (
    SELECT seed.id AS seed, credit.person_id, max({ROLE_WEIGHT}) AS weight
      FROM seed JOIN credit ON credit.content_id = seed.id
     WHERE {COUNTS} AND 'people' = ANY($2::text[])
     GROUP BY 1, 2
), by_people AS (
    SELECT link.seed, link.id, 'people' AS kind, sum(link.score) AS score,
           array_agg(link.person_id::text ORDER BY link.score DESC, link.person_id) AS evidence
      FROM (SELECT person.seed, credit.content_id AS id, person.person_id,
                   least(person.weight, max({ROLE_WEIGHT})) AS score
              FROM person JOIN credit USING (person_id)
             WHERE credit.content_id <> person.seed AND {COUNTS}
             GROUP BY person.seed, credit.content_id, person.person_id, person.weight) link
     GROUP BY 1, 2
), keyword AS MATERIALIZED (
    SELECT seed.id AS seed, word FROM seed, unnest(seed.keywords) AS word
     WHERE 'keyword' = ANY($2::text[])
), holder AS (
    SELECT distinct_word.word, c.id, count(*) OVER (PARTITION BY distinct_word.word) AS holders
      FROM (SELECT DISTINCT word FROM keyword) distinct_word
      JOIN content c ON c.keywords @> ARRAY[distinct_word.word] AND c.listed
), by_keywords AS (
    SELECT keyword.seed, holder.id, 'keyword' AS kind, sum(1 / ln(1 + holder.holders))::float8 AS score,
           array_agg(keyword.word ORDER BY holder.holders, keyword.word) AS evidence
      FROM keyword JOIN holder USING (word)
     WHERE holder.id <> keyword.seed
     GROUP BY 1, 2
), found AS (
    SELECT * FROM by_people UNION ALL SELECT * FROM by_keywords
), placed AS (
    SELECT found.*, row_number() OVER (
               PARTITION BY found.seed, found.kind
               ORDER BY found.score DESC, c.popularity DESC, c.id) AS place
      FROM found JOIN content c USING (id)
     WHERE {{where}} AND c.id NOT IN (SELECT unnest($3::bigint[]))
)
SELECT seed, id, kind, score, evidence FROM placed WHERE place <= $4 ORDER BY seed, kind, place"""


def relation_of(row: Row) -> Relation:
    """From a row of `RELATED`."""
    return Relation(row[1], SimilarityKind(row[2]), row[3], tuple(row[4]))
