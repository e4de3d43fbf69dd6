"""Runs the jobs until the process is told to stop."""

import asyncio
import contextlib
from importlib.metadata import version

import structlog

from gateway.cli.preparation import prepare
from gateway.cli.signals import stopping_on_sigterm
from gateway.metrics import Metrics
from gateway.services import open_all
from gateway.settings import Settings
from gateway.tracing import tracing
from gateway.worker import work


def run(settings: Settings) -> None:
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(work_until_stopped(settings))


async def work_until_stopped(settings: Settings) -> None:
    """Until the task is cancelled, or SIGTERM does it; then everything is closed in order."""
    with stopping_on_sigterm(), tracing(settings, version("media-gateway")):
        await prepare(settings)
        traced = settings.otlp_endpoint is not None
        async with open_all(settings, Metrics(), traced=traced) as opened:
            jobs = [job.name for job in opened.jobs]
            structlog.get_logger("worker").info("worker.started", jobs=jobs)
            await work(opened.jobs)
