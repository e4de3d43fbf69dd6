"""The real encoder over the real local index: what a viewer's own words find."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from domain.catalog.filters import Filter
from domain.discovery.embedding import Embedding
from domain.discovery.model import Question, SearchMode
from domain.discovery.postgres_embedding import PostgresPending
from domain.discovery.service import Discovery
from domain.platform import minilm
from domain.platform.encoder import OnnxEncoder
from domain.platform.postgres import Database
from domain.platform.qdrant import QdrantIndex
from tests.domain.discovery.works import add_works, discovery_over, work
from tests.fakes import MemoryVectors

# Kept between runs: the model is built once per machine.
KEPT = Path(__file__).parents[3] / "var" / "model"

WORKS = (
    work(
        "Red Harvest",
        synopsis="The crew flies home, and a botanist is left alone on Mars until rescue comes.",
    ),
    work("Seven Doors", synopsis="Two detectives follow a murderer who arranges victims after deadly sins."),
    work("Little Chef", synopsis="A rat with a fine nose cooks in the kitchen of a Paris restaurant."),
)


@pytest.fixture
async def discovery(database: Database, tmp_path: Path) -> AsyncIterator[tuple[Discovery, dict[str, int]]]:
    encoder = await OnnxEncoder.open(await minilm.ensure(KEPT, lambda _stage, _fraction: None))
    ids = await add_works(database, *WORKS)
    async with QdrantIndex.in_folder(tmp_path) as index:
        await Embedding(PostgresPending(database), index).embed_pending(encoder)
        base = discovery_over(database, MemoryVectors(), None)
        yield replace(base, vectors=index, encoder=lambda: encoder), ids
    await encoder.close()


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("astronaut left behind on another planet", "Red Harvest"),
        ("serial killer thriller", "Seven Doors"),
        ("animated movie about an animal who loves cooking", "Little Chef"),
    ],
)
async def test_a_description_in_other_words_finds_the_film_first(
    discovery: tuple[Discovery, dict[str, int]], query: str, title: str
) -> None:
    service, ids = discovery

    found = await service.search(Question(query, exact=True), Filter())

    assert found.mode is SearchMode.HYBRID
    assert found.hits[0].id == ids[title]
    assert found.hits[0].signals.semantic_rank == 1
