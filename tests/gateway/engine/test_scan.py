"""Reading the text must find what a walk over the parsed document finds, for every document that parses."""

from random import Random
from time import process_time

import pytest
from graphql import GraphQLSchema, get_introspection_query, parse, validate

from gateway.engine.measure import measure
from gateway.engine.outline import Outline
from gateway.engine.scan import scan, tokens_of
from schema.graph import graph
from tests.gateway.engine.documents_at_random import Writer
from tests.gateway.engine.walked import walked

ALL = 1 << 31


@pytest.mark.parametrize("seed", range(20))
def test_reading_the_text_finds_what_walking_the_document_finds(seed: int) -> None:
    writer = Writer(Random(seed))

    for text in (writer.document() for _ in range(100)):
        assert scan(tokens_of(text, ALL)).definitions == walked(text), text


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return graph()._schema


@pytest.fixture(scope="module")
def outline(schema: GraphQLSchema) -> Outline:
    return Outline.of(schema)


@pytest.mark.parametrize(
    "text",
    [
        get_introspection_query(
            specified_by_url=True, directive_is_repeatable=True, input_value_deprecation=True
        ),
        "{ _service { sdl } _entities(representations: []) { __typename ... on Movie { id title } } }",
        """{ search(query: "x", first: 1) { nodes { __typename ... on Content { title } ...F } } }
           fragment F on Movie { runtimeSeconds: title }""",
    ],
)
def test_no_field_of_a_valid_document_is_a_stranger(
    schema: GraphQLSchema, outline: Outline, text: str
) -> None:
    assert validate(schema, parse(text)) == []

    assert scan(tokens_of(text, ALL), outline).strangers == 0


def test_fields_that_do_not_exist_are_counted_with_all_below_them(outline: Outline) -> None:
    scanned = scan(tokens_of("{ nope { a b } x: nodes(ids: []) { id nothing } }", ALL), outline)

    assert scanned.strangers == 4
    assert scanned.named_strangers == ["'nope' on type 'Query'", "'a'", "'b'"]


@pytest.mark.parametrize(
    ("text", "count"),
    [("{a...F...F...F}", 9), ("[1-1-1.5-1e-9]", 6), ('{a(x:"""\\""" " """)}', 8), ("{é}", 2)],
)
def test_tokens_that_touch_are_told_apart(text: str, count: int) -> None:
    assert len(tokens_of(text, ALL)) == count


@pytest.mark.parametrize("before", ["", "{a(x:"])
@pytest.mark.parametrize("again", ["{", "[", "(", "...{", "}", ":"])
def test_nonsense_is_read_in_linear_time(before: str, again: str) -> None:
    def seconds(count: int) -> float:
        """The least of some, as others are at work on this machine too."""
        return min(_seconds(before + again * count) for _ in range(5))

    # Eight times as much costs eight times as much, or sixty-four where it is not linear.
    assert seconds(16_000) < 24 * seconds(2_000)


def _seconds(text: str) -> float:
    began = process_time()
    measure(tokens_of(text, ALL))
    return process_time() - began
