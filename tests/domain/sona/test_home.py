"""The rails of the first screen."""

from datetime import timedelta

import pytest

from domain.sona.model import Circumstances, EvidenceKind, Mood, Rail, RailKind, Trended
from domain.sync.model import MarkKind, Verdict
from tests.catalogue import add_series, parts_of, retire
from tests.domain.sona.viewers import House, counted
from tests.servers import StatementCounter


def ids(rail: Rail | None) -> list[int]:
    assert rail is not None
    return [item.id for item in rail.items]


def kinds(rails: list[Rail]) -> list[RailKind]:
    return [rail.kind for rail in rails]


async def test_an_empty_catalogue_has_no_rails(house: House) -> None:
    assert await house.rails(await house.viewer()) == []
    assert await house.rails(None) == []


async def test_nobody_in_particular_sees_general_rails_only(house: House) -> None:
    films = await house.fill(20, "drama", year=1990)
    await house.fill(16, "comedy", popularity=20.0, year=1980)
    await house.fill(5, "jazz", kind="album", year=1959, popularity=1.0)
    new = await house.fill(12, "war", year=2026, popularity=2.0)
    house.trends += [Trended(film, 9.0) for film in films[:4]]

    rails = await house.rails(None)

    assert kinds(rails) == [
        RailKind.TRENDING, RailKind.POPULAR, RailKind.GENRE, RailKind.GENRE, RailKind.NEW, RailKind.MUSIC
    ]  # fmt: skip
    assert ids(rails[0]) == films[:4]
    assert set(ids(rails[4])[:10]) < set(new)


async def test_what_was_begun_is_gone_on_with_latest_first(house: House) -> None:
    film = await house.add("Film")
    series = await add_series(house.database, seasons=[3])
    [season] = await parts_of(house.database, series)
    first, second, _ = await parts_of(house.database, season)
    old, finished = await house.add("Old"), await house.add("Finished")
    viewer = await house.viewer()
    await house.watches(viewer, film, 0.4, days_ago=3)
    await house.watches(viewer, first, 0.5, days_ago=2)
    await house.watches(viewer, second, 0.3, days_ago=1)
    await house.watches(viewer, old, 0.3, days_ago=31)
    await house.watches(viewer, finished, 1.0, days_ago=1)

    rail = await house.rail(viewer, RailKind.CONTINUE_WATCHING)

    assert ids(rail) == [second, film]


async def test_behind_a_finished_episode_the_next_one_is_gone_on_with(house: House) -> None:
    series = await add_series(house.database, seasons=[1, 1])
    first, second = await parts_of(house.database, series)
    [finished] = await parts_of(house.database, first)
    viewer = await house.viewer()
    await house.watches(viewer, finished)

    rail = await house.rail(viewer, RailKind.CONTINUE_WATCHING)

    assert ids(rail) == await parts_of(house.database, second)


@pytest.mark.parametrize("kind", [MarkKind.HIDDEN, MarkKind.DROPPED])
async def test_what_is_hidden_or_dropped_is_on_no_rail(house: House, kind: MarkKind) -> None:
    films = await house.fill(30, "drama", axes={"space": 1}, year=2020)
    await house.fill(12, "comedy")
    house.trends += [Trended(film, 50.0 - place) for place, film in enumerate(films[:10])]
    viewer = await house.viewer()
    await house.watches(viewer, films[0], days_ago=3)
    await house.watches(viewer, films[1], 0.5, days_ago=2)
    for film in films[2:10]:
        await house.saves(viewer, film)
    away = {films[0], films[1], films[2], films[12]}

    async def shown() -> tuple[set[int], set[int | None]]:
        rails = await house.rails(viewer)
        return {item.id for rail in rails for item in rail.items}, {rail.content_id for rail in rails}

    before, _ = await shown()
    await house.marks(viewer, *((film, kind) for film in away))
    after, seeds = await shown()

    assert {films[1], films[2], films[12]} <= before
    assert not away & after
    assert not away & seeds
    assert len(after) > 20


async def test_hiding_an_episode_hides_no_series(house: House) -> None:
    series = await add_series(house.database, seasons=[1], genres=["drama"], popularity=99.0)
    [season] = await parts_of(house.database, series)
    [episode] = await parts_of(house.database, season)
    await house.fill(10, "drama")
    viewer = await house.viewer()
    await house.marks(viewer, (episode, MarkKind.HIDDEN), (season, MarkKind.DROPPED))

    rails = await house.rails(viewer)

    assert series in {item.id for rail in rails for item in rail.items}


async def test_a_single_title_is_enough_to_go_on_with_but_for_no_other_rail(house: House) -> None:
    film = await house.add("Film")
    saved = await house.add("Saved")
    viewer = await house.viewer()
    await house.watches(viewer, film, 0.4)
    await house.saves(viewer, saved)

    rails = await house.rails(viewer)

    assert [(rail.kind, ids(rail)) for rail in rails] == [(RailKind.CONTINUE_WATCHING, [film])]


