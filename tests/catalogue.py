"""Builders of a catalogue for tests: works, parts, people and offers, written as plain rows."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from domain.catalog.model import normalised
from domain.platform.postgres import Database


async def add_content(database: Database, kind: str, title: str, **fields: Any) -> int:
    """A row of `content`; `fields` are columns."""
    row = {"kind": kind, "title": title, "title_key": normalised(title)} | fields
    places = ", ".join(f"${place}" for place in range(1, len(row) + 1))
    key: int = await database.value(
        f"INSERT INTO content ({', '.join(row)}) VALUES ({places}) RETURNING id", *row.values()
    )
    return key


async def add_movie(database: Database, title: str = "Solaris", **fields: Any) -> int:
    return await add_content(database, "movie", title, **({"year": 1972, "runtime_seconds": 9960} | fields))


async def add_series(
    database: Database, title: str = "Dekalog", *, seasons: Sequence[int] = (), **fields: Any
) -> int:
    """A series; `seasons` says how many episodes each season has, from season 1."""
    series = await add_content(database, "series", title, **({"year": 1989, "status": "ended"} | fields))
    for number, episodes in enumerate(seasons, start=1):
        season = await add_season(database, series, number, episode_count=episodes)
        for episode in range(1, episodes + 1):
            await add_episode(database, season, episode, title=f"{title} {number}x{episode}")
    return series


async def add_season(database: Database, series_id: int, number: int = 1, **fields: Any) -> int:
    title = fields.pop("title", f"Season {number}")
    return await add_content(database, "season", title, parent_id=series_id, number=number, **fields)


async def add_episode(database: Database, season_id: int, number: int = 1, **fields: Any) -> int:
    title = fields.pop("title", f"Episode {number}")
    given = {"runtime_seconds": 3300} | fields
    return await add_content(database, "episode", title, parent_id=season_id, number=number, **given)


async def add_album(
    database: Database, title: str = "Kind of Blue", *, tracks: Sequence[str] = (), **fields: Any
) -> int:
    """An album with tracks of these titles, in this order."""
    album = await add_content(database, "album", title, **({"year": 1959, "label": "Columbia"} | fields))
    for number, track in enumerate(tracks, start=1):
        await add_track(database, album, number, title=track)
    return album


async def add_track(database: Database, album_id: int, number: int = 1, **fields: Any) -> int:
    title = fields.pop("title", f"Track {number}")
    given = {"runtime_seconds": 240} | fields
    return await add_content(database, "track", title, parent_id=album_id, number=number, **given)


async def parts_of(database: Database, parent_id: int) -> list[int]:
    """The keys of the seasons, episodes or tracks directly below a title, in order."""
    rows = await database.rows(
        "SELECT id FROM content WHERE parent_id = $1 ORDER BY disc, number, id", parent_id
    )
    return [row[0] for row in rows]


async def add_person(database: Database, name: str = "Andrei Tarkovsky", qualifier: str = "") -> int:
    """The person of this name; made once, found again after that."""
    key: int = await database.value(
        """INSERT INTO person (name, name_key, qualifier) VALUES ($1, $2, $3)
           ON CONFLICT (name, qualifier) DO UPDATE SET name_key = excluded.name_key RETURNING id""",
        name,
        normalised(name),
        qualifier,
    )
    return key


async def add_credit(
    database: Database,
    content_id: int,
    name: str = "Andrei Tarkovsky",
    role: str = "director",
    *,
    position: int | None = None,
    character: str | None = None,
) -> int:
    """Credits the person of this name, behind those who have the role already; the key of the person."""
    person = await add_person(database, name)
    await database.execute(
        """INSERT INTO credit (content_id, person_id, role, position, character)
           SELECT $1, $2, $3, coalesce($4::int, count(*)::int), $5 FROM credit
            WHERE content_id = $1 AND role = $3""",
        content_id,
        person,
        role,
        position,
        character,
    )
    return person


async def add_offer(
    database: Database,
    content_id: int,
    platform: str = "netflix",
    *,
    region: str = "US",
    kind: str = "subscription",
    quality: str = "",
    price: str | None = None,
    currency: str = "USD",
    link_id: str = "70136120",
    available_from: datetime | None = None,
    expires_at: datetime | None = None,
    demonstration: bool = False,
) -> None:
    await database.execute(
        """INSERT INTO offer (content_id, platform, region, kind, quality, price, currency, link_id,
                              available_from, expires_at, demonstration)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)""",
        content_id,
        platform,
        region,
        kind,
        quality,
        None if price is None else Decimal(price),
        None if price is None else currency,
        link_id,
        available_from,
        expires_at,
        demonstration,
    )


async def add_external_id(database: Database, content_id: int, source: str, value: str) -> None:
    await database.execute(
        "INSERT INTO external_id (source, value, content_id) VALUES ($1, $2, $3)", source, value, content_id
    )


async def add_rating(
    database: Database,
    content_id: int,
    source: str = "imdb",
    value: float = 8.0,
    scale: float = 10.0,
    vote_count: int | None = 1000,
) -> None:
    await database.execute(
        "INSERT INTO rating (content_id, source, value, scale, vote_count) VALUES ($1, $2, $3, $4, $5)",
        content_id,
        source,
        value,
        scale,
        vote_count,
    )


async def add_artwork(
    database: Database, content_id: int, kind: str = "poster", url: str = "https://images.example/p.jpg"
) -> None:
    await database.execute(
        """INSERT INTO artwork (content_id, kind, position, url, width, height)
           VALUES ($1, $2, 0, $3, 780, 1170)""",
        content_id,
        kind,
        url,
    )


async def retire(database: Database, content_id: int) -> None:
    await database.execute("UPDATE content SET deleted_at = now() WHERE id = $1", content_id)
