"""What a viewer goes on with."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.catalog.restriction import Restriction
from domain.catalog.taxonomy import MaturityRating
from domain.platform.paging import Cut
from domain.platform.postgres import Database
from domain.sync.model import MarkKind, WatchProgress
from domain.sync.operations import Origin, Position
from tests.catalogue import add_album, add_episode, add_movie, add_season, add_series, parts_of, retire
from tests.servers import StatementCounter
from tests.viewers import Living, living

LENGTH = 1000


async def watch(house: Living, account: str, title: int, seconds: int = LENGTH) -> None:
    house.clock.turn(1)
    await house.sync.record_progress(account, title, Position(seconds, LENGTH))


async def finish(house: Living, account: str, titles: Sequence[int]) -> None:
    for title in titles:
        await watch(house, account, title)


async def continuing(
    house: Living, account: str, within: Restriction | None = None
) -> Sequence[WatchProgress]:
    page = await house.sync.store.continuing(account, house.clock.now(), Cut(), within)
    assert await page.count() == len(page.nodes)
    return page.nodes


async def offered(house: Living, account: str, within: Restriction | None = None) -> list[int]:
    return [progress.content_id for progress in await continuing(house, account, within)]


async def following(
    house: Living, account: str | None, series: int, within: Restriction | None = None
) -> int | None:
    """What `Series.nextEpisode` answers."""
    found = await house.sync.store.next_episodes(account, [series], house.clock.now(), within)
    return found.get(series)


@pytest.fixture
async def series(house: Living) -> int:
    """Two seasons with two and three episodes."""
    return await add_series(house.database, seasons=[2, 3])


@pytest.fixture
async def episodes(house: Living, series: int) -> list[int]:
    seasons = await parts_of(house.database, series)
    return [episode for season in seasons for episode in await parts_of(house.database, season)]


async def test_behind_a_finished_episode_comes_the_next_also_of_the_next_season(
    house: Living, ada: str, series: int, episodes: list[int]
) -> None:
    offers = []
    for episode in episodes:
        await watch(house, ada, episode)
        offers.append(await offered(house, ada))

    assert offers == [[episodes[1]], [episodes[2]], [episodes[3]], [episodes[4]], []]
    assert await following(house, ada, series) is None


async def test_the_next_episode_stands_at_its_beginning(house: Living, ada: str, episodes: list[int]) -> None:
    tv = await house.device(ada)
    house.clock.turn(1)
    last = await house.sync.record_progress(ada, episodes[0], Position(LENGTH, LENGTH), Origin(tv.id))

    [offer] = await continuing(house, ada)

    assert last is not None
    assert (offer.content_id, offer.position_seconds, offer.duration_seconds) == (episodes[1], 0, 3300)
    assert (offer.viewing, offer.completed, offer.completed_at, offer.resume_seconds) == (1, False, None, 0)
    assert (offer.updated_at, offer.version, offer.device_id) == (last.updated_at, last.version, tv.id)


async def test_what_was_begun_is_gone_on_with_before_anything_new(
    house: Living, ada: str, series: int, episodes: list[int]
) -> None:
    await watch(house, ada, episodes[0])
    await watch(house, ada, episodes[1], 500)

    assert [(offer.content_id, offer.position_seconds) for offer in await continuing(house, ada)] == [
        (episodes[1], 500)
    ]
    assert await following(house, ada, series) == episodes[1]


async def test_the_first_seconds_of_the_next_episode_are_no_beginning(
    house: Living, ada: str, series: int, episodes: list[int]
) -> None:
    await watch(house, ada, episodes[0])
    await watch(house, ada, episodes[1], 29)

    assert [(offer.content_id, offer.position_seconds) for offer in await continuing(house, ada)] == [
        (episodes[1], 29)
    ]
    assert await following(house, ada, series) == episodes[1]


async def test_looking_into_a_finished_episode_again_does_not_lose_the_place(
    house: Living, ada: str, episodes: list[int]
) -> None:
    await finish(house, ada, episodes[:2])
    await watch(house, ada, episodes[1], 5)

    assert await offered(house, ada) == [episodes[2]]


async def test_an_episode_that_was_seen_is_passed_over(
    house: Living, ada: str, series: int, episodes: list[int]
) -> None:
    await finish(house, ada, [episodes[1], episodes[2], episodes[0]])

    assert await offered(house, ada) == [episodes[3]]
    assert await following(house, ada, series) == episodes[3]


async def test_a_rewatch_goes_from_episode_to_episode(
    house: Living, ada: str, series: int, episodes: list[int]
) -> None:
    await finish(house, ada, episodes)
    over = await offered(house, ada)
    await finish_again(house, ada, episodes[0])
    again = [
        (offer.content_id, offer.viewing, offer.position_seconds) for offer in await continuing(house, ada)
    ]
    await finish_again(house, ada, episodes[1])

    assert over == []
    assert again == [(episodes[1], 2, 0)]
    assert await offered(house, ada) == [episodes[2]]
    assert await following(house, ada, series) == episodes[2]


async def finish_again(house: Living, account: str, title: int) -> None:
    await watch(house, account, title, 500)
    await watch(house, account, title)


async def test_what_the_devices_did_last_counts_and_not_what_was_told_last(
    house: Living, ada: str, series: int, episodes: list[int]
) -> None:
    await finish(house, ada, episodes[:3])
    phone = await house.device(ada)
    house.clock.turn(1)

    await house.sync.record_progress(
        ada, episodes[4], Position(500, LENGTH), Origin(phone.id, house.version(-3600, phone.id))
    )

    assert await offered(house, ada) == [episodes[3]]
    assert await following(house, ada, series) == episodes[3]


async def test_specials_do_not_come_between(
    house: Living, ada: str, series: int, episodes: list[int]
) -> None:
    specials = await add_season(house.database, series, 0)
    special, _ = [await add_episode(house.database, specials, number=number) for number in (1, 2)]
    assert await following(house, None, series) == episodes[0]
    await finish(house, ada, episodes[:2])
    await watch(house, ada, special, 400)
    begun = await offered(house, ada)
    await watch(house, ada, special)

    assert begun == [special]
    assert await offered(house, ada) == [episodes[2]]


async def test_what_is_not_out_yet_or_gone_is_not_next(
    house: Living, ada: str, series: int, episodes: list[int]
) -> None:
    tomorrow = house.clock.now().date() + timedelta(days=1)
    await retire(house.database, episodes[1])
    await dated(house, episodes[2], tomorrow)
    await finish(house, ada, episodes[:1])
    await dated(house, episodes[3], tomorrow)
    await dated(house, episodes[4], tomorrow)

    assert await offered(house, ada) == []
    await dated(house, episodes[2], house.clock.now().date())
    assert await offered(house, ada) == [episodes[2]]
    assert await following(house, ada, series) == episodes[2]


async def dated(house: Living, title: int, day: date) -> None:
    await house.database.execute("UPDATE content SET release_date = $2 WHERE id = $1", title, day)


@pytest.mark.parametrize("kind", [MarkKind.DROPPED, MarkKind.HIDDEN])
async def test_a_series_that_was_put_away_is_left_out(
    house: Living, ada: str, series: int, episodes: list[int], kind: MarkKind
) -> None:
    await watch(house, ada, episodes[0])
    await house.sync.mark(ada, series, {kind: True})
    away = await offered(house, ada)
    await house.sync.mark(ada, series, {kind: False})

    assert away == []
    assert await offered(house, ada) == [episodes[1]]


async def test_a_dropped_series_comes_back_when_it_is_watched_on(
    house: Living, ada: str, series: int, episodes: list[int]
) -> None:
    await watch(house, ada, episodes[0])
    await house.sync.mark(ada, series, {MarkKind.DROPPED: True})
    await watch(house, ada, episodes[1])

    assert await offered(house, ada) == [episodes[2]]


async def test_a_dropped_season_and_a_hidden_episode_are_passed_over(
    house: Living, ada: str, series: int, episodes: list[int]
) -> None:
    _, second = await parts_of(house.database, series)
    await house.sync.mark(ada, episodes[1], {MarkKind.HIDDEN: True})
    await house.sync.mark(ada, second, {MarkKind.DROPPED: True})
    await watch(house, ada, episodes[0])
    dropped = await offered(house, ada)
    await watch(house, ada, episodes[3])

    assert dropped == []
    assert await offered(house, ada) == [episodes[4]]


async def test_a_dropped_episode_that_was_watched_after_all_is_passed_over_no_more(
    house: Living, ada: str, series: int, episodes: list[int]
) -> None:
    await house.sync.mark(ada, episodes[1], {MarkKind.DROPPED: True})
    await watch(house, ada, episodes[0])
    dropped = await offered(house, ada)
    await finish(house, ada, episodes[1:3])

    await watch(house, ada, episodes[0], 500)
    await watch(house, ada, episodes[0])

    assert dropped == [episodes[2]]
    assert await offered(house, ada) == [episodes[1]]
    assert await following(house, ada, series) == episodes[1]


async def test_each_work_is_offered_once_latest_first(
    house: Living, ada: str, series: int, episodes: list[int]
) -> None:
    film, seen = [await add_movie(house.database) for _ in range(2)]
    album = await add_album(house.database, tracks=["So What", "Freddie Freeloader"])
    tracks = await parts_of(house.database, album)
    await watch(house, ada, tracks[0], 100)
    await watch(house, ada, tracks[1], 100)
    await watch(house, ada, film, 100)
    await watch(house, ada, episodes[0], 100)
    await watch(house, ada, episodes[3])
    await watch(house, ada, seen)

    assert await offered(house, ada) == [episodes[4], film, tracks[1]]


async def test_after_30_days_nothing_is_offered_any_more(
    house: Living, ada: str, series: int, episodes: list[int]
) -> None:
    await watch(house, ada, episodes[0])
    house.clock.turn(31 * 86_400)

    assert await offered(house, ada) == []
    assert await following(house, ada, series) == episodes[1]


async def test_what_a_profile_hides_is_not_next(
    house: Living, ada: str, series: int, episodes: list[int]
) -> None:
    await house.database.execute(
        "UPDATE content SET maturity_rating = 'R' WHERE id = ANY($1::bigint[])", [episodes[1], episodes[3]]
    )
    within = Restriction(max_rating=MaturityRating.PG, unrated=True)
    await watch(house, ada, episodes[0])
    next_one = await offered(house, ada, within)
    await watch(house, ada, episodes[3], 500)

    assert next_one == [episodes[2]]
    assert await offered(house, ada, within) == []
    assert await following(house, None, series, within) == episodes[0]


async def test_nobody_begins_with_the_first_episode(house: Living, series: int, episodes: list[int]) -> None:
    empty = await add_series(house.database)

    assert await following(house, None, series) == episodes[0]
    assert await following(house, None, empty) is None


Act = tuple[str, int]
"""What is done with the episode of this number: looked into, begun, finished, dropped or hidden."""

ACTS = ("opened", "begun", "finished", "finished", "finished", "dropped", "hidden")
EVENING = ("begun", "finished")

over_one_database = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

one_act = st.tuples(st.sampled_from(ACTS), st.integers(0, 4)).map(lambda act: [act])
# As series are watched: so there are episodes behind the last one, and such that were seen before.
evenings = st.tuples(st.integers(0, 3), st.integers(1, 4)).map(
    lambda evening: [(act, place) for place in range(5)[evening[0] :][: evening[1]] for act in EVENING]
)
histories = st.lists(one_act | evenings, max_size=8).map(
    lambda found: [act for some in found for act in some]
)


@over_one_database
@given(histories)
async def test_what_is_gone_on_with_follows_from_the_history(database: Database, acts: list[Act]) -> None:
    house = living(database)
    account = await house.account()
    series = await add_series(database, seasons=[2, 3])
    seasons = await parts_of(database, series)
    episodes = [episode for season in seasons for episode in await parts_of(database, season)]

    for act, place in acts:
        house.clock.turn(1)
        match act:
            case "dropped" | "hidden":
                await house.sync.mark(account, episodes[place], {MarkKind(act): True})
            case _:
                seconds = {"opened": 10, "begun": 500, "finished": LENGTH}[act]
                await house.sync.record_progress(account, episodes[place], Position(seconds, LENGTH))

    expected = gone_on_with(acts)
    assert await offered(house, account) == ([] if expected is None else [episodes[expected]])
    assert all(each.position_seconds in {0, 10, 500} for each in await continuing(house, account))


def gone_on_with(acts: list[Act]) -> int | None:
    """The number of the episode, told anew from the words of docs/merge-rules.md."""
    viewings: dict[int, list[tuple[str, int]]] = {place: [] for place in range(5)}
    dropped: dict[int, int] = {}
    for moment, (act, place) in enumerate(acts):
        of_it = viewings[place]
        if act == "dropped":
            dropped[place] = moment
        elif act != "hidden" and of_it and (of_it[-1][0] != "finished" or act == "finished"):
            of_it[-1] = (act, moment)
        elif act != "hidden":
            of_it.append((act, moment))
    counting = {place: [each for each in of_it if each[0] != "opened"] for place, of_it in viewings.items()}
    last = {place: of_it[-1] for place, of_it in counting.items() if of_it}
    times = {place: sum(act == "finished" for act, _ in of_it) for place, of_it in viewings.items()}
    away = {place for act, place in acts if act == "hidden"}
    away |= {place for place, moment in dropped.items() if place not in last or last[place][1] < moment}

    played = [place for place in last if place not in away]
    if not played:
        return None
    latest = max(played, key=lambda place: last[place][1])
    if last[latest][0] != "finished":
        return latest
    behind = (place for place in range(latest + 1, 5) if place not in away)
    return next((place for place in behind if times[place] < times[latest]), None)


async def test_pages_of_what_is_continued_are_the_list(house: Living, ada: str) -> None:
    works = []
    for number in range(7):
        if number % 2:
            film = await add_movie(house.database)
            await watch(house, ada, film, 100)
            works.append(film)
        else:
            series = await add_series(house.database, seasons=[2])
            [season] = await parts_of(house.database, series)
            first, second = await parts_of(house.database, season)
            await watch(house, ada, first)
            works.append(second)

    seen: list[int] = []
    after = None
    while True:
        page = await house.sync.store.continuing(ada, house.clock.now(), Cut.of(2, after))
        seen += [progress.content_id for progress in page.nodes]
        if not page.has_next:
            break
        after = page.cursor_at(len(page.nodes) - 1)

    assert seen == works[::-1]


async def test_the_statements_do_not_grow_with_the_series(
    house: Living, ada: str, statements: StatementCounter
) -> None:
    counts = []
    for number in (1, 12):
        for _ in range(number):
            series = await add_series(house.database, seasons=[1, 2])
            [season, *_] = await parts_of(house.database, series)
            await finish(house, ada, await parts_of(house.database, season))
        statements.clear()
        await house.sync.store.continuing(ada, house.clock.now(), Cut())
        counts.append(len(statements.seen))

    assert counts == [1, 1]
