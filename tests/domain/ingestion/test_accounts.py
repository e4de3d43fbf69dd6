from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.ingestion.accounts import DemoAccount, identifier, parse
from domain.ingestion.demo import FOLDER, DemoCatalogue
from domain.ingestion.lines import LineFile
from domain.ingestion.model import Work
from domain.ingestion.postgres import PostgresShelf
from domain.ingestion.postgres_accounts import load_accounts
from domain.platform.postgres import Database

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
TABLES = ("account", "device", "progress", "watchlist_tag", "reaction")


def accounts() -> Iterator[DemoAccount]:
    return (item for item in parse(LineFile(FOLDER / "accounts.jsonl")) if isinstance(item, DemoAccount))


class Hashes:
    """Counts what was hashed."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def __call__(self, password: str) -> str:
        self.asked.append(password)
        return f"hash of {len(password)}"


@pytest.fixture
async def catalogue(database: Database) -> Database:
    """Holds the works that the accounts refer to."""
    wanted = {key.split("/")[0] for account in accounts() for key in account.keys}
    works = [item for item in DemoCatalogue().items() if isinstance(item, Work) and item.slug in wanted]
    await PostgresShelf(database).put(works, fills_gaps=False)
    return database


async def state(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    return {
        table: sorted((tuple(row) for row in await database.rows(f"SELECT * FROM {table}")), key=repr)
        for table in TABLES
    }


async def test_every_account_is_made_with_its_history(catalogue: Database) -> None:
    told = list(accounts())

    missing = await load_accounts(catalogue, told, Hashes(), NOW)

    assert missing == []
    counts = {table: len(rows) for table, rows in (await state(catalogue)).items()}
    assert counts == {
        "account": len(told),
        "device": sum(len(account.devices) for account in told),
        "progress": sum(len(account.progress) for account in told),
        "watchlist_tag": sum(len(account.watchlist) for account in told),
        "reaction": sum(len(account.reactions) for account in told),
    }
    assert counts["account"] >= 5
    assert await catalogue.value("SELECT bool_and(demonstration) FROM account")


async def test_progress_is_placed_in_the_past_and_in_the_length_of_the_work(catalogue: Database) -> None:
    await load_accounts(catalogue, accounts(), Hashes(), NOW)

    row = await catalogue.row(
        """SELECT p.position_seconds, p.duration_seconds, p.completed, p.hlc, p.hlc_device, p.device_id,
                  p.updated_at
             FROM progress p JOIN content c ON c.id = p.content_id
            WHERE p.account_id = $1 AND c.slug = 'interstellar-2014'""",
        identifier("account", "demo@example.com"),
    )

    seen = NOW - timedelta(days=1.2)
    device = identifier("account", "demo@example.com", "device", "tv")
    assert row is not None
    assert tuple(row) == (
        round(row["duration_seconds"] * 0.61), row["duration_seconds"], False,
        int(seen.timestamp() * 1000) << 16, device, device, seen,
    )  # fmt: skip


async def test_an_episode_is_found_by_its_season_and_number(catalogue: Database) -> None:
    await load_accounts(catalogue, accounts(), Hashes(), NOW)

    row = await catalogue.row(
        """SELECT episode.number, season.number, series.slug, p.completed
             FROM progress p JOIN content episode ON episode.id = p.content_id
             JOIN content season ON season.id = episode.parent_id
             JOIN content series ON series.id = season.parent_id
            WHERE p.account_id = $1 AND series.slug = 'severance-2022' AND NOT p.completed""",
        identifier("account", "demo@example.com"),
    )

    assert tuple(row or ()) == (5, 2, "severance-2022", False)


async def test_loading_again_changes_nothing_and_hashes_nothing(catalogue: Database) -> None:
    await load_accounts(catalogue, accounts(), Hashes(), NOW)
    before = await state(catalogue)
    hashes = Hashes()

    await load_accounts(catalogue, accounts(), hashes, NOW + timedelta(days=30))

    assert await state(catalogue) == before
    assert hashes.asked == []


async def test_what_a_user_changed_stays_changed(catalogue: Database) -> None:
    await load_accounts(catalogue, accounts(), Hashes(), NOW)
    await catalogue.execute("DELETE FROM reaction")
    await catalogue.execute("UPDATE progress SET position_seconds = 1")
    await catalogue.execute("UPDATE watchlist_tag SET removed = TRUE")
    before = await state(catalogue)

    await load_accounts(catalogue, accounts(), Hashes(), NOW)

    assert await state(catalogue) == before


async def test_somebody_who_took_the_address_keeps_it(catalogue: Database) -> None:
    await catalogue.execute(
        "INSERT INTO account (id, email, display_name) VALUES (gen_random_uuid(), 'demo@example.com', 'Me')"
    )

    await load_accounts(catalogue, accounts(), Hashes(), NOW)

    assert await catalogue.value("SELECT display_name FROM account WHERE email = 'demo@example.com'") == "Me"
    assert await catalogue.value("SELECT count(*) FROM account") == len(list(accounts()))


async def test_without_a_catalogue_the_missing_keys_are_told(database: Database) -> None:
    missing = await load_accounts(database, accounts(), Hashes(), NOW)

    assert missing == sorted({key for account in accounts() for key in account.keys})
    assert await database.value("SELECT count(*) FROM progress") == 0