async def test_the_watchlist_is_in_the_viewers_order_without_what_was_watched(house: House) -> None:
    films = await house.fill(6, "drama")
    viewer = await house.viewer()
    for days, film in enumerate(films, start=1):
        await house.saves(viewer, film, days_ago=days)
    await house.watches(viewer, films[2])

    rail = await house.rail(viewer, RailKind.WATCHLIST)

    assert ids(rail) == [films[0], films[1], films[3], films[4], films[5]]


async def test_a_rail_starts_from_a_watched_work_and_has_what_is_near_to_it(house: House) -> None:
    seed = await house.add("Seed", axes={"space": 1})
    near = [await house.add(f"Near {n}", axes={"space": 1, "sea": 0.1 + n / 20}) for n in range(30)]
    far = [await house.add(f"Far {n}", axes={"crime": 1}) for n in range(6)]
    viewer = await house.viewer()
    await house.reacts(viewer, seed, Verdict.LIKE)

    rail = await house.rail(viewer, RailKind.BECAUSE_YOU_WATCHED)

    assert rail is not None
    assert (rail.content_id, rail.because) == (seed, EvidenceKind.LIKED)
    assert set(ids(rail)) <= set(near)
    assert not set(ids(rail)) & set(far)


async def test_no_title_is_shown_twice_at_first(house: House) -> None:
    films = await house.fill(40, "drama", "comedy", axes={"space": 1}, year=2020)
    house.trends += [Trended(film, 50.0 - place) for place, film in enumerate(films[:30])]
    viewer = await house.viewer()
    await house.watches(viewer, films[0])
    await house.watches(viewer, films[1], 0.5)
    for film in films[2:7]:
        await house.saves(viewer, film)

    rails = await house.rails(viewer)

    shown = [item.id for rail in rails for item in rail.items[:10] if item.fresh]
    assert len(kinds(rails)) > 3
    assert len(shown) == len(set(shown))
    assert RailKind.WATCHLIST in kinds(rails)
    for rail in rails:
        assert sum(item.fresh for item in rail.items[:10]) >= (
            1 if rail.kind is RailKind.CONTINUE_WATCHING else 4
        )


async def test_rails_keep_their_order_and_their_names(house: House) -> None:
    await house.fill(20, "drama")
    await house.fill(20, "comedy")
    viewer = await house.viewer()

    first = await house.rails(viewer)
    house.now += timedelta(seconds=20)
    second = await house.rails(viewer)

    assert first == second
    assert len({rail.key for rail in first}) == len(first)


async def test_what_the_viewer_knows_is_on_no_rail_but_the_one_to_go_on(house: House) -> None:
    films = await house.fill(30, "drama", axes={"space": 1})
    house.trends += [Trended(film, 5.0) for film in films[:10]]
    viewer = await house.viewer()
    await house.watches(viewer, films[0])
    await house.watches(viewer, films[1], 0.5)
    await house.reacts(viewer, films[2], Verdict.NOT_INTERESTED)

    rails = await house.rails(viewer)

    others = [rail for rail in rails if rail.kind is not RailKind.CONTINUE_WATCHING]
    assert ids(rails[0]) == [films[1]]
    assert others
    assert not {item.id for rail in others for item in rail.items} & set(films[:3])


async def test_a_title_that_was_retired_leaves_a_kept_ranking(house: House) -> None:
    films = await house.fill(12, "drama")
    viewer = await house.viewer()
    await house.watches(viewer, films[0])
    before = await house.rail(viewer, RailKind.TOP_PICKS)

    await retire(house.database, films[3])

    assert films[3] in ids(before)
    assert films[3] not in ids(await house.rail(viewer, RailKind.TOP_PICKS))


@pytest.mark.parametrize("mood", [Mood.HAPPY, Mood.SCARED])
async def test_a_mood_chooses_the_genre_rails(house: House, mood: Mood) -> None:
    for genre in ("comedy", "family", "horror", "thriller", "drama"):
        await house.fill(20, genre)

    rails = await house.rails(None, Circumstances(mood=mood))

    wanted = {Mood.HAPPY: {"comedy", "family"}, Mood.SCARED: {"horror", "thriller"}}[mood]
    assert rails[0].kind is RailKind.TOP_PICKS
    assert {rail.genre_id for rail in rails if rail.genre_id} == wanted


async def test_the_number_of_statements_does_not_grow_with_the_history(
    house: House, statements: StatementCounter
) -> None:
    films = await house.fill(80, "drama", axes={"space": 1})
    short, long = await house.viewer(), await house.viewer()
    await house.watches(short, films[0])
    for film in films[:40]:
        await house.watches(long, film)
        await house.saves(long, films[40])
    counts = []
    for viewer in (short, long, None):
        _, count = await counted(statements, house.rails(viewer))
        counts.append(count)

    assert counts == [7, 7, 3]
