"""Until when what was read stays true."""

import asyncio
from datetime import UTC, datetime, timedelta

from domain.platform.validity import observed_validity, validity

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SOON, LATER = NOW + timedelta(seconds=5), NOW + timedelta(hours=1)


def tell(at: datetime) -> None:
    observed = validity()
    if observed is not None:
        observed.ends(at)


def test_the_earliest_end_counts_whoever_told_it_first() -> None:
    with observed_validity() as observed:
        tell(LATER)
        tell(SOON)
        tell(LATER)

    assert observed.until == SOON


def test_where_nothing_ends_nothing_is_told() -> None:
    with observed_validity() as observed:
        pass

    assert observed.until is None


def test_where_nobody_wants_to_know_nobody_is_told() -> None:
    tell(SOON)

    assert validity() is None


def test_a_block_hears_of_its_own_alone() -> None:
    with observed_validity() as outer:
        tell(LATER)
        with observed_validity() as inner:
            tell(SOON)

    assert (outer.until, inner.until) == (LATER, SOON)


async def test_what_a_task_of_the_block_reads_counts() -> None:
    """Loaders read in tasks of their own."""

    async def read() -> None:
        await asyncio.sleep(0)
        tell(SOON)

    with observed_validity() as observed:
        await asyncio.gather(read(), read())

    assert observed.until == SOON


async def test_two_blocks_at_once_do_not_mix() -> None:
    async def block(at: datetime) -> datetime | None:
        with observed_validity() as observed:
            await asyncio.sleep(0)
            tell(at)
            await asyncio.sleep(0)
        return observed.until

    assert list(await asyncio.gather(block(SOON), block(LATER))) == [SOON, LATER]
