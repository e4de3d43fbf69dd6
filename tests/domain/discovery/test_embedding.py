"""The job that keeps vectors in step with the catalogue."""

import asyncio
from collections.abc import Sequence

import pytest

from domain.discovery.embedding import Described, Embedding
from domain.discovery.postgres_embedding import PostgresPending
from domain.platform.postgres import Database
from domain.platform.vectors import Point, Traits, VectorsUnavailable
from tests.domain.discovery.works import add_works, work
from tests.fakes import HashingEncoder, MemoryVectors

FILMS = [work(f"Film {number}", synopsis=f"About {number}.") for number in range(5)]


@pytest.fixture
def vectors() -> MemoryVectors:
    return MemoryVectors()


@pytest.fixture
def embedding(database: Database, vectors: MemoryVectors) -> Embedding:
    return Embedding(PostgresPending(database), vectors)


async def marks(database: Database) -> dict[str, str | None]:
    rows = await database.rows("SELECT title, embedded_as FROM content ORDER BY title")
    return {row[0]: row[1] for row in rows}


def test_a_work_is_described_by_title_synopsis_and_keywords() -> None:
    assert Described(1, "Up", "A house flies.", ("balloon", "age"), Traits("movie")).text == (
        "Up. A house flies. balloon age"
    )
    assert Described(1, "Up", None, (), Traits("movie")).text == "Up."


async def test_every_work_gets_its_vector_once(
    database: Database, embedding: Embedding, vectors: MemoryVectors
) -> None:
    ids = await add_works(database, *FILMS)
    encoder = HashingEncoder()

    first = await embedding.embed_pending(encoder)
    again = await embedding.embed_pending(encoder)

    assert (first, again) == (5, 0)
    assert vectors.rooms["words-1"].keys() == set(ids.values())
    assert set((await marks(database)).values()) == {"words-1"}
    assert len(encoder.texts) == 5


async def test_a_crash_before_the_note_repeats_and_loses_nothing(
    database: Database, embedding: Embedding, vectors: MemoryVectors
) -> None:
    class Crashing(MemoryVectors):
        async def upsert(self, encoder: str, points: Sequence[Point]) -> None:
            await vectors.prepare(encoder, 384)
            await vectors.upsert(encoder, points)
            raise VectorsUnavailable("The process died here.")

    await add_works(database, *FILMS)
    with pytest.raises(VectorsUnavailable):
        await Embedding(PostgresPending(database), Crashing()).embed_pending(HashingEncoder())
    between = set((await marks(database)).values())

    count = await embedding.embed_pending(HashingEncoder())

    assert between == {None}
    assert count == 5
    assert len(vectors.rooms["words-1"]) == 5


async def test_two_processes_share_the_work(
    database: Database, vectors: MemoryVectors, embedding: Embedding
) -> None:
    await add_works(database, *(work(f"Film {number}") for number in range(130)))
    encoders = [HashingEncoder(), HashingEncoder()]

    counts = await asyncio.gather(*(embedding.embed_pending(encoder) for encoder in encoders))

    assert sum(counts) == 130
    assert sum(len(encoder.texts) for encoder in encoders) == 130
    assert len(vectors.rooms["words-1"]) == 130


async def test_deleted_works_lose_their_vectors(
    database: Database, embedding: Embedding, vectors: MemoryVectors
) -> None:
    ids = await add_works(database, *FILMS)
    await embedding.embed_pending(HashingEncoder())
    await database.execute("UPDATE content SET deleted_at = now() WHERE title = 'Film 0'")

    await embedding.embed_pending(HashingEncoder())

    assert ids["Film 0"] not in vectors.rooms["words-1"]
    assert (await marks(database))["Film 0"] is None


async def test_a_new_encoder_takes_over_when_it_has_everything(
    database: Database, embedding: Embedding, vectors: MemoryVectors
) -> None:
    await add_works(database, *(work(f"Film {number}") for number in range(70)))
    await embedding.embed_pending(HashingEncoder())
    newer = HashingEncoder(name="words-2")

    first = await embedding.embed_pending(newer, limit=64)
    midway = await vectors.space()
    rest = await embedding.embed_pending(newer)

    assert (first, midway, rest) == (64, "words-1", 6)
    assert await vectors.space() == "words-2"
    assert vectors.rooms.keys() == {"words-2"}
    assert set((await marks(database)).values()) == {"words-2"}


async def test_vectors_that_were_lost_are_made_again(
    database: Database, embedding: Embedding, vectors: MemoryVectors
) -> None:
    ids = await add_works(database, *FILMS)
    encoder = HashingEncoder()
    await embedding.embed_pending(encoder)
    await vectors.remove([ids["Film 1"]])
    await vectors.upsert("words-1", [Point(10_000, (await encoder.encode(["x"]))[0], Traits("movie"))])

    await embedding.check(encoder)
    count = await embedding.embed_pending(encoder)

    assert count == 1
    assert await vectors.ids("words-1") == set(ids.values())


async def test_a_lost_folder_is_filled_again(
    database: Database, embedding: Embedding, vectors: MemoryVectors
) -> None:
    await add_works(database, *FILMS)
    await embedding.embed_pending(HashingEncoder())
    vectors.rooms.clear()
    vectors.searched = None

    assert await embedding.embed_pending(HashingEncoder()) == 5


async def test_a_changed_work_is_embedded_again(database: Database, embedding: Embedding) -> None:
    await add_works(database, *FILMS)
    await embedding.embed_pending(HashingEncoder())
    await add_works(database, work("Film 0", synopsis="Something else."))
    encoder = HashingEncoder()

    await embedding.embed_pending(encoder)

    assert encoder.texts == ["Film 0. Something else."]


async def test_the_job_waits_while_something_is_missing(
    database: Database, embedding: Embedding, vectors: MemoryVectors
) -> None:
    await add_works(database, *FILMS)
    vectors.lost = True

    done = [await embedding.work(None), await embedding.work(HashingEncoder()), await embedding.check(None)]
    vectors.lost = False

    assert done == [0, 0, 0]
    assert await embedding.work(HashingEncoder()) == 5
