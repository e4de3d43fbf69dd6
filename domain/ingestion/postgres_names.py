"""People and the words of search: what works share, stored before them.

Neither says anything of a work, so both may stay where a batch is refused afterwards. Everybody adds them in
sorted order and people first, so that two imports wait for each other but never in a circle.
"""

from collections.abc import Collection

from domain.catalog.words import trigrams
from domain.ingestion.model import Name
from domain.platform.postgres import Row, columns
from domain.platform.sessions import Session

KNOWN_PEOPLE = """
SELECT p.id, p.name, p.qualifier
  FROM unnest($1::text[], $2::text[]) AS key (name, qualifier) JOIN person p USING (name, qualifier)"""

INSERT_PEOPLE = """
INSERT INTO person (name, qualifier, name_key) SELECT * FROM unnest($1::text[], $2::text[], $3::text[])
ON CONFLICT DO NOTHING RETURNING id, name, qualifier"""

KNOWN_WORDS = "SELECT word FROM search_word WHERE word = ANY($1::text[])"

STAGE_WORDS = "CREATE TEMP TABLE incoming_word (word text, trigrams text[]) ON COMMIT DROP"

INSERT_WORDS = """
INSERT INTO search_word SELECT word, trigrams FROM incoming_word ORDER BY word ON CONFLICT DO NOTHING"""


async def known_people(session: Session, names: Collection[Name]) -> dict[Name, int]:
    """The people of these names, made where they are new."""
    open_names = {name[:2]: name for name in names}
    found: dict[Name, int] = {}

    def take(rows: list[Row]) -> None:
        found.update({open_names.pop((row[1], row[2])): row[0] for row in rows})

    async def look() -> None:
        keys = columns(open_names, 2)
        take(await session.fetch(KNOWN_PEOPLE, *keys))

    await look()
    if open_names:
        take(await session.fetch(INSERT_PEOPLE, *columns(sorted(open_names.values()), 3)))
    if open_names:  # another import made them while this one waited for it
        await look()
    return found


async def learn_words(session: Session, words: Collection[str]) -> None:
    rows = await session.fetch(KNOWN_WORDS, list(words))
    missing = sorted(set(words) - {row[0] for row in rows})
    if missing:
        await session.execute(STAGE_WORDS)
        await session.copy_records_to_table(
            "incoming_word", records=[(word, trigrams(word)) for word in missing]
        )
        await session.execute(INSERT_WORDS)
