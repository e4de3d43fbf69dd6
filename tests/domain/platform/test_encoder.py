import asyncio
import json
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper, save
from tokenizers import Tokenizer, models, pre_tokenizers

from domain.platform import minilm
from domain.platform.encoder import Encoder, EncoderError, OnnxEncoder

# Kept between runs: the model is built once per machine.
KEPT = Path(__file__).parents[3] / "var" / "model"

PLOTS = [
    "A botanist stranded on Mars grows potatoes and works out how to be fetched home.",
    "Two detectives follow a murderer who arranges his victims after the deadly sins.",
    "A rat with a fine nose cooks in the kitchen of a Paris restaurant.",
    "A family of rabbits looks for a new home when its warren is destroyed.",
    "An orchestra of prisoners rehearses a symphony behind the walls of a camp.",
]


@pytest_asyncio.fixture(scope="session")
async def model() -> Path:
    return await minilm.ensure(KEPT, lambda stage, fraction: None)


@pytest_asyncio.fixture(scope="session")
async def encoder(model: Path) -> AsyncIterator[OnnxEncoder]:
    encoder = await OnnxEncoder.open(model)
    yield encoder
    await encoder.close()


async def test_every_text_becomes_a_row_of_unit_length(encoder: OnnxEncoder) -> None:
    vectors = await encoder.encode(PLOTS)

    assert vectors.shape == (5, 384)
    assert vectors.dtype == np.float32
    assert np.abs(np.linalg.norm(vectors, axis=1) - 1).max() < 1e-6


async def test_no_text_becomes_no_row(encoder: OnnxEncoder) -> None:
    vectors = await encoder.encode([])

    assert vectors.shape == (0, 384)
    assert vectors.dtype == np.float32


async def test_the_name_is_the_declared_one_and_fits_a_collection(encoder: OnnxEncoder) -> None:
    port: Encoder = encoder

    assert port.name == "all-minilm-l6-v2-int8-1"
    assert port.dimensions == 384


@pytest.mark.parametrize(
    ("query", "nearest"),
    [
        ("astronaut left behind on another planet", 0),
        ("serial killer thriller", 1),
        ("animated film about a chef", 2),
        ("animals searching for a place to live", 3),
        ("classical music in a prison", 4),
    ],
)
async def test_a_query_is_nearest_to_the_plot_it_describes(
    encoder: OnnxEncoder, query: str, nearest: int
) -> None:
    vectors = await encoder.encode([query, *PLOTS])

    similarities = vectors[1:] @ vectors[0]
    assert similarities.argmax() == nearest
    assert similarities[nearest] > 1.2 * np.delete(similarities, nearest).max()


async def test_rows_stand_in_the_order_of_the_texts_whatever_their_length(encoder: OnnxEncoder) -> None:
    texts = [PLOTS[0] * 3, "a", PLOTS[1], "war and peace", PLOTS[2] * 2]
    alone = np.vstack([await encoder.encode([text]) for text in texts])

    together = await encoder.encode(texts)

    assert np.array_equal(together, alone)


async def test_a_padded_batch_gives_nearly_the_vectors_of_single_texts(
    model: Path, encoder: OnnxEncoder
) -> None:
    texts = ["robots", *PLOTS, " ".join(PLOTS)]
    alone = await encoder.encode(texts)
    batching = await OnnxEncoder.open(model, batch=32)

    batched = await batching.encode(texts)

    await batching.close()
    assert cosines(alone, batched).min() > 0.98
    assert not np.array_equal(alone, batched)  # eight-bit activations share a scale: it was one batch


async def test_what_exceeds_256_tokens_is_cut_off(encoder: OnnxEncoder) -> None:
    # "plot" is one token, and two more stand around the text.
    exact, longer, endless = "plot " * 254, "plot " * 253 + "plot whale harpoon sea", "plot " * 200_000

    vectors = await encoder.encode([exact, longer, endless, "plot " * 253])

    assert np.array_equal(vectors[0], vectors[1])
    assert np.array_equal(vectors[0], vectors[2])
    assert not np.array_equal(vectors[0], vectors[3])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "千と千尋の神隠し",
        "Amélie à Montmartre",
        "🎬🍿👩‍👩‍👧",
        "\x00\x07",
        "lone \ud800 surrogate",
        "x" * 5000,
    ],
    ids=["empty", "blank", "japanese", "accents", "emoji", "control", "surrogate", "one long word"],
)
async def test_any_string_has_a_vector(encoder: OnnxEncoder, text: str) -> None:
    vectors = await encoder.encode([text])

    assert vectors.shape == (1, 384)
    assert np.linalg.norm(vectors[0]) == pytest.approx(1, abs=1e-6)


