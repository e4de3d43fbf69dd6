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
    """`current()` is nothing until the model is built and loaded; `failure` says why it stays so."""

    def __init__(self) -> None:
        self._encoder: OnnxEncoder | None = None
        self._settled = asyncio.Event()
        self.failure: str | None = None

    @classmethod
    @asynccontextmanager
    async def open(
        cls, models: Path, *, given: Path | None = None, threads: int = 1, announce: Announce | None = None
    ) -> AsyncIterator["LateEncoder"]:
        """Loads the encoder in the folder `given`, or the default one, built into `models` if need be."""
        late = cls()
        task = asyncio.create_task(late._prepare(models, given, threads, announce or _log))
        try:
            yield late
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            if late._encoder is not None:
                await late._encoder.close()

    def current(self) -> Encoder | None:
        return self._encoder

    async def settled(self) -> Encoder | None:
        """Waits until it is clear whether there will be an encoder, and answers it."""
        await self._settled.wait()
        return self._encoder

    async def health(self) -> str:
        if self._encoder is not None:
            return self._encoder.name
        if self.failure is not None:
            raise EncoderError(self.failure)
        return "being made ready"

    async def _prepare(self, models: Path, given: Path | None, threads: int, announce: Announce) -> None:
        try:
            folder = given if given is not None else await minilm.ensure(models, announce)
            self._encoder = await OnnxEncoder.open(folder, threads)
        except EncoderError as error:
            self.failure = str(error)
            structlog.get_logger("encoder").warning(
                "There is no sentence encoder; search goes on by keywords alone.", reason=str(error)
            )
        finally:
            self._settled.set()


def _log(stage: str, fraction: float) -> None:
    structlog.get_logger("encoder").info("The sentence encoder is being built.", stage=stage, done=fraction)
