import gc
from collections.abc import Iterator
from time import process_time

import orjson
import pytest
from graphql import get_introspection_query

from domain.platform.errors import BadInput
from gateway.engine.documents import DocumentStore, Rejected
from gateway.engine.errors import ErrorFormatter
from gateway.engine.limits import Excess, Guard, Limit, Limits
from gateway.engine.measure import excesses, measure
from gateway.engine.outline import Outline
from gateway.engine.scan import Size, tokens_of
from tests.gateway.toy import toy_schema


def sizes_of(text: str) -> list[Size]:
    return measure(tokens_of(text, len(text))).sizes


def size_of(text: str) -> Size:
    return sizes_of(text)[0]


def refusal_of(text: str, limits: Limits | None = None) -> BadInput:
    """Why a document is refused: the first of the reasons, as the others are not looked for."""
    try:
        return next(excesses(text, limits or Limits())).refusal()
    except BadInput as refused:
        return refused


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
    operation, fragment = sizes_of("{a{...F}} fragment F on Q{b c d}")

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

    assert list(excesses(text, Limits())) == []
    assert 0 < measure(tokens_of(text, len(text))).largest.introspection_depth <= 20


def test_literals_are_measured_wherever_they_stand() -> None:
    size = size_of("query($v: [I] = [[[1]]] @d(x: [[12345]])) {a(x: {y: [{z: 123}]}) @d(x: [1])}")

    assert (size.literal_depth, size.number_characters) == (3, 5)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{...F} fragment F on Q{a ...F}", "Cannot spread fragment 'F' within itself."),
        (
            "{...F} fragment F on Q{a ...G} fragment G on Q{...H} fragment H on Q{...G}",
            "Cannot spread fragment 'G' within itself via 'H'.",
        ),
        ("{a} fragment F on Q{b{...F}}", "Cannot spread fragment 'F' within itself."),
    ],
)
def test_fragments_in_a_circle_are_refused_by_name(text: str, said: str) -> None:
    assert refusal_of(text).message == said


def test_fragments_that_share_a_third_are_no_circle() -> None:
    text = "{...F ...G} fragment F on Q{...H} fragment G on Q{...H ...F} fragment H on Q{a}"

    assert list(excesses(text, Limits())) == []


def test_a_long_chain_of_fragments_needs_no_recursion() -> None:
    links = "".join(f"fragment F{n} on Q{{a{{...F{n + 1}}}}}" for n in range(3000))

    assert size_of("{...F0}" + links + "fragment F3000 on Q{a}").depth == 3001


def test_repeated_fields_are_those_of_one_selection_set() -> None:
    assert size_of("{a a ... on Q{a} b: a b{a} c{a}}").repeated_fields == 3