async def test_case_and_accents_do_not_matter_to_the_default_encoder(encoder: OnnxEncoder) -> None:
    plain, written = await encoder.encode(["amelie", "AMÉLIE"])

    assert np.array_equal(plain, written)


async def test_concurrent_callers_get_their_own_rows(encoder: OnnxEncoder) -> None:
    texts = [f"episode {number} of the series" for number in range(24)]
    one_by_one = [await encoder.encode([text]) for text in texts]

    at_once = await asyncio.gather(*(encoder.encode([text]) for text in texts))

    assert all(np.array_equal(a, b) for a, b in zip(one_by_one, at_once, strict=True))
    assert len({vectors.tobytes() for vectors in at_once}) == 24


async def test_a_query_does_not_wait_for_a_bulk_job(encoder: OnnxEncoder) -> None:
    bulk = asyncio.create_task(encoder.encode(PLOTS * 20))
    await asyncio.sleep(0)

    await encoder.encode(["short query"])

    assert not bulk.done()
    assert (await bulk).shape == (100, 384)


async def test_two_workers_give_what_one_gives(model: Path, encoder: OnnxEncoder) -> None:
    expected = await encoder.encode(PLOTS)
    parallel = await OnnxEncoder.open(model, workers=2)

    found = await asyncio.gather(*(parallel.encode(PLOTS) for _ in range(4)))

    await parallel.close()
    assert all(np.array_equal(vectors, expected) for vectors in found)


async def test_closing_ends_the_threads_and_refuses_what_comes_after(model: Path) -> None:
    # Threads that other encoders still have, the session's among them, do not count.
    before = set(threading.enumerate())
    encoder = await OnnxEncoder.open(model)
    await encoder.encode(["in time"])
    own = set(threading.enumerate()) - before

    await encoder.close()

    assert [thread.name for thread in own] == ["encoder_0"]
    assert not any(thread.is_alive() for thread in own)
    with pytest.raises(EncoderError, match="closed"):
        await encoder.encode(["too late"])


async def test_closing_stops_a_bulk_job_between_texts(model: Path) -> None:
    encoder = await OnnxEncoder.open(model)
    bulk = asyncio.create_task(encoder.encode(PLOTS * 200))
    await asyncio.sleep(0.05)

    await encoder.close()

    with pytest.raises(EncoderError, match="closed"):
        await bulk


# Other encoders: small ones, whose vectors can be worked out on paper.

WORDS = {"[UNK]": 0, "north": 1, "east": 2, "<pad>": 3}
# East is twice as long as north, so that the mean of both leans east; padding would pull everything along.
TABLE = np.array([[1, 1], [0, 1], [2, 0], [50, 50]], np.float32)


async def test_token_vectors_are_averaged_without_the_padding(tmp_path: Path) -> None:
    folder = other_encoder(tmp_path / "tokens", token_model())
    encoder = await OnnxEncoder.open(folder, batch=8)

    vectors = await encoder.encode(["north", "north east", "east east east"])

    await encoder.close()
    leaning = np.array([1, 0.5]) / np.hypot(1, 0.5)
    assert vectors == pytest.approx(np.array([[0, 1], leaning, [1, 0]]), abs=1e-6)


async def test_a_text_without_any_token_still_has_a_direction(tmp_path: Path) -> None:
    folder = other_encoder(tmp_path / "tokens", token_model())
    encoder = await OnnxEncoder.open(folder)

    vectors = await encoder.encode([""])

    await encoder.close()
    assert vectors == pytest.approx(np.full((1, 2), np.sqrt(0.5)), abs=1e-6)


async def test_sentence_vectors_are_preferred_and_scaled_to_unit_length(tmp_path: Path) -> None:
    folder = other_encoder(tmp_path / "sentences", sentence_model())
    encoder = await OnnxEncoder.open(folder)

    vectors = await encoder.encode(["east north", "north east"])

    await encoder.close()
    assert encoder.dimensions == 2
    assert vectors == pytest.approx(np.array([[1, 0], [0, 1]]), abs=1e-6)


async def test_the_name_of_another_encoder_follows_its_content(tmp_path: Path) -> None:
    folders = [
        other_encoder(tmp_path / "a" / "my model", token_model()),
        other_encoder(tmp_path / "b" / "my model", token_model()),
        other_encoder(tmp_path / "c" / "my model", sentence_model()),
    ]

    names = [await name_of(folder) for folder in folders]

    assert names[0] == names[1] != names[2]
    assert all(name.startswith("my-model-") and len(name) == len("my-model-") + 12 for name in names)


async def test_a_declared_name_is_made_fit_for_a_collection(tmp_path: Path) -> None:
    folder = other_encoder(tmp_path, token_model())
    (folder / "encoder.json").write_text('{"name": "acme/words v2"}')

    assert await name_of(folder) == "acme-words-v2"


