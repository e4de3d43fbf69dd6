"""What the worker does behind the scenes, by the jobs that the process has."""

from datetime import timedelta
from pathlib import Path

from domain.platform.postgres import Database
from domain.sync.commands import Command
from domain.sync.model import CommandState
from gateway.time_and_ids import now
from tests.catalogue import add_movie
from tests.gateway.processes import process
from tests.viewers import living

EVERY = {
    "accounts.erase", "catalog.forget_changes", "challenges.forget", "commands.expire", "grants.forget",
    "outbox.ship", "outbox.tidy", "playback.end_silent", "playback.forget_ended", "sessions.forget",
    "sync.forget", "sync.forget_history", "sync.forget_unfinished", "vectors.check", "vectors.embed",
}  # fmt: skip


async def test_what_nobody_ends_is_ended_and_later_forgotten(
    scratch: Path, database: Database, database_url: str
) -> None:
    house = living(database)
    assert house.clock.now() < now() - timedelta(days=60)
    ada = await house.account()
    tv = await house.device(ada, "TV")
    command = await house.commands.send(ada, tv.id, Command("pause", {}))
    movie = await add_movie(database, runtime_seconds=1000)
    # A device plays one thing: the first ends, long ago, as the second begins.
    over, silent = [await house.playback.start(ada, movie, tv.id) for _ in range(2)]

    async with process(scratch / "jobs", database_url) as running:
        jobs = {job.name: job.run for job in running.opened.jobs}
        assert jobs.keys() >= EVERY
        assert await jobs["commands.expire"]() == 1
        assert await jobs["playback.end_silent"]() == 1
        assert await jobs["playback.forget_ended"]() == 1

    assert (await house.commands.store.commands(ada, [command.id]))[command.id].state is CommandState.EXPIRED
    kept = await house.playback.store.by_ids(ada, [over.id, silent.id])
    assert kept.keys() == {silent.id}
    assert kept[silent.id].ended_at is not None
