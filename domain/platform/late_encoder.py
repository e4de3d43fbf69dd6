"""An encoder that is made ready while the server already answers, and is there from some moment on."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from domain.platform import minilm
from domain.platform.encoder import Encoder, EncoderError, OnnxEncoder

Announce = Callable[[str, float], None]
"""What is being done to make the encoder ready, and the fraction done."""


class LateEncoder:
    """Made ready from the moment that somebody first asks for it.

    `current()` is nothing until the model is built and loaded; `failure` says why it stays so.
    """

    def __init__(self, models: Path, given: Path | None, threads: int, announce: Announce) -> None:
        self._models = models
        self._given = given
        self._threads = threads
        self._announce = announce
        self._encoder: OnnxEncoder | None = None
        self._task: asyncio.Task[None] | None = None
        self.failure: str | None = None

    @classmethod
    @asynccontextmanager
    async def open(
        cls, models: Path, *, given: Path | None = None, threads: int = 1, announce: Announce | None = None
    ) -> AsyncIterator["LateEncoder"]:
        """Loads the encoder in the folder `given`, or the default one, built into `models` if need be."""
        late = cls(models, given, threads, announce or _log)
        try:
            yield late
        finally:
            await late._close()

    def current(self) -> Encoder | None:
        self._begin()
        return self._encoder

    async def settled(self) -> Encoder | None:
        """Waits until it is clear whether there will be an encoder, and answers it."""
        await asyncio.shield(self._begin())
        return self._encoder

    async def health(self) -> str:
        if self._encoder is not None:
            return self._encoder.name
        if self.failure is not None:
            raise EncoderError(self.failure)
        return "not asked for yet" if self._task is None else "being made ready"

    def _begin(self) -> asyncio.Task[None]:
        if self._task is None:
            self._task = asyncio.create_task(self._prepare())
        return self._task

    async def _prepare(self) -> None:
        try:
            folder = self._given or await minilm.ensure(self._models, self._announce)
            self._encoder = await OnnxEncoder.open(folder, self._threads)
        except EncoderError as error:
            self.failure = str(error)
            structlog.get_logger("encoder").warning(
                "There is no sentence encoder; search goes on by keywords alone.", reason=str(error)
            )

    async def _close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._encoder is not None:
            await self._encoder.close()


def _log(stage: str, fraction: float) -> None:
    structlog.get_logger("encoder").info("The sentence encoder is being built.", stage=stage, done=fraction)