async def test_a_manifest_without_a_name_is_refused(tmp_path: Path) -> None:
    folder = other_encoder(tmp_path, token_model())
    (folder / "encoder.json").write_text("[]")

    with pytest.raises(EncoderError, match=r"encoder\.json must be"):
        await OnnxEncoder.open(folder)


@pytest.mark.parametrize("missing", ["model.onnx", "tokenizer.json"])
async def test_a_missing_file_is_named(tmp_path: Path, missing: str) -> None:
    folder = other_encoder(tmp_path, token_model())
    (folder / missing).unlink()

    with pytest.raises(EncoderError, match=rf"No sentence encoder in .*: {missing} missing\. Name a folder"):
        await OnnxEncoder.open(folder)


@pytest.mark.parametrize("damaged", ["model.onnx", "tokenizer.json"])
async def test_a_damaged_file_is_named_and_leaves_no_thread(tmp_path: Path, damaged: str) -> None:
    folder = other_encoder(tmp_path, token_model())
    (folder / damaged).write_bytes(b"half a fi")
    before = set(threading.enumerate())

    with pytest.raises(EncoderError, match=damaged):
        await OnnxEncoder.open(folder)

    for thread in set(threading.enumerate()) - before:
        await asyncio.to_thread(thread.join, 5)
        assert not thread.is_alive() or not thread.name.startswith("encoder")


async def test_a_model_for_something_else_is_refused(tmp_path: Path) -> None:
    folder = other_encoder(tmp_path, token_model(first_input="pixels"))

    with pytest.raises(EncoderError, match=r"not a sentence encoder: it asks for .*pixels"):
        await OnnxEncoder.open(folder)


async def test_a_model_without_direction_is_refused(tmp_path: Path) -> None:
    folder = other_encoder(tmp_path, token_model(table=np.zeros((4, 2), np.float32)))

    with pytest.raises(EncoderError, match="no direction"):
        await OnnxEncoder.open(folder)


async def name_of(folder: Path) -> str:
    encoder = await OnnxEncoder.open(folder)
    await encoder.close()
    return encoder.name


def cosines(left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray((left * right).sum(axis=1))


def other_encoder(folder: Path, model: ModelProto) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    save(model, folder / "model.onnx")
    tokenizer = Tokenizer(models.WordLevel(WORDS, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    assert json.loads((folder / "tokenizer.json").read_text())["padding"] is None
    return folder


def token_model(first_input: str = "input_ids", table: NDArray[np.float32] = TABLE) -> ModelProto:
    """A row of the table per token; asks for 32-bit numbers and token types, which it adds as zeros."""
    nodes = [
        helper.make_node("Gather", ["table", first_input], ["rows"]),
        helper.make_node("Cast", ["token_type_ids"], ["types"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["types", "last"], ["column"]),
        helper.make_node("Add", ["rows", "column"], ["last_hidden_state"]),
        helper.make_node("Identity", ["attention_mask"], ["mask_again"]),
    ]
    constants = [numpy_helper.from_array(table, "table"), numpy_helper.from_array(np.array([-1]), "last")]
    inputs = [first_input, "attention_mask", "token_type_ids"]
    outputs = [value("mask_again", TensorProto.INT32, "n", "s"), value("last_hidden_state", 1, "n", "s", 2)]
    return made(nodes, [value(name, TensorProto.INT32, "n", "s") for name in inputs], outputs, constants)


def sentence_model() -> ModelProto:
    """The row of the first word, long as it is, beside those of all words; knows no token types."""
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["last_hidden_state"]),
        helper.make_node("Gather", ["last_hidden_state", "first"], ["sentence_embedding"], axis=1),
        helper.make_node("Identity", ["attention_mask"], ["mask_again"]),
    ]
    constants = [numpy_helper.from_array(TABLE, "table"), numpy_helper.from_array(np.array(0), "first")]
    inputs = [value(name, TensorProto.INT64, "n", "s") for name in ("input_ids", "attention_mask")]
    outputs = [value("last_hidden_state", 1, "n", "s", 2), value("sentence_embedding", 1, "n", 2)]
    return made(nodes, inputs, [*outputs, value("mask_again", TensorProto.INT64, "n", "s")], constants)


def value(name: str, kind: int, *shape: str | int) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def made(
    nodes: Sequence[NodeProto],
    inputs: Sequence[ValueInfoProto],
    outputs: Sequence[ValueInfoProto],
    constants: Sequence[TensorProto],
) -> ModelProto:
    graph = helper.make_graph(nodes, "other", inputs, outputs, constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
