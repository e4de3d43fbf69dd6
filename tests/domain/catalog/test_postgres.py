"""Reads of the catalogue in PostgreSQL."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from domain.catalog.filters import Filter
from domain.catalog.model import (
    Album,
    ArtworkKind,
    Credit,
    CreditRole,
    Episode,
    ExternalId,
    Image,
    Money,
    Movie,
    OfferKind,
    Person,
    Place,
    Rating,
    Season,
    Series,
    SeriesStatus,
    Track,
    VideoQuality,
)
from domain.catalog.postgres import PostgresCatalog
from domain.catalog.service import ContentOrder
from domain.catalog.taxonomy import MaturityRating
from domain.platform.errors import BadInput
from domain.platform.paging import Cut
from domain.platform.postgres import Database
from tests import catalogue as rows
from tests.servers import StatementCounter

UNKNOWN = 999_999


@pytest.fixture
def catalog(database: Database) -> PostgresCatalog:
    return PostgresCatalog(database)


async def test_a_film_is_read_as_it_was_written(catalog: PostgresCatalog, database: Database) -> None:
    then = datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC)
    key = await rows.add_movie(
        database,
        "Solaris",
        original_title="Солярис",
        synopsis="An ocean that thinks.",
        release_date=date(1972, 3, 20),
        genres=["science-fiction", "drama"],
        keywords=["space"],
        original_language="ru",
        countries=["SU"],
        maturity_rating="PG",
        popularity=47.11,
        updated_at=then,
        end_credits_seconds=240,
    )

    found = await catalog.contents([key, UNKNOWN])

    assert found == {
        key: Movie(
            key,
            "Solaris",
            "Солярис",
            "An ocean that thinks.",
            date(1972, 3, 20),
            1972,
            ("science-fiction", "drama"),
            ("space",),
            "ru",
            ("SU",),
            MaturityRating.PG,
            47.11,
            then,
            runtime_seconds=9960,
            end_credits_seconds=240,
        )
    }
    assert [genre.name for genre in found[key].genres] == ["Science Fiction", "Drama"]


async def test_each_kind_is_a_class_of_its_own(catalog: PostgresCatalog, database: Database) -> None:
    series = await rows.add_series(database, seasons=(1,), runtime_seconds=3300)
    season = (await rows.parts_of(database, series))[0]
    episode = (await rows.parts_of(database, season))[0]
    album = await rows.add_album(database, tracks=("So What",))
    track = (await rows.parts_of(database, album))[0]

    found = await catalog.contents([series, season, episode, album, track])

    shown = {key: type(content) for key, content in found.items()}
    assert shown == {series: Series, season: Season, episode: Episode, album: Album, track: Track}
    match [found[key] for key in (series, season, episode, album, track)]:
        case [
            Series(status=SeriesStatus.ENDED, runtime_seconds=3300),
            Season(series_id=series_id, number=1, episode_count=1),
            Episode(season_id=season_id, number=1, runtime_seconds=3300),
            Album(label="Columbia"),
            Track(album_id=album_id, disc=1, number=1, duration_seconds=240),
        ]:
            assert (series_id, season_id, album_id) == (series, season, album)
        case other:
            pytest.fail(f"{other}")


async def test_parts_come_in_their_order(catalog: PostgresCatalog, database: Database) -> None:
    album = await rows.add_album(database)
    for disc, number in ((2, 1), (1, 10), (1, 2), (1, 1)):
        await rows.add_track(database, album, number, disc=disc, title=f"{disc}.{number}")

    found = await catalog.tracks([album, UNKNOWN])

    assert [track.title for track in found[album]] == ["1.1", "1.2", "1.10", "2.1"]
    assert found.get(UNKNOWN, []) == []


async def test_specials_are_a_season_before_the_first(catalog: PostgresCatalog, database: Database) -> None:
    series = await rows.add_series(database, seasons=(0, 0))
    await rows.add_season(database, series, 0)

    found = await catalog.seasons([series])

    assert [season.number for season in found[series]] == [0, 1, 2]


async def test_credits_come_by_role_and_billing(catalog: PostgresCatalog, database: Database) -> None:
    film = await rows.add_movie(database)
    writer = await rows.add_credit(database, film, "Fridrikh Gorenshtein", "writer")
    second = await rows.add_credit(database, film, "Donatas Banionis", "cast", position=2, character="Kris")
    first = await rows.add_credit(database, film, "Natalya Bondarchuk", "cast", position=1, character="Hari")

    found = await catalog.credits([film])

    assert found[film] == [
        Credit(film, Person(first, "Natalya Bondarchuk"), CreditRole.CAST, 1, "Hari"),
        Credit(film, Person(second, "Donatas Banionis"), CreditRole.CAST, 2, "Kris"),
        Credit(film, Person(writer, "Fridrikh Gorenshtein"), CreditRole.WRITER, 0, None),
    ]


async def test_a_person_s_works_come_best_known_first_and_each_once(
    catalog: PostgresCatalog, database: Database
) -> None:
    little = await rows.add_movie(database, "Ivan's Childhood", popularity=10.0)
    known = await rows.add_movie(database, "Stalker", popularity=20.0)
    series = await rows.add_series(database, seasons=(1,))
    part = (await rows.parts_of(database, series))[0]
    person = await rows.add_credit(database, known, role="director")
    for role in ("writer", "cast"):
        await rows.add_credit(database, known, role=role)
    await rows.add_credit(database, little)
    await rows.add_credit(database, part)

    found = await catalog.works_of([person])

    assert found[person] == [known, little]
    assert await catalog.people([person, UNKNOWN]) == {person: Person(person, "Andrei Tarkovsky")}


async def test_what_belongs_to_a_title_is_read(catalog: PostgresCatalog, database: Database) -> None:
    film = await rows.add_movie(database)
    await rows.add_external_id(database, film, "tmdb", "593")
    await rows.add_external_id(database, film, "imdb", "tt0069293")
    await rows.add_rating(database, film, "imdb", 8.0, 10.0)
    await rows.add_artwork(database, film, "backdrop", "https://images.example/b.jpg")
    await rows.add_artwork(database, film, "poster", "https://images.example/p.jpg")

    assert await catalog.external_ids([film]) == {
        film: [ExternalId("imdb", "tt0069293"), ExternalId("tmdb", "593")]
    }
    assert await catalog.ratings([film]) == {film: [Rating("imdb", 8.0, 10.0, 1000)]}
    assert await catalog.artwork([film]) == {
        film: [
            Image(ArtworkKind.POSTER, "https://images.example/p.jpg", 780, 1170),
            Image(ArtworkKind.BACKDROP, "https://images.example/b.jpg", 780, 1170),
        ]
    }


async def test_an_offer_is_read_as_it_was_written(catalog: PostgresCatalog, database: Database) -> None:
    film = await rows.add_movie(database)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    await rows.add_offer(
        database,
        film,
        "prime_video",
        region="DE",
        kind="rental",
        quality="UHD",
        price="3.99",
        currency="EUR",
        link_id="B00",
        available_from=start,
        expires_at=start + timedelta(days=900),
    )

    offers = (await catalog.offers([Place(film, "DE")]))[Place(film, "DE")]

    assert len(offers) == 1
    offer = offers[0]
    assert (offer.content_id, offer.platform_id, offer.region, offer.link_id) == (
        film,
        "prime_video",
        "DE",
        "B00",
    )
    assert (offer.kind, offer.quality) == (OfferKind.RENTAL, VideoQuality.UHD)
    assert offer.price == Money(Decimal("3.99"), "EUR")
    assert (offer.available_from, offer.expires_at) == (start, start + timedelta(days=900))
    assert offer.platform.name == "Prime Video"


async def test_offers_stand_in_their_region_only(catalog: PostgresCatalog, database: Database) -> None:
    film, other = await rows.add_movie(database), await rows.add_movie(database, "Stalker")
    await rows.add_offer(database, film, "netflix", region="US")
    await rows.add_offer(database, film, "hulu", region="DE")
    await rows.add_offer(database, other, "peacock", region="DE")
    places = [Place(film, "US"), Place(film, "DE"), Place(other, "US"), Place(other, "DE")]

    found = await catalog.offers(places)

    assert [[offer.platform_id for offer in found.get(place, [])] for place in places] == [
        ["netflix"],
        ["hulu"],
        [],
        ["peacock"],
    ]


async def test_a_part_has_its_own_offers_and_those_of_its_whole(
    catalog: PostgresCatalog, database: Database
) -> None:
    series = await rows.add_series(database, seasons=(2,))
    season = (await rows.parts_of(database, series))[0]
    episode, sibling = await rows.parts_of(database, season)
    await rows.add_offer(database, series, "netflix")
    await rows.add_offer(database, season, "prime_video")
    await rows.add_offer(database, episode, "youtube")
    album = await rows.add_album(database, tracks=("So What",))
    track = (await rows.parts_of(database, album))[0]
    await rows.add_offer(database, album, "spotify")

    keys = (series, season, episode, sibling, album, track)
    found = await catalog.offers([Place(key, "US") for key in keys])

    platforms = {key: {offer.platform_id for offer in found[Place(key, "US")]} for key in keys}
    assert platforms == {
        series: {"netflix"},
        season: {"netflix", "prime_video"},
        episode: {"netflix", "prime_video", "youtube"},
        sibling: {"netflix", "prime_video"},
        album: {"spotify"},
        track: {"spotify"},
    }
    assert {offer.content_id for offer in found[Place(episode, "US")]} == {series, season, episode}


async def test_titles_are_found_by_their_other_names(catalog: PostgresCatalog, database: Database) -> None:
    film = await rows.add_movie(database, slug="solaris-1972")
    await rows.add_external_id(database, film, "imdb", "tt0069293")
    await rows.add_offer(database, film, "netflix", link_id="42")

    assert await catalog.by_slug(["solaris-1972", "none"]) == {"solaris-1972": film}
    assert await catalog.by_external_id([("imdb", "tt0069293"), ("tmdb", "tt0069293")]) == {
        ("imdb", "tt0069293"): film
    }
    assert await catalog.by_link([("netflix", "42"), ("hulu", "42"), ("netflix", "43")]) == {
        ("netflix", "42"): film
    }


async def test_a_link_of_several_titles_leads_to_the_best_known(
    catalog: PostgresCatalog, database: Database
) -> None:
    keys = [await rows.add_movie(database, f"Part {n}", popularity=n % 3) for n in range(5)]
    for key in keys:
        await rows.add_offer(database, key, "netflix", link_id="box")
        await rows.add_offer(database, key, "netflix", region="DE", link_id="box")

    assert await catalog.by_link([("netflix", "box")]) == {("netflix", "box"): keys[2]}


@pytest.fixture
async def retired(database: Database) -> dict[str, int]:
    """A series with a season and an episode, where the series is retired, and a film that is."""
    series = await rows.add_series(database, "Gone", seasons=(1,), slug="gone")
    season = (await rows.parts_of(database, series))[0]
    episode = (await rows.parts_of(database, season))[0]
    film = await rows.add_movie(database, "Gone, too", slug="gone-too")
    album = await rows.add_album(database, "Standing", tracks=("Gone", "Standing"))
    track = (await rows.parts_of(database, album))[0]
    for key in (series, season, episode, film, track):
        await rows.add_credit(database, key, "Ada")
        await rows.add_offer(database, key, "netflix", link_id=str(key))
        await rows.add_external_id(database, key, "imdb", f"tt{key:07}")
    for key in (series, film, track):
        await rows.retire(database, key)
    return {
        "series": series,
        "season": season,
        "episode": episode,
        "film": film,
        "album": album,
        "track": track,
    }


GONE = ("series", "season", "episode", "film", "track")


async def test_retired_titles_and_their_parts_are_not_read(
    catalog: PostgresCatalog, retired: dict[str, int]
) -> None:
    found = await catalog.contents(list(retired.values()))

    assert set(found) == {retired["album"]}


async def test_retired_titles_have_no_parts_and_are_none(
    catalog: PostgresCatalog, retired: dict[str, int]
) -> None:
    assert not await catalog.seasons([retired["series"]])
    assert not await catalog.episodes([retired["season"]])
    assert [t.title for t in (await catalog.tracks([retired["album"]]))[retired["album"]]] == ["Standing"]


async def test_retired_titles_are_not_offered(catalog: PostgresCatalog, retired: dict[str, int]) -> None:
    assert not await catalog.offers([Place(retired[name], "US") for name in GONE])


async def test_retired_titles_have_no_other_names(catalog: PostgresCatalog, retired: dict[str, int]) -> None:
    keys = [retired[name] for name in GONE]

    assert not await catalog.by_slug(["gone", "gone-too"])
    assert not await catalog.by_external_id([("imdb", f"tt{key:07}") for key in keys])
    assert not await catalog.by_link([("netflix", str(key)) for key in keys])


async def test_a_retired_title_does_not_hide_the_one_that_stands_behind_its_link(
    catalog: PostgresCatalog, database: Database
) -> None:
    gone = await rows.add_movie(database, "Old entry", popularity=90.0)
    standing = await rows.add_movie(database, "New entry")
    for key in (gone, standing):
        await rows.add_offer(database, key, "netflix", link_id="42")
    await rows.retire(database, gone)

    assert await catalog.by_link([("netflix", "42")]) == {("netflix", "42"): standing}


async def test_retired_titles_are_no_works_of_their_people(
    catalog: PostgresCatalog, retired: dict[str, int], database: Database
) -> None:
    person = await rows.add_person(database, "Ada")

    assert not await catalog.works_of([person])


async def test_retired_titles_are_not_listed(catalog: PostgresCatalog, retired: dict[str, int]) -> None:
    page = await catalog.browse(Filter(), ContentOrder.POPULARITY, Cut())

    assert [work.id for work in page.nodes] == [retired["album"]]
    assert await page.count() == 1


@pytest.mark.parametrize("text", ["a\0b", "\0"])
async def test_names_that_cannot_exist_are_refused(catalog: PostgresCatalog, text: str) -> None:
    with pytest.raises(BadInput, match="NUL"):
        await catalog.by_slug([text])
    with pytest.raises(BadInput, match="NUL"):
        await catalog.by_link([("netflix", text)])
    with pytest.raises(BadInput, match="NUL"):
        await catalog.browse(Filter(languages=(text,)), ContentOrder.TITLE, Cut())


async def test_many_keys_are_one_statement(
    catalog: PostgresCatalog, database: Database, statements: StatementCounter
) -> None:
    keys = [await rows.add_movie(database, f"Film {number}") for number in range(30)]
    statements.clear()

    await catalog.contents(keys)
    await catalog.credits(keys)
    await catalog.offers([Place(key, "US") for key in keys])

    assert len(statements.seen) == 3
