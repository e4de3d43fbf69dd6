from time import process_time

import orjson
import pytest
from graphql import get_introspection_query, parse

from domain.platform.errors import BadInput
from gateway.engine.limits import Limits
from gateway.engine.measure import Size, measure, refuse_large_document, refuse_long_text


def size_of(text: str) -> Size:
    return measure(parse(text))[0]


def spread_bomb(levels: int) -> str:
    """2 ** levels spreads, in some 40 bytes a level."""
    fragments = [f"fragment F{n} on Q{{...F{n + 1} ...F{n + 1}}}" for n in range(levels)]
    return "{...F0}" + "".join(fragments) + f"fragment F{levels} on Q{{a}}"


def test_fields_are_counted_as_often_as_their_fragment_is_spread() -> None:
    size = size_of("{a{...F} b{...F ... on Q{...F}}} fragment F on Q{x y: z @skip(if: true)}")

    assert (size.fields, size.aliases, size.directives, size.root_fields) == (8, 3, 3, 2)


def test_depth_goes_through_fragments() -> None:
    assert size_of("{a{...F}} fragment F on Q{b{...G}} fragment G on Q{c{d}}").depth == 4


def test_root_fields_in_fragments_count_as_root_fields() -> None:
    assert size_of("{a ...F ... on Q{b}} fragment F on Q{c d{e}}").root_fields == 4


def test_fields_of_a_fragment_below_the_root_are_no_root_fields() -> None:
    operation, fragment = measure(parse("{a{...F}} fragment F on Q{b c d}"))

    assert operation.root_fields == 1
    assert fragment.root_fields == 0


def test_introspection_has_a_depth_of_its_own() -> None:
    size = size_of(
        "{a{b} ...S} fragment S on Q{__schema{types{...T}}} fragment T on __Type{ofType{ofType{name}}}"
    )

    assert (size.depth, size.introspection_depth) == (2, 5)


def test_the_introspection_query_of_tools_stays_within_the_limits() -> None:
    text = get_introspection_query(
        specified_by_url=True, directive_is_repeatable=True, schema_description=True
    )

    refuse_long_text(text, Limits())
    refuse_large_document(parse(text), Limits())

    sizes = measure(parse(text))
    assert 0 < max(size.introspection_depth for size in sizes) <= Limits().max_introspection_depth


def test_literals_are_measured_wherever_they_stand() -> None:
    size = size_of("query($v: [I] = [[[1]]] @d(x: [[12345]])) {a(x: {y: [{z: 123}]}) @d(x: [1])}")

    assert (size.literal_depth, size.number_characters) == (3, 5)


def test_a_cycle_of_fragments_is_counted_once_and_left_to_validation() -> None:
    size = size_of("{...F} fragment F on Q{a ...G} fragment G on Q{b ...F}")

    assert size.fields == 2


def test_a_long_chain_of_fragments_needs_no_recursion() -> None:
    links = "".join(f"fragment F{n} on Q{{a{{...F{n + 1}}}}}" for n in range(3000))

    assert size_of("{...F0}" + links + "fragment F3000 on Q{a}").depth == 3001


def test_repeated_fields_are_those_of_one_selection_set() -> None:
    assert size_of("{a a ... on Q{a} b: a b{a} c{a}}").repeated_fields == 3


@pytest.mark.parametrize("levels", [18, 40, 59, 90])
def test_fragments_that_spread_exponentially_are_refused_in_five_milliseconds(levels: int) -> None:
    document = parse(spread_bomb(levels))
    started = process_time()

    with pytest.raises(BadInput) as refused:
        refuse_large_document(document, Limits())

    assert process_time() - started < 0.005
    assert refused.value.extensions["limit"] == ("fragments" if levels > 60 else "fields")
    assert orjson.loads(orjson.dumps(refused.value.extensions))["actual"] <= 1_000_000


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("{" + "a{" * 20 + "b" + "}" * 20 + "}", "depth"),
        ("{" + "a{" + " ".join(f"a{n}: a" for n in range(31)) + "}}", "aliases"),
        ("{" + " ".join(f"a{n}" for n in range(21)) + "}", "root fields"),
        ("{a" + "@d" * 51 + "}", "directives"),
        ("{a{" + "b " * 60 + "}}", "repeated fields"),
        ("{...F0}" + "".join(f"fragment F{n} on Q{{a}}" for n in range(61)), "fragments"),
        (" ".join(f"query Q{n} {{a}}" for n in range(21)), "operations"),
        ("{a(x: " + "[" * 17 + "]" * 17 + ")}", "literal depth"),
        ("{a(x: " + "{y: " * 17 + "1" + "}" * 17 + ")}", "literal depth"),
        ("{a(x: " + "1" * 10_000 + ")}", "characters of a number"),
        ("{a(x: 1e" + "1" * 10_000 + ")}", "characters of a number"),
        ("{__schema{" + "types{" * 21 + "name" + "}" * 22 + "}", "introspection depth"),
    ],
)
def test_each_limit_is_named_in_its_refusal(text: str, limit: str) -> None:
    with pytest.raises(BadInput) as refused:
        refuse_large_document(parse(text), Limits())

    assert refused.value.extensions["limit"] == limit
    assert limit in refused.value.message


def test_text_with_too_many_tokens_is_refused_without_parsing() -> None:
    text = "{" + "a " * 45_000 + "}"
    started = process_time()

    with pytest.raises(BadInput) as refused:
        refuse_long_text(text, Limits())

    assert process_time() - started < 0.005
    assert refused.value.extensions["limit"] == "tokens"


def test_text_that_is_too_long_is_refused_unread() -> None:
    with pytest.raises(BadInput) as refused:
        refuse_long_text("#" * 100_001, Limits())

    assert refused.value.extensions["limit"] == "document characters"


@pytest.mark.parametrize(
    "text", ['"""' * 33_000, '\\"""' * 24_000, '"' * 99_000, '"\\' * 49_000, "..." * 33_000]
)
def test_counting_tokens_takes_linear_time_whatever_the_text(text: str) -> None:
    started = process_time()

    refuse_long_text(text, Limits(max_tokens=10**6, max_document_characters=10**6))

    assert process_time() - started < 0.2


def test_strings_and_comments_are_one_token_each() -> None:
    text = '{a(x: "b c {d} \\" e", y: """f "g" { \\""" h""") # i {j}\n}'

    refuse_long_text(text, Limits(max_tokens=12))
    with pytest.raises(BadInput):
        refuse_long_text(text, Limits(max_tokens=11))
