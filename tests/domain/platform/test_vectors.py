"""What every vector index does, and what guards it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
import structlog
from qdrant_client import AsyncQdrantClient

from domain.platform.late_index import LateIndex
from domain.platform.qdrant import QdrantIndex, _asking, payload_of, traits_of
from domain.platform.vectors import (
    Among,
    GuardedIndex,
    Neighbour,
    Point,
    Traits,
    Vector,
    VectorIndex,
    VectorsUnavailable,
)
from tests.fakes import MemoryVectors

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect")

ENCODER = "words-1"
FILM = Traits("movie", ("drama", "crime"), 1972, "en", "R")
SERIES = Traits("series", ("comedy",), 1999, "de", "TV-14")
UNKNOWN = Traits("album")


def unit(*values: float) -> Vector:
    vector = np.zeros(4, np.float32)
    vector[: len(values)] = values
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


@pytest.fixture(params=["memory", "folder", "server"])
async def index(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[VectorIndex]:
    if request.param == "memory":
        yield MemoryVectors()
    elif request.param == "folder":
        async with QdrantIndex.in_folder(tmp_path) as index:
            yield index
    else:
        # The client's memory mode answers for the server: the same calls, filters evaluated by Qdrant's code.
        client = AsyncQdrantClient(location=":memory:")
        yield QdrantIndex(_asking(client), local=False)
        await client.close()


async def filled(index: VectorIndex) -> VectorIndex:
    await index.prepare(ENCODER, 4)
    points = [
        Point(1, unit(1), FILM),
        Point(2, unit(1, 1), SERIES),
        Point(3, unit(1, 0, 2), UNKNOWN),
    ]
    await index.upsert(ENCODER, points)
    return index


def ids(neighbours: Sequence[Neighbour]) -> list[int]:
    return [neighbour.id for neighbour in neighbours]


async def test_the_nearest_come_first_with_their_cosine(index: VectorIndex) -> None:
    await filled(index)

    found = await index.nearest(unit(1), 10)

    assert ids(found) == [1, 2, 3]
    assert [similarity for _, similarity in found] == pytest.approx([1, 2**-0.5, 5**-0.5], abs=1e-6)


async def test_no_more_than_asked_for_and_none_below_the_floor(index: VectorIndex) -> None:
    await filled(index)

    assert ids(await index.nearest(unit(1), 1)) == [1]
    assert ids(await index.nearest(unit(1), 10, floor=0.5)) == [1, 2]


async def test_the_excluded_leave_their_place_to_others(index: VectorIndex) -> None:
    await filled(index)

    assert ids(await index.nearest(unit(1), 2, excluding=[1])) == [2, 3]


@pytest.mark.parametrize(
    "among",
    [
        Among(),
        Among(kinds=("movie", "album")),
        Among(kinds=()),
        Among(genres=("comedy", "crime")),
        Among(genres=("horror",)),
        Among(languages=("de",)),
        Among(maturities=("R", "PG")),
        Among(year_from=1973),
        Among(year_to=1973),
        Among(year_from=1972, year_to=1972),
        Among(kinds=("movie",), languages=("de",)),
        Among(kinds=("series",), genres=("comedy",), languages=("de",), maturities=("TV-14",), year_to=2000),
    ],
)
async def test_filters_mean_what_admits_says(index: VectorIndex, among: Among) -> None:
    await filled(index)
    traits = {1: FILM, 2: SERIES, 3: UNKNOWN}

    found = await index.nearest(unit(1), 10, among=among)

    assert ids(found) == [id_ for id_, of in traits.items() if among.admits(of)]


async def test_a_narrow_filter_is_not_lost_behind_nearer_works(index: VectorIndex) -> None:
    await index.prepare(ENCODER, 4)
    await index.upsert(ENCODER, [Point(id_, unit(1, 0.001 * id_), FILM) for id_ in range(1, 301)])
    await index.upsert(ENCODER, [Point(999, unit(0.1, 1), SERIES)])

    found = await index.nearest(unit(1), 5, among=Among(kinds=("series",)))

    assert ids(found) == [999]


async def test_vectors_are_read_back_for_those_that_have_one(index: VectorIndex) -> None:
    await filled(index)

    found = await index.vectors([2, 404])

    assert list(found) == [2]
    assert found[2] == pytest.approx(unit(1, 1), abs=1e-6)


async def test_writing_again_replaces(index: VectorIndex) -> None:
    await filled(index)

    await index.upsert(ENCODER, [Point(1, unit(0, 0, 0, 1), SERIES)])

    assert ids(await index.nearest(unit(0, 0, 0, 1), 1, among=Among(kinds=("series",)))) == [1]
    assert await index.count() == 3


async def test_removed_works_are_found_no_more(index: VectorIndex) -> None:
    await filled(index)

    await index.remove([1, 404])

    assert ids(await index.nearest(unit(1), 10)) == [2, 3]
    assert await index.ids(ENCODER) == {2, 3}


async def test_a_new_encoder_is_searched_only_after_the_switch(index: VectorIndex) -> None:
    await filled(index)
    created = await index.prepare("words-2", 4)
    await index.upsert("words-2", [Point(7, unit(1), FILM)])

    before = (await index.space(), ids(await index.nearest(unit(1), 10)))
    await index.switch("words-2")

    assert created
    assert before == ("words-1", [1, 2, 3])
    assert (await index.space(), ids(await index.nearest(unit(1), 10))) == ("words-2", [7])
    assert await index.prepare("words-1", 4)  # the old room is gone


async def test_of_several_who_make_the_same_room_one_makes_it(index: VectorIndex) -> None:
    made = await asyncio.gather(*(index.prepare(ENCODER, 4) for _ in range(4)))

    assert sorted(made) == [False, False, False, True]
    assert await index.space() == ENCODER


async def test_an_empty_index_has_no_space(index: VectorIndex) -> None:
    assert await index.space() is None
    with pytest.raises(VectorsUnavailable):
        await index.nearest(unit(1), 1)


def test_a_payload_keeps_every_trait_and_the_encoder() -> None:
    payload = payload_of(FILM, ENCODER)

    assert traits_of(payload) == FILM
    assert payload["encoder"] == ENCODER
    assert traits_of(payload_of(UNKNOWN, ENCODER)) == UNKNOWN


async def test_a_folder_keeps_its_vectors(tmp_path: Path) -> None:
    async with QdrantIndex.in_folder(tmp_path) as index:
        await filled(index)

    async with QdrantIndex.in_folder(tmp_path) as again:
        assert ids(await again.nearest(unit(1), 10)) == [1, 2, 3]
        assert await again.space() == ENCODER


# The client leaves its lock file to the garbage collector where it does not get the lock.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_folder_that_another_holds_is_unavailable_until_it_is_free(tmp_path: Path) -> None:
    async with QdrantIndex.in_folder(tmp_path) as second:
        async with QdrantIndex.in_folder(tmp_path) as first:
            await filled(first)

            with pytest.raises(VectorsUnavailable, match="MEDIA_GATEWAY_QDRANT_URL"):
                await second.nearest(unit(1), 1)

        assert ids(await second.nearest(unit(1), 1)) == [1]


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    async with QdrantIndex.at_url("http://127.0.0.1:9", timeout_seconds=1) as index:
        with pytest.raises(VectorsUnavailable):
            await index.space()


def at_once(index: VectorIndex) -> Callable[[], Awaitable[VectorIndex]]:
    async def opened() -> VectorIndex:
        return index

    return opened


async def test_an_index_that_is_still_opening_has_not_failed() -> None:
    inner, open_door = MemoryVectors(), asyncio.Event()

    @asynccontextmanager
    async def slowly() -> AsyncIterator[VectorIndex]:
        await open_door.wait()
        yield inner

    async with LateIndex.open(slowly) as late:
        guarded = GuardedIndex(late, search_seconds=0.01)
        for _ in range(5):
            with pytest.raises(VectorsUnavailable, match="opened"):
                await guarded.count()
        open_door.set()
        await late()

        assert await guarded.space() is None
        assert guarded.failures == 0


async def test_an_index_nobody_asks_for_is_not_loaded() -> None:
    loaded: list[int] = []

    def load() -> AbstractAsyncContextManager[VectorIndex]:
        loaded.append(1)
        raise AssertionError

    async with LateIndex.open(load):
        await asyncio.sleep(0.01)

    assert loaded == []


class Hands:
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


async def failing(guarded: GuardedIndex, times: int) -> None:
    for _ in range(times):
        with pytest.raises(VectorsUnavailable):
            await guarded.count()


async def test_after_three_failures_the_index_is_left_in_peace_and_then_tried_again() -> None:
    inner, hands = MemoryVectors(), Hands()
    guarded = GuardedIndex(at_once(inner), clock=hands)
    await filled(inner)
    inner.lost = True
    await failing(guarded, 3)
    inner.lost = False

    with pytest.raises(VectorsUnavailable, match="rest"):
        await guarded.count()
    hands.seconds = 10.0

    assert await guarded.count() == 3
    assert await guarded.count() == 3
    assert guarded.failures == 4


async def test_losing_and_finding_the_index_are_one_line_each() -> None:
    inner, hands = MemoryVectors(), Hands()
    with structlog.testing.capture_logs() as lines:
        guarded = GuardedIndex(at_once(inner), clock=hands)
        await filled(inner)
        inner.lost = True
        await failing(guarded, 5)
        hands.seconds = 10.0
        await failing(guarded, 1)
        inner.lost = False
        hands.seconds = 20.0
        await guarded.count()

    assert [line["log_level"] for line in lines] == ["warning", "info"]


async def test_an_index_that_does_not_answer_in_time_is_unavailable() -> None:
    class Slow(MemoryVectors):
        async def count(self) -> int:
            await asyncio.sleep(60)
            return 0

    guarded = GuardedIndex(at_once(Slow()), search_seconds=0.01)

    with pytest.raises(VectorsUnavailable, match=r"0\.01 seconds"):
        await guarded.count()
    assert guarded.failures == 1


async def test_health_asks_the_index_even_while_calls_rest() -> None:
    inner = MemoryVectors()
    guarded = GuardedIndex(at_once(inner), clock=Hands())
    inner.lost = True
    await failing(guarded, 4)
    inner.lost = False

    assert await guarded.health() == "in memory; 4 calls failed since the start"
