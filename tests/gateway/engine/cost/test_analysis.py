"""Hostile documents: each is analysed in time linear in its text, whatever it would grow to."""

import time
from collections.abc import Callable
from functools import partial

import pytest

from domain.platform.errors import BadInput
from gateway.engine.cost import analysis
from gateway.engine.cost.documents import KEPT_CHOICES, DocumentCosts
from tests.gateway.engine.cost.pricing import cost, costs, estimate

NODES = """
type Node {
  id: ID
  next: Node
  other: Node
  all(first: Int): [Node] @listSize(slicingArguments: ["first"])
}
type Query { node: Node }
"""


def doubling(levels: int) -> str:
    """Each fragment leads to the next by two fields: 2 ** levels fields are executed."""
    fragments = [
        f"fragment F{level} on Node {{ next {{ ...F{level + 1} }} other {{ ...F{level + 1} }} }}"
        for level in range(levels)
    ]
    return f"{{ node {{ ...F0 }} }} {' '.join(fragments)} fragment F{levels} on Node {{ id }}"


def spreading(levels: int) -> str:
    """Each fragment spreads the next twice, which execution does once."""
    fragments = [
        f"fragment F{level} on Node {{ ...F{level + 1} ... on Node {{ ...F{level + 1} }} }}"
        for level in range(levels)
    ]
    return f"{{ node {{ ...F0 }} }} {' '.join(fragments)} fragment F{levels} on Node {{ next {{ id }} }}"


def varied(levels: int) -> str:
    """As `doubling`, with a size that depends on a variable in the innermost."""
    inner = f"fragment F{levels} on Node {{ all(first: $n) {{ id }} }}"
    return "query ($n: Int) " + doubling(levels).replace(f"fragment F{levels} on Node {{ id }}", inner)


def merging(levels: int) -> str:
    """Each level is written three times, and executed once."""
    document = "{ id }"
    for _ in range(levels):
        document = f"{{ next {document} next {{ id }} ... {{ next {{ ...I }} }} }}"
    return f"{{ node {document} }} fragment I on Node {{ id }}"


def analyse(asked: DocumentCosts) -> None:
    asked._made(None).estimate({"n": 5})


def seconds(work: Callable[[], object]) -> float:
    """The least of some."""
    taken = []
    for _ in range(5):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return min(taken)


def test_what_fragments_multiply_is_counted_as_executed() -> None:
    assert cost(NODES, doubling(3)) == 1 + 2 * (1 + 2 + 4 + 8)
    assert cost(NODES, doubling(40)) == 1 + 2 * (2**41 - 1)
    assert cost(NODES, spreading(60)) == 1 + 2 * 2
    assert cost(NODES, merging(10)) == 1 + 2 * 11
    assert cost(NODES, varied(40), n=5) == 1 + 2 * (2**41 - 1) + 2**40 * (1 + 5)


@pytest.mark.parametrize("document", [doubling, spreading, varied, merging])
def test_time_grows_with_the_text_alone(document: Callable[[int], str]) -> None:
    asked = [costs(NODES, document(levels)) for levels in (15, 60)]

    analysing = [seconds(partial(analyse, one)) for one in asked]
    again = [seconds(partial(one.of(None).estimate, {"n": 5})) for one in asked]

    # Four times the text, with room for a busy machine; its execution is 2 ** 45 times as long.
    assert analysing[1] < 40 * analysing[0]
    assert again[1] < 40 * again[0]


def test_a_document_that_is_woven_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analysis, "MAX_SELECTIONS", 6)

    assert cost(NODES, "{ node { a: next { b: next { id } } } }") == 1 + 2 * 3
    with pytest.raises(BadInput, match="too intricate"):
        cost(NODES, "{ node { a: next { b: next { c: next { d: next { e: next { id } } } } } } }")


def test_the_choices_of_what_is_skipped_are_kept_in_a_bounded_number() -> None:
    names = [f"v{number}" for number in range(8)]
    fields = " ".join(f"{name}: node @include(if: ${name}) {{ id }}" for name in names)
    asked = costs(NODES, f"query ({' '.join(f'${name}: Boolean!' for name in names)}) {{ {fields} }}").of(
        None
    )

    for number in range(256):
        choice = {name: bool(number >> place & 1) for place, name in enumerate(names)}
        assert asked.estimate(choice).cost == 1 + 2 * number.bit_count()

    assert len(asked._trees) == KEPT_CHOICES


def test_an_operation_is_analysed_once() -> None:
    asked = costs(NODES, "query ($n: Int) { node { all(first: $n) { id } } }").of(None)

    assert asked.estimate({"n": 1}).tree is asked.estimate({"n": 2}).tree


def test_what_is_known_from_the_document_is_added_up_before() -> None:
    known = estimate(NODES, "{ node { next { id } all(first: 50) { next { id } } } }").tree
    varied = estimate(NODES, "query ($n: Int) { node { next { id } all(first: $n) { id } } }", {"n": 1}).tree

    assert isinstance(known.root.total, float)
    assert len(varied.program.run({"n": 1})) <= 5
