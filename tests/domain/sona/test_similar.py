"""Works like a work."""

from collections.abc import Sequence
from typing import Any

from domain.sona.model import Likeness, Similar, SimilarityKind
from tests.catalogue import add_album, add_credit, parts_of, retire
from tests.domain.sona.viewers import House, counted
from tests.servers import StatementCounter

EVERYTHING = tuple(SimilarityKind)


async def like(house: House, content_id: int, *kinds: SimilarityKind) -> list[Similar]:
    question = Likeness(content_id, kinds or EVERYTHING)
    return list((await house.similarity.similar([question]))[question])


def ids(found: Sequence[Similar]) -> list[int]:
    return [item.id for item in found]


async def test_each_kind_finds_its_own_and_says_what_is_shared(house: House) -> None:
    seed = await house.add(
        "Seed", "drama", "war", axes={"space": 1}, people={"Agnès": "director"}, keywords=["tarot", "paris"]
    )
    near = await house.add("Near", axes={"space": 1, "sea": 0.2})
    person = await house.add("Person", people={"Agnès": "cast"})
    theme = await house.add("Theme", keywords=["tarot"])
    genre = await house.add("Genre", "war")
    await house.add("Other", "comedy", axes={"crime": 1}, keywords=["snow"])
    agnes = await house.database.value("SELECT id FROM person WHERE name = 'Agnès'")

    by_kind = {kind: await like(house, seed, kind) for kind in SimilarityKind}

    assert {kind: ids(found) for kind, found in by_kind.items()} == {
        SimilarityKind.VECTOR: [near],
        SimilarityKind.PEOPLE: [person],
        SimilarityKind.KEYWORD: [theme],
        SimilarityKind.GENRE: [genre],
    }
    assert by_kind[SimilarityKind.PEOPLE][0].person_ids == (agnes,)
    assert by_kind[SimilarityKind.KEYWORD][0].keywords == ("tarot",)
    assert by_kind[SimilarityKind.GENRE][0].genre_ids == ("war",)
    assert 0.9 < (by_kind[SimilarityKind.VECTOR][0].similarity or 0) < 1
    assert all(found[0].score == 1.0 for found in by_kind.values())


async def test_what_is_alike_in_several_ways_comes_first(house: House) -> None:
    seed = await house.add("Seed", "drama", axes={"space": 1}, keywords=["tarot"])
    both = await house.add("Both", axes={"space": 1, "sea": 0.5}, keywords=["tarot"])
    nearer = await house.add("Nearer", axes={"space": 1, "sea": 0.1})

    found = await like(house, seed)

    assert ids(found) == [both, nearer]
    assert found[0].kinds == (SimilarityKind.VECTOR, SimilarityKind.KEYWORD)


async def test_a_rare_theme_says_more_than_a_common_one(house: House) -> None:
    seed = await house.add("Seed", keywords=["love", "tarot"])
    common = [await house.add(f"Common {n}", keywords=["love"], popularity=90.0) for n in range(6)]
    rare = await house.add("Rare", keywords=["tarot"], popularity=1.0)

    assert ids(await like(house, seed, SimilarityKind.KEYWORD)) == [rare, *common]


async def test_who_directed_both_counts_more_than_who_stood_far_behind(house: House) -> None:
    seed = await house.add("Seed", people={"Director": "director"})
    await add_credit(house.database, seed, "Extra", "cast", position=8)
    await add_credit(house.database, seed, "Crowd", "cast", position=12)
    extra = await house.add("Extra", people={"Extra": "cast"}, popularity=90.0)
    director = await house.add("Director", people={"Director": "director"}, popularity=1.0)
    await house.add("Crowd", people={"Crowd": "cast"}, popularity=99.0)

    assert ids(await like(house, seed, SimilarityKind.PEOPLE)) == [director, extra]


async def test_a_part_is_like_what_its_whole_is_like(house: House) -> None:
    album = await add_album(house.database, tracks=["So What"], genres=["jazz"])
    other = await house.add("Other", "jazz", kind="album")
    [track] = await parts_of(house.database, album)

    assert ids(await like(house, track)) == [other]
    assert ids(await like(house, album)) == [other]


async def test_retired_works_are_like_nothing(house: House) -> None:
    traits: dict[str, Any] = {"axes": {"space": 1}, "keywords": ["tarot"], "people": {"Agnès": "director"}}
    seed = await house.add("Seed", "drama", **traits)
    gone = await house.add("Gone", "drama", **traits)
    await retire(house.database, gone)

    assert await like(house, seed) == []


async def test_without_vectors_the_other_kinds_answer(house: House) -> None:
    seed = await house.add("Seed", axes={"space": 1}, keywords=["tarot"])
    await house.add("Near", axes={"space": 1, "sea": 0.2})
    theme = await house.add("Theme", keywords=["tarot"])
    house.vectors.lost = True

    assert ids(await like(house, seed)) == [theme]
    assert await like(house, seed, SimilarityKind.VECTOR) == []
    assert house.similarity.fallbacks == {"vectors": 2}


async def test_an_unknown_work_has_no_answer(house: House) -> None:
    question = Likeness(404, EVERYTHING)

    assert await house.similarity.similar([question]) == {}


async def test_many_works_are_compared_in_as_many_statements_as_one(
    house: House, statements: StatementCounter
) -> None:
    films = [
        await house.add(f"Film {n}", "drama", axes={"space": 1, "sea": n / 50}, keywords=["tarot"])
        for n in range(30)
    ]
    counts = []
    for asked in (films[:1], films):
        asking = house.similarity.similar([Likeness(film, EVERYTHING) for film in asked])
        found, count = await counted(statements, asking)
        counts.append(count)
        assert all(len(items) == 29 for items in found.values())

    assert counts == [4, 4]


async def test_different_kinds_for_one_work_do_not_mix(house: House) -> None:
    seed = await house.add("Seed", "war", keywords=["tarot"])
    theme = await house.add("Theme", keywords=["tarot"])
    genre = await house.add("Genre", "war")
    by_theme = Likeness(seed, (SimilarityKind.KEYWORD,))
    by_genre = Likeness(seed, (SimilarityKind.GENRE,))

    found = await house.similarity.similar([by_theme, by_genre])

    assert ids(found[by_theme]) == [theme]
    assert ids(found[by_genre]) == [genre]
