"""Sentences into vectors: the port, and its adapter over any ONNX sentence encoder.

EncoderError        there is no encoder to use: a file is missing or unfit, or it has been closed
└── BuildError      the default encoder could not be built (minilm.py)
"""

import asyncio
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

# onnxruntime re-exports its names without saying so.
from onnxruntime import ExecutionMode, InferenceSession, SessionOptions  # type: ignore[attr-defined]
from tokenizers import Tokenizer

MODEL_FILE = "model.onnx"
TOKENIZER_FILE = "tokenizer.json"
# Optional: {"name": …}. Without it the name is that of the folder and a digest of what is in it.
MANIFEST_FILE = "encoder.json"

MAX_TOKENS = 256
# Far more than 256 tokens of prose need; bounds the work a hostile text can cause before it is cut to tokens.
MAX_CHARACTERS = 32 * MAX_TOKENS

_TOKEN_TYPES: Mapping[str, np.dtype[Any]] = {
    "tensor(int64)": np.dtype(np.int64),
    "tensor(int32)": np.dtype(np.int32),
}
_REQUIRED_INPUTS = {"input_ids", "attention_mask"}
_KNOWN_INPUTS = _REQUIRED_INPUTS | {"token_type_ids"}


class EncoderError(Exception):
    """The encoder cannot be used; the message says what is missing and what to do."""


