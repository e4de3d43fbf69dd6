from bench.catalogue import REGION, SyntheticCatalogue, slug
from bench.search import QUERIES, queries
from domain.ingestion.model import Work
from domain.ingestion.postgres import PostgresShelf
from domain.ingestion.service import import_source
from domain.platform.postgres import Database

COUNTS = """
SELECT cardinality(c.genres), (SELECT count(DISTINCT person_id) FROM credit WHERE content_id = c.id),
       (SELECT count(*) FROM offer WHERE content_id = c.id AND region = $1), count(*)
  FROM content c GROUP BY 1, 2, 3"""


def test_every_run_makes_the_same_catalogue() -> None:
    assert list(SyntheticCatalogue(50).items()) == list(SyntheticCatalogue(50).items())


def test_titles_are_told_apart() -> None:
    titles = [work.title for work in SyntheticCatalogue(3000).items() if isinstance(work, Work)]

    assert len(set(titles)) == 3000


def test_queries_are_the_same_at_every_run() -> None:
    assert queries(500) == queries(500)
    assert len(queries(500)) == QUERIES


async def test_each_work_is_stored_with_what_the_scenarios_ask_for(database: Database) -> None:
    report = await import_source(PostgresShelf(database), SyntheticCatalogue(120))

    assert (report.created, report.refused) == (120, 0)
    assert [tuple(row) for row in await database.rows(COUNTS, REGION)] == [(3, 8, 3, 120)]
    assert await database.value("SELECT count(*) FROM content WHERE slug = $1", slug(120)) == 1
