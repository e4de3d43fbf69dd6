"""Changes of a catalogue at random: every kind of write that importers or an administrator may do."""

import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from domain.platform.postgres import Database
from tests import catalogue as rows

GENRES = ("drama", "science-fiction", "crime")
PLATFORMS = ("netflix", "hulu")
REGIONS = ("US", "DE")
NAMES = ("Andrei Tarkovsky", "Agnès Varda", "Miles Davis")
MOST_WORKS = 12
UNDONE = 0.3
"""The share of transactions of several changes that are rolled back."""


class Undone(Exception):
    """The transaction is to be rolled back."""


@dataclass
class Upheaval:
    """Writes to a catalogue, by chance; the same seed writes the same."""

    database: Database
    seed: int
    chance: random.Random = field(init=False)
    made: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    async def begin(self) -> None:
        for make in (self.add_movie, self.add_series, self.add_album, self.offer, self.name_elsewhere):
            await make()
        for key in await self.works():
            for name in NAMES:
                await rows.add_credit(self.database, key, name)
            await rows.add_rating(self.database, key)

    async def story(self) -> AsyncIterator[str]:
        """Every kind of change, in some order, and says what it was; some are of one transaction, and some of
        these are rolled back.
        """
        left = self.chance.sample(self.changes, len(self.changes))
        while left:
            count = self.chance.choice([1, 1, 1, 2])
            together, left = left[:count], left[count:]
            undone = count > 1 and self.chance.random() < UNDONE
            with suppress(Undone):
                await self._together(together, undone=undone)
            if undone:
                left += together
            yield f"{[change.__name__ for change in together]}{', undone' if undone else ''}"

    async def _together(self, changes: Sequence[Callable[[], Awaitable[object]]], *, undone: bool) -> None:
        async with self.database.transaction():
            for change in changes:
                await change()
            if undone:
                raise Undone

    @property
    def changes(self) -> list[Callable[[], Awaitable[object]]]:
        return [
            self.add_movie,
            self.add_series,
            self.add_album,
            self.add_part,
            self.rename,
            self.rename,
            self.regrade,
            self.regrade,
            self.regrade,
            self.swap_names,
            self.retire,
            self.restore,
            self.delete,
            self.move_part,
            self.credit,
            self.credit,
            self.uncredit,
            self.rename_person,
            self.delete_person,
            self.rate,
            self.picture,
            self.name_elsewhere,
            self.unname_elsewhere,
            self.offer,
            self.offer,
            self.withdraw,
            self.reprice,
            self.empty,
        ]

    async def works(self, *kinds: str) -> list[int]:
        kinds = kinds or ("movie", "series", "album")
        found = await self.database.rows(
            "SELECT id FROM content WHERE kind = ANY($1::text[]) ORDER BY id", list(kinds)
        )
        return [row[0] for row in found]

    async def some(self, *kinds: str) -> int:
        """A work of one of these kinds, made where there is none."""
        found = await self.works(*kinds)
        return self.chance.choice(found) if found else await self.add_movie()

    def _title(self) -> tuple[str, str]:
        self.made += 1
        return f"Work {self.made}", f"work-{self.made}"

    async def add_movie(self) -> int:
        if len(await self.works()) >= MOST_WORKS:
            await self.delete()
        title, slug = self._title()
        genres = self.chance.sample(GENRES, 2)
        return await rows.add_movie(
            self.database, title, slug=slug, popularity=self.chance.random() * 100, genres=genres
        )

    async def add_series(self) -> None:
        title, slug = self._title()
        await rows.add_series(self.database, title, slug=slug, seasons=(self.chance.randint(1, 2), 1))

    async def add_album(self) -> None:
        title, slug = self._title()
        await rows.add_album(self.database, title, slug=slug, tracks=("One", "Two"))

    async def add_part(self) -> None:
        seasons = await self.works("season")
        if seasons:
            await rows.add_episode(self.database, self.chance.choice(seasons), self.chance.randint(3, 9))

    async def rename(self) -> None:
        self.made += 1
        key = await self.some("movie", "series", "album", "season", "episode", "track")
        await self.database.execute(
            "UPDATE content SET title = $2, title_key = lower($2) WHERE id = $1", key, f"Renamed {self.made}"
        )

    async def regrade(self) -> None:
        await self.database.execute(
            "UPDATE content SET popularity = $2, genres = $3, year = $4 WHERE id = $1",
            await self.some(),
            self.chance.choice([1.0, 99.0]),
            [self.chance.choice(GENRES)],
            self.chance.randint(1960, 2020),
        )

    async def swap_names(self) -> None:
        """What one title was called is another's name now."""
        found = await self.works()
        if len(found) >= 2:
            one, other = self.chance.sample(found, 2)
            slug = await self.database.value("SELECT slug FROM content WHERE id = $1", one)
            await self.database.execute("UPDATE content SET slug = NULL WHERE id = $1", one)
            await self.database.execute("UPDATE content SET slug = $2 WHERE id = $1", other, slug)

    async def retire(self) -> None:
        await rows.retire(self.database, await self.some("movie", "series", "album", "episode"))

    async def restore(self) -> None:
        await self.database.execute("UPDATE content SET deleted_at = NULL WHERE deleted_at IS NOT NULL")

    async def delete(self) -> None:
        found = await self.works("movie", "series", "album", "season", "episode")
        if found:
            await self.database.execute("DELETE FROM content WHERE id = $1", self.chance.choice(found))

    async def move_part(self) -> None:
        seasons, episodes = await self.works("season"), await self.works("episode")
        if seasons and episodes:
            await self.database.execute(
                "UPDATE content SET parent_id = $2 WHERE id = $1",
                self.chance.choice(episodes),
                self.chance.choice(seasons),
            )

    async def credit(self) -> None:
        await rows.add_credit(self.database, await self.some(), self.chance.choice(NAMES))

    async def uncredit(self) -> None:
        await self.database.execute("DELETE FROM credit WHERE content_id = $1", await self.some())

    async def rename_person(self) -> None:
        self.made += 1
        await self.database.execute(
            "UPDATE person SET name = $1 WHERE id = (SELECT min(id) FROM person)", f"Person {self.made}"
        )

    async def delete_person(self) -> None:
        await self.database.execute("DELETE FROM person WHERE id = (SELECT max(id) FROM person)")

    async def rate(self) -> None:
        await self.database.execute(
            """INSERT INTO rating (content_id, source, value, scale) VALUES ($1, 'imdb', $2, 10)
               ON CONFLICT (content_id, source) DO UPDATE SET value = excluded.value""",
            await self.some(),
            round(self.chance.random() * 10, 1),
        )

    async def picture(self) -> None:
        key = await self.some()
        await self.database.execute("DELETE FROM artwork WHERE content_id = $1", key)
        self.made += 1
        await rows.add_artwork(self.database, key, url=f"https://images.example/{self.made}.jpg")

    async def name_elsewhere(self) -> None:
        key = await self.some()
        await self.database.execute(
            """INSERT INTO external_id (source, value, content_id) VALUES ('imdb', $1, $2)
               ON CONFLICT (source, value) DO UPDATE SET content_id = excluded.content_id""",
            f"tt000000{self.chance.randint(1, 3)}",
            key,
        )

    async def unname_elsewhere(self) -> None:
        await self.database.execute("DELETE FROM external_id WHERE value = 'tt0000001'")

    async def offer(self) -> None:
        ends = datetime.now(UTC) + timedelta(hours=1)
        await self.database.execute(
            """INSERT INTO offer (content_id, platform, region, kind, quality, link_id, expires_at)
               VALUES ($1, $2, $3, 'subscription', '', $4, $5)
               ON CONFLICT DO NOTHING""",
            await self.some(),
            self.chance.choice(PLATFORMS),
            self.chance.choice(REGIONS),
            f"link{self.chance.randint(1, 2)}",
            ends if self.chance.random() < 0.3 else None,
        )

    async def withdraw(self) -> None:
        await self.database.execute("DELETE FROM offer WHERE platform = $1", self.chance.choice(PLATFORMS))

    async def reprice(self) -> None:
        await self.database.execute(
            "UPDATE offer SET price = $1, currency = 'USD'", self.chance.randint(1, 9)
        )

    async def empty(self) -> None:
        await self.database.execute("TRUNCATE rating")