class Encoder(Protocol):
    """Puts text into one vector space; vectors of differently named encoders are never compared."""

    @property
    def name(self) -> str:
        """Model and version; letters, digits, '.', '_' and '-', so that it fits into a collection's name."""

    @property
    def dimensions(self) -> int: ...

    async def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row per text, in order, [n, dimensions], each of unit length; long texts are cut off.

        Raises EncoderError when the encoder is closed or the model fails.
        """


@dataclass(frozen=True, slots=True)
class _Model:
    """A loaded encoder; may be run from several threads at once."""

    session: InferenceSession
    tokenizer: Tokenizer
    inputs: Mapping[str, np.dtype[Any]]
    pad_id: int

    def run(
        self, texts: Sequence[str], outputs: Sequence[str]
    ) -> tuple[list[NDArray[Any]], NDArray[np.int64]]:
        """The named outputs for one padded batch, and its mask [n, tokens]."""
        # One by one: `encode_batch` would start a thread per core, whatever bound was asked for.
        # Where nothing stands around the text, an empty one has no token, and a vector needs one.
        rows = [self.tokenizer.encode(_readable(text)).ids or [self.pad_id] for text in texts]
        ids = np.full((len(rows), max(map(len, rows))), self.pad_id, np.int64)
        mask = np.zeros_like(ids)
        for row, tokens in enumerate(rows):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        fed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        feed = {name: fed[name].astype(kind, copy=False) for name, kind in self.inputs.items()}
        return [np.asarray(value) for value in self.session.run(list(outputs), feed)], mask

    def vectors(self, texts: Sequence[str], output: str) -> NDArray[np.float32]:
        (values,), mask = self.run(texts, [output])
        return _unit_length(_pooled(values, mask))


class OnnxEncoder:
    """A folder with `model.onnx` and `tokenizer.json`, run on threads of its own, off the event loop.

    The model gives a sentence vector, or a vector per token, of which the mean is taken. By default texts are
    run one at a time: on a CPU that is faster than batches (nothing is spent on padding), a query waits for
    one text of a bulk job instead of a batch, and an int8 vector does not depend on its neighbours.
    """

    def __init__(self, name: str, model: _Model, pool: ThreadPoolExecutor, *, batch: int) -> None:
        self._model = model
        self._pool = pool
        self._batch = batch
        self._output, self._dimensions = _probe(model)
        self._name = name
        self._open = True

    @classmethod
    async def open(cls, folder: Path, threads: int = 1, *, workers: int = 1, batch: int = 1) -> Self:
        """Loads the model in a thread.

        `threads` compute one run, `workers` runs go on at once, and `batch` texts go into one.
        Raises EncoderError, which names the file at fault.
        """
        pool = ThreadPoolExecutor(workers, thread_name_prefix="encoder")
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(pool, cls._load, folder, threads, batch, pool)
        except BaseException:
            pool.shutdown(wait=False)
            raise

    @classmethod
    def _load(cls, folder: Path, threads: int, batch: int, pool: ThreadPoolExecutor) -> Self:
        model = _load(folder, threads)
        return cls(_name_of(folder), model, pool, batch=batch)

    @property
    def name(self) -> str:
        return self._name

    @property
    def dimensions(self) -> int:
        return self._dimensions

    async def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        texts = tuple(texts)
        vectors = np.empty((len(texts), self._dimensions), np.float32)
        # Texts of like length share a batch, so that little of it is padding.
        order = sorted(range(len(texts)), key=lambda position: len(texts[position]))
        for start in range(0, len(order), self._batch):
            chosen = order[start : start + self._batch]
            # One batch of a caller in the queue: callers take turns, and it is no longer than they are many.
            vectors[chosen] = await self._run([texts[position] for position in chosen])
        return vectors

    async def close(self) -> None:
        """Waits for the batches that are under way; whoever has more to encode gets an EncoderError."""
        self._open = False
        await asyncio.to_thread(self._pool.shutdown)

    async def _run(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if not self._open:
            raise EncoderError("The encoder is closed.")
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._pool, self._model.vectors, texts, self._output)
        except Exception as error:  # onnxruntime and tokenizers raise bare Exceptions
            raise EncoderError(f"The sentence encoder {self._name} failed: {error}") from error


def _load(folder: Path, threads: int) -> _Model:
    missing = [name for name in (MODEL_FILE, TOKENIZER_FILE) if not (folder / name).is_file()]
    if missing:
        raise EncoderError(
            f"No sentence encoder in {folder}: {' and '.join(missing)} missing. Name a folder that holds"
            " both, or let the default encoder be built."
        )
    tokenizer = _tokenizer(folder / TOKENIZER_FILE)
    padding = tokenizer.padding
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    session = _session(folder / MODEL_FILE, threads)
    pad_id = int(padding["pad_id"]) if padding else _pad_id(tokenizer)
    return _Model(session, tokenizer, _inputs(session, folder / MODEL_FILE), pad_id)


def _tokenizer(file: Path) -> Tokenizer:
    try:
        return Tokenizer.from_file(str(file))
    except Exception as error:  # it raises nothing narrower
        raise EncoderError(
            f"{file} is not a tokenizer: {error}. Take it from the model's publisher."
        ) from error


def _session(file: Path, threads: int) -> InferenceSession:
    options = SessionOptions()
    options.execution_mode = ExecutionMode.ORT_SEQUENTIAL
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Spinning would steal the cores from whatever the server does after a run.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Both keep memory for each shape ever seen; without them runs are as fast and memory stays flat.
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    options.log_severity_level = 3
    try:
        return InferenceSession(file, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # it raises nothing narrower
        raise EncoderError(f"{file} cannot be loaded: {error}. Take or build it again.") from error


def _inputs(session: InferenceSession, file: Path) -> dict[str, np.dtype[Any]]:
    types = {value.name: value.type for value in session.get_inputs()}
    fits = _REQUIRED_INPUTS <= types.keys() <= _KNOWN_INPUTS and _TOKEN_TYPES.keys() >= set(types.values())
    if not fits:
        raise EncoderError(
            f"{file} is not a sentence encoder: it asks for {types}, and is given whole numbers named"
            " input_ids, attention_mask and, if it wants them, token_type_ids."
        )
    return {name: _TOKEN_TYPES[kind] for name, kind in types.items()}


def _pad_id(tokenizer: Tokenizer) -> int:
    known = (tokenizer.token_to_id(token) for token in ("[PAD]", "<pad>"))
    return next((token for token in known if token is not None), 0)


def _probe(model: _Model) -> tuple[str, int]:
    """The output to read, and how many dimensions its vectors have."""
    names = [value.name for value in model.session.get_outputs()]
    try:
        values, mask = model.run(["probe"], names)
    except Exception as error:  # it raises nothing narrower
        raise EncoderError(f"The sentence encoder does not run, not even on one word: {error}") from error
    ranks = {name: np.ndim(value) for name, value in zip(names, values, strict=True)}
    # Tokens before other sentence vectors: those of BERT's pooler were not trained to be compared.
    preferred = ["sentence_embedding", *sorted(names, key=lambda name: ranks[name] != 3)]  # noqa: PLR2004 - [n, s, d]
    output = next((name for name in preferred if ranks.get(name) in {2, 3}), None)
    if output is None:
        raise EncoderError(
            f"The model gives {ranks}, neither sentence vectors [n, d] nor token vectors [n, s, d]."
        )
    vector = _unit_length(_pooled(values[names.index(output)], mask))
    if not np.isclose(np.linalg.norm(vector), 1):
        raise EncoderError(
            f"The model's output {output} has no direction; the file is damaged or no encoder."
        )
    return output, vector.shape[1]


def _name_of(folder: Path) -> str:
    try:
        name = str(json.loads((folder / MANIFEST_FILE).read_text("utf-8"))["name"])
    except FileNotFoundError:
        name = f"{folder.resolve().name}-{_digest(folder)}"
    except (ValueError, TypeError, KeyError) as error:
        raise EncoderError(f'{folder / MANIFEST_FILE} must be {{"name": …}}; or remove it.') from error
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name)


def _digest(folder: Path) -> str:
    # Weights may lie beside the graph (model.onnx_data); a change of either is another space.
    digest = hashlib.sha256()
    for file in [*sorted(folder.glob(f"{MODEL_FILE}*")), folder / TOKENIZER_FILE]:
        with file.open("rb") as content:
            digest.update(hashlib.file_digest(content, "sha256").digest())
    return digest.hexdigest()[:12]


def _readable(text: str) -> str:
    # A lone surrogate, which JSON can carry, is no text to a tokenizer.
    return text[:MAX_CHARACTERS].encode(errors="replace").decode()


def _pooled(values: NDArray[Any], mask: NDArray[np.int64]) -> NDArray[np.float32]:
    if values.ndim == 2:  # noqa: PLR2004 - [n, d]
        return values.astype(np.float32, copy=False)
    weights = mask[..., None].astype(np.float32)
    return np.asarray((values * weights).sum(axis=1) / weights.sum(axis=1), np.float32)


def _unit_length(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, 1e-12), np.float32)
