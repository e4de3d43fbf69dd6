from gateway.engine.documents import document_hash
from gateway.engine.execution import Engine, Operation
from gateway.engine.requests import OperationRequest
from gateway.engine.usage import OTHERS, OperationKey, Tally, Usage, merged
from tests.gateway.toy import toy_schema

ENGINE = Engine(toy_schema())
TWO = """query A { toy { ...F } } query B { caller __typename }
         fragment F on Toy { name inner { price ... on Toy { ...G } } } fragment G on Toy { name }"""


def operation(text: str, name: str | None = None) -> Operation:
    return ENGINE.prepare(OperationRequest(text, name))


def test_operations_are_counted_by_document_and_name_with_their_fields() -> None:
    usage = Usage(ENGINE.schema)

    for asked, trusted in (
        (operation(TWO, "A"), True),
        (operation(TWO, "A"), True),
        (operation(TWO, "B"), False),
    ):
        usage.count(asked, trusted=trusted)

    key = document_hash(TWO)
    assert usage.take() == Tally(
        {OperationKey(key, "A"): (2, True), OperationKey(key, "B"): (1, False)},
        {"Query.toy": 2, "Toy.name": 2, "Toy.inner": 2, "Toy.price": 2, "Query.caller": 1},
    )
    assert usage.take() == Tally({}, {})


def test_introspection_is_no_use_of_the_graph() -> None:
    usage = Usage(ENGINE.schema)

    usage.count(operation("{ __schema { types { name } } caller }"), trusted=False)

    assert usage.take().coordinates == {"Query.caller": 1}


def test_more_operations_than_can_be_told_apart_are_counted_together() -> None:
    usage = Usage(ENGINE.schema, most=1)

    for text in ("{ caller }", "{ doubled }", "{ caller }", "{ toy { name } }"):
        usage.count(operation(text), trusted=False)

    assert usage.take() == Tally(
        {OperationKey(document_hash("{ caller }"), ""): (2, False), OTHERS: (2, False)}, {"Query.caller": 2}
    )


def test_a_long_name_is_cut() -> None:
    usage = Usage(ENGINE.schema)

    usage.count(operation("query " + "N" * 1_000 + " { caller }"), trusted=False)

    assert [key.name for key in usage.take().operations] == ["N" * 100]


def test_tallies_add_up() -> None:
    a, b = OperationKey("1", "A"), OperationKey("2", "B")

    assert merged(
        [Tally({a: (1, False)}, {"Q.x": 1}), Tally({a: (2, True), b: (3, False)}, {"Q.x": 2, "Q.y": 1})]
    ) == Tally({a: (3, True), b: (3, False)}, {"Q.x": 3, "Q.y": 1})
