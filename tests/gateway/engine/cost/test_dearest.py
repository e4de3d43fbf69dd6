from gateway.engine.cost.dearest import Dearest, dearest
from tests.gateway.engine.cost.pricing import estimate

SCHEMA = """
type Film {
  title: String
  cast(first: Int): People @listSize(
    slicingArguments: ["first"], sizedFields: ["nodes"], assumedSize: 20, requireOneSlicingArgument: false
  )
  posters: [Poster] @listSize(assumedSize: 30)
}
type Poster { url: String }
type People { nodes: [Person] count: Int @cost(weight: "500") }
type Person { name: String }
type Query {
  films(first: Int): [Film] @listSize(slicingArguments: ["first"])
  film: Film
  count: Int @cost(weight: "9")
}
"""


def test_the_path_leads_to_the_most_expensive_field_and_the_list_is_the_longest_on_it() -> None:
    document = (
        "query ($n: Int) { all: films(first: $n) { cast(first: 50) { nodes { name } } } film { title } }"
    )

    assert dearest(estimate(SCHEMA, document, {"n": 40})) == Dearest(
        path="all.cast.nodes", list_path="all.cast", argument="first", items=50
    )
    assert dearest(estimate(SCHEMA, document, {"n": 60})) == Dearest(
        path="all.cast.nodes", list_path="all", argument="first", items=60
    )


def test_of_two_lists_as_long_it_is_the_inner() -> None:
    document = "{ films(first: 50) { cast(first: 50) { nodes { name } } } }"

    assert dearest(estimate(SCHEMA, document)).list_path == "films.cast"


def test_a_list_that_no_argument_was_given_for_names_the_one_that_can_be() -> None:
    assert dearest(estimate(SCHEMA, "{ film { cast { nodes { name } } } }")) == Dearest(
        path="film.cast.nodes", list_path="film.cast", argument="first", items=20
    )


def test_a_list_without_arguments_is_named_by_its_length_alone() -> None:
    assert dearest(estimate(SCHEMA, "{ film { posters { url } } }")) == Dearest(
        path="film.posters", list_path="film.posters", argument=None, items=30
    )


def test_without_lists_there_is_only_a_path() -> None:
    assert dearest(estimate(SCHEMA, "{ count film { title } }")) == Dearest(
        path="count", list_path=None, argument=None, items=None
    )
