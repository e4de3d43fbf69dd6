"""The work behind the scenes: jobs that run again and again, beside the server or on their own."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

log = structlog.get_logger(__name__)

FIRST_BACK_OFF_SECONDS = 0.5
BACK_OFF_SECONDS = 30.0
"""The longest pause of a job that fails again and again, unless it pauses longer anyway."""


@dataclass(frozen=True, slots=True)
class Job:
    """Something to do every so often; it answers how much it did."""

    name: str
    every_seconds: float
    run: Callable[[], Awaitable[int]]
    eager: bool = False
    """Whether it goes on without a pause while there is something to do."""


async def work(jobs: Sequence[Job]) -> None:
    """Runs the jobs side by side, until cancelled. One that fails is logged and does not stop the others."""
    async with asyncio.TaskGroup() as group:
        for job in jobs:
            group.create_task(_repeat(job))


async def _repeat(job: Job) -> None:
    back_off = FIRST_BACK_OFF_SECONDS
    while True:
        pause = job.every_seconds
        try:
            done = await job.run()
        except Exception:
            log.exception("job.failed", job=job.name)
            # A database that was away for a moment must not cost those half a minute who wait for a job.
            pause, back_off = max(pause, back_off), min(2 * back_off, BACK_OFF_SECONDS)
        else:
            back_off = FIRST_BACK_OFF_SECONDS
            if done:
                log.debug("job.done", job=job.name, count=done)
            pause = 0.0 if done and job.eager else pause
        await asyncio.sleep(pause)