@pytest.fixture
def no_collection() -> Iterator[None]:
    """What other tests have left takes longer to go through than what is measured."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collection")
@pytest.mark.parametrize("levels", [18, 40, 59, 90])
def test_fragments_that_spread_exponentially_are_refused_in_five_milliseconds(levels: int) -> None:
    started = process_time()

    refused = refusal_of(spread_bomb(levels))

    assert process_time() - started < 0.005
    assert refused.extensions["limit"] == ("fragments" if levels > 60 else "fields")
    assert orjson.loads(orjson.dumps(refused.extensions))["actual"] <= 1_000_000


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("{" + "a{" * 20 + "b" + "}" * 20 + "}", "depth"),
        ("{" + "a{" + " ".join(f"a{n}: a" for n in range(31)) + "}}", "aliases"),
        ("{" + " ".join(f"a{n}" for n in range(21)) + "}", "root_fields"),
        ("{a" + "@d" * 51 + "}", "directives"),
        ("{a{" + "b " * 60 + "}}", "repeated_fields"),
        ("{...F0}" + "".join(f"fragment F{n} on Q{{a}}" for n in range(61)), "fragments"),
        (" ".join(f"query Q{n} {{a}}" for n in range(21)), "operations"),
        ("{a(x: " + "[" * 17 + "]" * 17 + ")}", "literal_depth"),
        ("{a(x: " + "{y: " * 17 + "1" + "}" * 17 + ")}", "literal_depth"),
        ("{a(x: " + "1" * 10_000 + ")}", "number_characters"),
        ("{a(x: 1e" + "1" * 10_000 + ")}", "number_characters"),
        ("{__schema{" + "types{" * 21 + "name" + "}" * 22 + "}", "introspection_depth"),
    ],
)
def test_each_limit_is_named_in_its_refusal(text: str, limit: str) -> None:
    refused = refusal_of(text)

    assert refused.extensions["limit"] == limit
    assert limit.replace("_", " ") in refused.message


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("{" + "a{" * 14 + "b" + "}" * 14 + "}", Limits(max_depth=15)),
        ("{a" + "{... on Q" * 40 + "{b}" + "}" * 40 + "}", Limits(max_depth=2)),
        ("{a{" + " ".join(f"a{n}: a" for n in range(30)) + "}}", Limits(max_aliases=30)),
        ("{" + " ".join(f"a{n}" for n in range(20)) + "}", Limits(max_root_fields=20)),
        ("{a(x: " + "[" * 16 + "]" * 16 + ")}", Limits(max_literal_depth=16)),
        ("{a(x: [" + "1 " * 1_000 + "])}", Limits(max_list_items=1_000)),
        ("query($v: " + "[" * 30 + "I" + "]" * 30 + ") {a}", Limits(max_literal_depth=1)),
    ],
)
def test_what_reaches_a_limit_is_let_pass(text: str, limits: Limits) -> None:
    assert list(excesses(text, limits)) == []


def test_every_excess_is_found_where_limits_warn() -> None:
    limits = Limits(
        max_tokens=5, max_fields=1, max_aliases=0, warn_only=frozenset({Limit.TOKENS, Limit.FIELDS})
    )

    assert list(excesses("{ a: a b c }", limits)) == [
        Excess(Limit.TOKENS, 5, 7),
        Excess(Limit.FIELDS, 1, 3),
        Excess(Limit.ALIASES, 0, 1),
    ]


def test_text_that_is_too_long_is_refused_unread() -> None:
    assert refusal_of("#" * 100_001).extensions["limit"] == "document_characters"


def test_a_refusal_of_many_tokens_says_that_counting_stopped() -> None:
    refused = refusal_of("{" + "a " * 45_000 + "}")

    assert refused.message.endswith("it has at least 2,001.")


def test_fields_that_do_not_exist_are_named() -> None:
    outline = Outline.of(toy_schema()._schema)
    text = "{ toy { " + " ".join(f"a{n}" for n in range(21)) + " } }"

    with pytest.raises(BadInput, match=r"21 fields .* do not exist, among them 'a0' on type 'Toy', 'a1'"):
        list(excesses(text, Limits(), outline))


def test_strings_and_comments_are_one_token_each() -> None:
    text = '{a(x: "b c {d} \\" e", y: """f "g" { \\""" h""") # i {j}\n}'

    assert len(tokens_of(text, 100)) == 12


@pytest.mark.usefixtures("no_collection")
@pytest.mark.parametrize(
    "text", ['"""' * 33_000, '\\"""' * 24_000, '"' * 99_000, '"\\' * 49_000, "..." * 33_000]
)
def test_counting_tokens_takes_linear_time_whatever_the_text(text: str) -> None:
    started = process_time()

    tokens_of(text, len(text))

    assert process_time() - started < 0.2


HOSTILE = {
    "deep": "{" + "a{" * 990 + "b" + "}" * 991,
    "deep without an end": "{a" * 900,
    "wide": "{" + " ".join(f"a{n}" for n in range(1_990)) + "}",
    "wide below": "{toy{" + " ".join(f"a{n}" for n in range(1_990)) + "}}",
    "wide below nothing": "{x{" + " ".join(f"a{n}" for n in range(1_990)) + "}}",
    "very wide": "{" + "a " * 45_000 + "}",
    "aliased": "{" + " ".join(f"a{n}:toy{{name}}" for n in range(300)) + "}",
    "repeated": "{toy{" + "name " * 1_900 + "}}",
    "cyclic": "{...F0}" + "".join(f"fragment F{n} on Query{{...F{(n + 1) % 55}}}" for n in range(55)),
    "spread": "{" + "...F" * 20_000 + "}fragment F on Query{caller}",
    "long list": "{wish(wish:[" + "1 " * 1_900 + "])}",
    "list without spaces": "{wish(wish:[1" + "-1" * 45_000 + "])}",
    "deep list": "{wish(wish:" + "[" * 900 + "]" * 900 + ")}",
    "directives": "{caller" + "@skip(if:true)" * 300 + "}",
    "long number": "{doubled(number:" + "1" * 99_000 + ")}",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_document_costs_five_milliseconds_before_it_is_refused(kind: str) -> None:
    documents = DocumentStore(toy_schema()._schema, Guard(), ErrorFormatter())
    costs = []
    for attempt in range(3):  # other work on the machine makes single figures larger
        started = process_time()
        with pytest.raises(Rejected):
            documents.prepare(HOSTILE[kind] + f" #{attempt}")
        costs.append(process_time() - started)

    assert min(costs) < 0.005
