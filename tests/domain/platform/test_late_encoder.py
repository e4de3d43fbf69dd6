import asyncio
from pathlib import Path

import pytest
import structlog

from domain.platform import minilm
from domain.platform.encoder import EncoderError
from domain.platform.late_encoder import LateEncoder

# Kept between runs: the model is built once per machine.
KEPT = Path(__file__).parents[3] / "var" / "model"


async def test_the_encoder_is_there_some_time_after_it_is_asked_for() -> None:
    await minilm.ensure(KEPT, lambda _stage, _fraction: None)

    async with LateEncoder.open(KEPT) as late:
        before = (await late.health(), late.current())
        encoder = await late.settled()

        assert before == ("not asked for yet", None)
        assert encoder is not None
        assert late.current() is encoder
        assert (await encoder.encode(["a film"])).shape == (1, 384)
        assert await late.health() == minilm.NAME


async def test_nothing_is_made_ready_that_nobody_asks_for(tmp_path: Path) -> None:
    async with LateEncoder.open(tmp_path / "model"):
        await asyncio.sleep(0)

    assert not (tmp_path / "model").exists()


async def test_a_folder_without_a_model_is_one_line_and_no_encoder(tmp_path: Path) -> None:
    with structlog.testing.capture_logs() as lines:
        async with LateEncoder.open(tmp_path, given=tmp_path) as late:
            found = await late.settled()

            assert found is None
            assert late.current() is None
            with pytest.raises(EncoderError, match=r"model\.onnx"):
                await late.health()

    assert [line["log_level"] for line in lines] == ["warning"]


async def test_waiting_is_given_up_without_giving_up_the_encoder() -> None:
    async with LateEncoder.open(KEPT) as late:
        waiting = asyncio.create_task(late.settled())
        await asyncio.sleep(0)
        waiting.cancel()

        assert await late.settled() is not None
