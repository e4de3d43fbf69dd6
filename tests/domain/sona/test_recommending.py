"""Recommendations over a real database and vectors on named axes."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from domain.catalog.filters import Filter
from domain.catalog.links import DeviceKind
from domain.catalog.model import ContentKind
from domain.catalog.taxonomy import MaturityRating
from domain.platform.errors import BadInput
from domain.sona.model import Circumstances, Evidence, EvidenceKind, Mood, Trended
from domain.sync.model import MarkKind, Verdict
from tests.catalogue import add_series, parts_of, retire
from tests.domain.sona.viewers import House, counted, kinds_of
from tests.servers import StatementCounter


async def test_an_empty_catalogue_recommends_nothing(house: House) -> None:
    viewer = await house.viewer()

    assert await house.recommended(viewer) == []
    assert await house.recommended(None) == []


async def test_nobody_in_particular_gets_what_trends_and_what_is_popular_and_is_told_so(house: House) -> None:
    popular, hot, *_ = await house.fill(6, "drama")
    house.trends.append(Trended(hot, 3.0))

    page = await house.page(None)

    found = {edge.node.id: edge.node.evidence for edge in page.edges}
    assert page.edges[0].node.id == hot
    assert found[hot] == (
        Evidence(EvidenceKind.TRENDING, value="7"),
        Evidence(EvidenceKind.POPULAR),
    )
    assert found[popular] == (Evidence(EvidenceKind.POPULAR),)
    assert len(found) == 6


async def test_what_was_watched_begun_judged_or_put_away_is_never_recommended(house: House) -> None:
    finished, begun, disliked, unwanted, rated, liked, opened, untouched, hidden, dropped = await house.fill(
        10, "drama"
    )
    viewer = await house.viewer()
    await house.watches(viewer, finished)
    await house.watches(viewer, begun, 0.3)
    await house.watches(viewer, opened, 0.001)
    await house.reacts(viewer, disliked, Verdict.DISLIKE)
    await house.reacts(viewer, unwanted, Verdict.NOT_INTERESTED)
    await house.reacts(viewer, rated, stars=3.0)
    await house.reacts(viewer, liked, Verdict.LIKE)
    await house.marks(viewer, (hidden, MarkKind.HIDDEN), (dropped, MarkKind.DROPPED))

    assert set(await house.recommended(viewer)) == {opened, untouched}


async def test_what_is_hidden_while_pages_are_turned_is_not_on_the_next(house: House) -> None:
    films = await house.fill(6, "drama")
    viewer = await house.viewer()
    first = await house.page(viewer, 2)
    [hidden, *rest] = [film for film in films if film not in {edge.node.id for edge in first.edges}]

    await house.marks(viewer, (hidden, MarkKind.HIDDEN))
    second = await house.page(viewer, 10, first.cursor_at(1))

    assert {edge.node.id for edge in second.edges} == set(rest)


async def test_a_series_of_which_an_episode_was_watched_is_not_recommended(house: House) -> None:
    series = await add_series(house.database, seasons=[2], popularity=90.0)
    [season] = await parts_of(house.database, series)
    episode = (await parts_of(house.database, season))[0]
    film = await house.add("Film")
    viewer = await house.viewer()
    await house.watches(viewer, episode)

    assert await house.recommended(viewer) == [film]
    assert set(await house.recommended(None)) == {series, film}


async def test_a_reaction_that_was_taken_back_excludes_nothing(house: House) -> None:
    film = await house.add("Film")
    viewer = await house.viewer()
    await house.reacts(viewer, film)

    assert await house.recommended(viewer) == [film]


async def test_retired_works_are_not_recommended(house: House) -> None:
    seed = await house.add("Seed", axes={"space": 1})
    gone = await house.add("Gone", axes={"space": 1, "sea": 0.2})
    left = await house.add("Left", axes={"space": 1, "sea": 0.3})
    house.trends.append(Trended(gone, 5.0))
    viewer = await house.viewer()
    await house.watches(viewer, seed)
    await retire(house.database, gone)

    assert await house.recommended(viewer) == [left]


async def test_near_works_name_the_closest_work_that_was_watched(house: House) -> None:
    space = await house.add("Space", axes={"space": 1})
    crime = await house.add("Crime", axes={"crime": 1})
    near_space = await house.add("Near space", axes={"space": 1, "sea": 0.4}, popularity=1.0)
    near_crime = await house.add("Near crime", axes={"crime": 1, "sea": 0.4}, popularity=1.0)
    await house.fill(10, popularity=0.5)
    viewer = await house.viewer()
    await house.watches(viewer, space, days_ago=2)
    await house.reacts(viewer, crime, Verdict.LIKE, days_ago=1)

    page = await house.page(viewer)

    found = {edge.node.id: edge.node.evidence[0] for edge in page.edges}
    assert {edge.node.id for edge in page.edges[:2]} == {near_space, near_crime}
    assert found[near_space] == Evidence(EvidenceKind.WATCHED, content_id=space)
    assert found[near_crime] == Evidence(EvidenceKind.LIKED, content_id=crime)


async def test_shared_people_and_themes_are_named_with_the_work_they_come_from(house: House) -> None:
    seed = await house.add("Seed", people={"Agnès": "director"}, keywords=["tarot", "paris"])
    same_director = await house.add("Same director", people={"Agnès": "director"})
    same_theme = await house.add("Same theme", keywords=["tarot"])
    await house.fill(5)
    viewer = await house.viewer()
    await house.watches(viewer, seed)

    director = await house.evidence(viewer, same_director)
    theme = await house.evidence(viewer, same_theme)

    person = await house.database.value("SELECT id FROM person WHERE name = 'Agnès'")
    assert director[0] == Evidence(EvidenceKind.PERSON, content_id=seed, person_id=person)
    assert theme[0] == Evidence(EvidenceKind.THEME, content_id=seed, value="tarot")
    assert set((await house.recommended(viewer))[:2]) == {same_director, same_theme}


async def test_liked_genres_come_before_what_is_only_better_known(house: House) -> None:
    seed = await house.add("Seed", "western")
    western = await house.add("Another western", "western", popularity=5.0)
    known = await house.add("Well known", "musical", popularity=90.0)
    viewer = await house.viewer()
    await house.watches(viewer, seed)

    assert await house.recommended(viewer) == [western, known]
    assert Evidence(EvidenceKind.GENRE, genre_id="western") in await house.evidence(viewer, western)
    assert await house.recommended(None) == [known, seed, western]


async def test_works_like_the_disliked_go_down(house: House) -> None:
    seed = await house.add("Seed", "drama", keywords=["sea"])
    spurned = await house.add("Spurned", "drama", keywords=["shark", "teeth", "gore"])
    alike = await house.add("Alike", "drama", keywords=["sea", "shark", "teeth", "gore"], popularity=20.0)
    other = await house.add("Other", "drama", keywords=["sea", "boat", "wind", "rope"], popularity=10.0)
    viewer = await house.viewer()
    await house.watches(viewer, seed)
    before = await house.recommended(viewer)

    await house.reacts(viewer, spurned, Verdict.DISLIKE)

    assert before.index(alike) < before.index(other)
    assert await house.recommended(viewer) == [other, alike]


async def test_near_duplicates_are_not_neighbours(house: House) -> None:
    franchise = [
        await house.add(
            f"Robots {number}", "action", keywords=["robot", "city"], people={"Ines": "director"},
            popularity=50.0 - number,
        )
        for number in range(3)
    ]  # fmt: skip
    others = [
        await house.add(f"Other {genre}", genre, popularity=44.0) for genre in ("drama", "comedy", "war")
    ]

    order = await house.recommended(None)

    assert order[0] == franchise[0]
    assert order[1] in others
    assert set(order) == {*franchise, *others}


async def test_the_history_of_others_changes_nothing(house: House) -> None:
    films = await house.fill(12, "drama", axes={"space": 1})
    one, other = await house.viewer(), await house.viewer()
    await house.watches(one, films[0])
    alone = await house.page(one)

    await house.watches(other, films[1])
    await house.reacts(other, films[2], Verdict.DISLIKE)
    await house.saves(other, films[3])
    beside = await house.page(one, sona=house.another())

    assert [edge.node for edge in beside.edges] == [edge.node for edge in alone.edges]
    assert await house.recommended(None) == films
    assert films[0] in await house.recommended(other)


async def test_without_vectors_the_rest_recommends(house: House) -> None:
    seed = await house.add("Seed", people={"Agnès": "director"}, axes={"space": 1})
    shared = await house.add("Shared", people={"Agnès": "director"}, axes={"crime": 1})
    near = await house.add("Near", axes={"space": 1, "sea": 0.3})
    viewer = await house.viewer()
    await house.watches(viewer, seed)
    whole = await house.evidence(viewer, near)

    house.vectors.lost = True
    degraded = await house.page(viewer, sona=house.another())

    assert kinds_of(whole) == {EvidenceKind.WATCHED, EvidenceKind.POPULAR}
    assert [edge.node.id for edge in degraded.edges] == [shared, near]
    assert kinds_of(degraded.edges[1].node.evidence) == {EvidenceKind.POPULAR}
    assert house.nearness.fallbacks == {"vectors": 1}


async def test_what_is_saved_is_recommended_as_such_and_is_no_reason_for_itself(house: House) -> None:
    saved = await house.add("Saved", axes={"space": 1})
    near = await house.add("Near", axes={"space": 1, "sea": 0.3})
    viewer = await house.viewer()
    await house.saves(viewer, saved)

    own = await house.evidence(viewer, saved)

    assert EvidenceKind.ON_WATCHLIST in kinds_of(own)
    assert all(item.content_id != saved for item in own)
    assert (await house.evidence(viewer, near))[0] == Evidence(EvidenceKind.SAVED, content_id=saved)


async def test_neighbours_of_another_rating_take_nobodys_place(house: House) -> None:
    seed = await house.add("Seed", axes={"space": 1})
    for number in range(house.nearness.tuning.taste_neighbours):
        await house.add(f"Nearer {number}", axes={"space": 1}, maturity_rating="R")
    fitting = await house.add("Fitting", axes={"space": 1, "sea": 0.4}, maturity_rating="PG")
    viewer = await house.viewer()
    await house.watches(viewer, seed)

    evidence = await house.evidence(viewer, fitting, wanted=Filter(maturity_ratings=(MaturityRating.PG,)))

    assert Evidence(EvidenceKind.WATCHED, content_id=seed) in evidence


async def test_a_filter_holds_for_every_source(house: House) -> None:
    seed = await house.add(
        "Seed", "drama", axes={"space": 1}, people={"Agnès": "director"}, keywords=["tarot"]
    )
    shared: dict[str, Any] = {
        "axes": {"space": 1, "sea": 0.2},
        "people": {"Agnès": "director"},
        "keywords": ["tarot"],
    }
    old = await house.add("Old", "drama", year=1950, **shared)
    new = await house.add("New", "drama", year=2020, **shared)
    album = await house.add("Album", "jazz", kind="album", year=2020)
    house.trends += [Trended(old, 2.0), Trended(album, 1.0)]
    viewer = await house.viewer()
    await house.watches(viewer, seed)
    films = Filter(year_from=2000, kinds=(ContentKind.MOVIE,))

    assert await house.recommended(viewer, wanted=films) == [new]
    assert set(await house.recommended(viewer)) == {old, new, album}


@pytest.mark.parametrize(
    ("mood", "genre"), [(Mood.SCARED, "horror"), (Mood.CURIOUS, "documentary"), (Mood.ROMANTIC, "romance")]
)
async def test_a_mood_brings_its_genres_to_the_top(house: House, mood: Mood, genre: str) -> None:
    await house.fill(10, "sports")
    film = await house.add("Moody", genre, popularity=1.0)

    order = await house.recommended(None, circumstances=Circumstances(mood=mood))

    assert order[0] == film
    assert (await house.recommended(None))[0] != film
    evidence = await house.evidence(None, film, circumstances=Circumstances(mood=mood))
    assert evidence[0] == Evidence(EvidenceKind.MOOD, genre_id=genre, value=mood.value)


async def test_a_phone_gets_shorter_titles_than_a_television(house: House) -> None:
    long = [await house.add(f"Long {n}", runtime_seconds=9000, popularity=50.0 - n) for n in range(5)]
    short = [await house.add(f"Short {n}", runtime_seconds=1200, popularity=45.0 - n) for n in range(5)]

    phone = await house.recommended(None, circumstances=Circumstances(device=DeviceKind.PHONE))
    tv = await house.recommended(None, circumstances=Circumstances(device=DeviceKind.TV))

    assert set(phone[:5]) == set(short)
    assert set(tv[:5]) == set(long)


async def test_scores_fall_from_one_along_the_list(house: House) -> None:
    await house.fill(30, "drama")

    page = await house.page(None)

    scores = [edge.node.score for edge in page.edges]
    assert scores[0] == 1.0
    assert all(one > other for one, other in pairwise(scores))
    assert scores[-1] > 0


@pytest.mark.parametrize("size", [1, 3, 7])
async def test_pages_together_are_the_whole_list(house: House, size: int) -> None:
    films = await house.fill(13, "drama", axes={"space": 1})
    viewer = await house.viewer()
    await house.watches(viewer, films[5])
    whole = await house.recommended(viewer)

    walked: list[int] = []
    page = await house.page(viewer, size)
    while page.edges:
        walked += [edge.node.id for edge in page.edges]
        page = await house.page(viewer, size, page.edges[-1].cursor)

    assert walked == whole
    assert len(whole) == 12


async def test_a_page_walk_goes_on_while_the_viewer_watches(house: House) -> None:
    films = await house.fill(20, "drama", "comedy")
    viewer = await house.viewer()
    await house.watches(viewer, films[0])
    whole = await house.recommended(viewer)
    first = await house.page(viewer, 5)

    await house.watches(viewer, whole[2])
    await house.reacts(viewer, whole[7], Verdict.DISLIKE)
    house.now += timedelta(minutes=5)
    second = await house.page(viewer, 5, first.edges[-1].cursor)

    assert [edge.node.id for edge in second.edges] == [whole[5], whole[6], *whole[8:11]]


async def test_a_page_walk_goes_on_in_another_process(house: House) -> None:
    await house.fill(20, "drama")
    first = await house.page(None, 5)
    whole = await house.recommended(None)

    house.now += timedelta(minutes=30)
    second = await house.page(None, 5, first.edges[-1].cursor, sona=house.another())

    assert [edge.node.id for edge in second.edges] == whole[5:10]


async def test_a_walk_of_yesterday_still_does_not_begin_again(house: House) -> None:
    await house.fill(20, "drama")
    first = await house.page(None, 5)
    whole = await house.recommended(None)

    house.now += timedelta(days=3)
    second = await house.page(None, 5, first.edges[-1].cursor)

    assert [edge.node.id for edge in second.edges] == whole[5:10]


async def test_a_cursor_of_another_list_is_refused(house: House) -> None:
    with pytest.raises(BadInput):
        await house.page(None, 5, "WyJicm93c2UiLDEsMl0")


async def test_a_finished_film_shows_in_the_next_question(house: House) -> None:
    seed = await house.add("Seed", axes={"space": 1})
    near = await house.add("Near", axes={"space": 1, "sea": 0.2}, popularity=0.0)
    await house.fill(5)
    viewer = await house.viewer()
    before = await house.recommended(viewer)

    await house.watches(viewer, seed, days_ago=0)
    after = await house.recommended(viewer)

    assert before[-1] == near
    assert after[0] == near


async def test_the_number_of_statements_does_not_grow_with_the_history(
    house: House, statements: StatementCounter
) -> None:
    films = await house.fill(60, "drama", axes={"space": 1})
    short, long = await house.viewer(), await house.viewer()
    await house.watches(short, films[0])
    for film in films[:50]:
        await house.watches(long, film)
    counts = []
    for viewer in (short, long):
        _, count = await counted(statements, house.page(viewer))
        counts.append(count)

    assert counts == [5, 5]
