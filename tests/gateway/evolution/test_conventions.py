"""Each convention has a schema that keeps it and one that does not."""

import pytest
from graphql import build_schema

from gateway.evolution.conventions import RULES, breaches
from schema.exceptions import EXCEPTIONS
from schema.graph import graph
from schema.printing import printed

SOME = "type Query { a: Int }"
KEY = "directive @key(fields: String!, resolvable: Boolean) on OBJECT interface Node { id: ID! }"
FILM = "type Query { films: FilmConnection! } type Film { a: Int } type PageInfo { more: Boolean }"

KEPT = {
    "type-names": "type Query { a: Film2 } type Film2 { a: Int }",
    "field-names": "type Query { aB2(cD: Int): Int } input I { eF: Int }",
    "enum-values": "enum E { A A_B A1_B2 } type Query { e: E }",
    "descriptions": '"All." type Query { "One." a("Two." b: I): E } "Three." input I { "Four." c: Int } '
    '"Five." enum E { "Six." A }',
    "sentences": '"All." type Query { "Why?" a: Int "As `that`" b: Int "" c: Int }',
    "deprecations": """type Query { a(b: Int @deprecated(reason: "Use `c`."), c: Int): Int
      old: Int @deprecated(reason: "It is slow: use `Other.fast` or `a`.") o: Other }
      type Other { fast: Int }""",
    "times": "scalar DateTime type Query { addedAt: DateTime! availableFrom: DateTime heldUntil: DateTime }",
    "lengths": "type Query { runtimeSeconds: Int! at(seconds: Int): Int }",
    "ids": """type Query { id: ID! of(deviceId: ID!, ids: [ID!]!): Int by(by: By): Int externalIds: More }
      type More { a: Int } directive @oneOf on INPUT_OBJECT input By @oneOf { id: ID slug: String }""",
    "addresses": "scalar URL type Query { url: URL! imageUrl: URL curl: String }",
    "list-items": "type Query { a(b: [Int!]): [[Int!]!]! c: Int }",
    "lists": "type Query { a(b: [Int!]): [Int!]! } input I { c: [Int!] }",
    "connections": f"""{FILM} type FilmEdge {{ node: Film! cursor: String! }}
      type FilmConnection {{ edges: [FilmEdge!]! nodes: [Film!]! pageInfo: PageInfo!
        totalCount: Int took: Float }}""",
    "paging": """type Query { a(first: Int, after: String, by: Int): FilmConnection!
      b(first: Int, after: String, last: Int, before: String): FilmConnection! }
      type FilmConnection { a: Int } type Subscription { changes(after: String): Int }""",
    "entities": f"""{KEY} type Query {{ n: Node }} type Value {{ a: Int }}
      type Film implements Node @key(fields: "id", resolvable: true) {{ id: ID! }}""",
    "mutation-inputs": f"{SOME} type Mutation {{ add(input: AddInput!): Int }} input AddInput {{ a: Int }}",
    "mutation-payloads": f"""{SOME} type Mutation {{ add(input: Int): AddPayload! }}
      type AddPayload {{ film: Film removed: Boolean! userErrors: [UserError!]! }}
      type Film {{ a: Int }} type UserError {{ a: Int }}""",
    "unused-types": """directive @d(e: D) on OBJECT enum D { A }
      type Query { u: U n: Node a(i: I): E } union U = A | B type A { a: Int }
      type B { a: Int } interface Node { id: ID! } type Film implements Node { id: ID! }
      input I { j: J } input J { a: Int } enum E { A }""",
}
BROKEN = {
    "type-names": ("type Query { a: film_list } type film_list { a: Int }", ["film_list"]),
    "field-names": (
        "type Query { a_b(C: Int): Int } input I { D: Int }",
        ["Query.a_b", "Query.a_b(C:)", "I.D"],
    ),
    "enum-values": ("enum E { a A__B Ab } type Query { e: E }", ["E.a", "E.A__B", "E.Ab"]),
    "descriptions": (
        'type Query { "One." a(b: I): E } "I." input I { c: Int } "E." enum E { A }',
        ["Query", "Query.a(b:)", "I.c", "E.A"],
    ),
    "sentences": ('"All" type Query { "Every one, that is" a: Int }', ["Query", "Query.a"]),
    "deprecations": (
        """type Query { a(b: Int @deprecated(reason: "Use `d`."), c: Int): Int
          old: Int @deprecated older: Int @deprecated(reason: "It is old.")
          oldest: Int @deprecated(reason: "Use `Query.gone`.") }""",
        ["Query.a(b:)", "Query.old", "Query.older", "Query.oldest"],
    ),
    "times": (
        "scalar DateTime type Query { addedAt: String start: DateTime at(from: DateTime): Int }",
        ["Query.addedAt", "Query.start", "Query.at(from:)"],
    ),
    "lengths": (
        "type Query { runtimeSeconds: Float tookMs: Int at(startMinutes: Int): Int }",
        ["Query.runtimeSeconds", "Query.tookMs", "Query.at(startMinutes:)"],
    ),
    "ids": (
        """type Query { id: ID of(deviceId: String!, ids: [ID]): Int contentIds: [Int!]! }
          input I { id: Int! }""",
        ["Query.id", "Query.of(deviceId:)", "Query.of(ids:)", "Query.contentIds", "I.id"],
    ),
    "addresses": ("type Query { url: String! imageUrl: String }", ["Query.url", "Query.imageUrl"]),
    "list-items": (
        "type Query { a(b: [Int]): [[Int]!]! } input I { c: [Int]! }",
        ["Query.a", "Query.a(b:)", "I.c"],
    ),
    "lists": ("type Query { a: [Int!] }", ["Query.a"]),
    "connections": (
        f"""{FILM} type FilmEdge {{ node: Film cursor: Int! }}
          type FilmConnection {{ edges: [FilmEdge]! nodes: [Film!] pageInfo: PageInfo totalCount: Float }}""",
        ["FilmEdge", "FilmEdge", *["FilmConnection"] * 4],
    ),
    "paging": (
        """type Query { a(first: Int): FilmConnection! c(first: Int, after: String): FilmConnection
          b(first: Int, after: String, last: Int): FilmConnection! d(first: Int): [Int!]! }
          type FilmConnection { a: Int }""",
        ["Query.a", "Query.b", "Query.c", "Query.d"],
    ),
    "entities": (
        f"""{KEY} type Query {{ n: Node }} type Value @key(fields: "id") {{ id: ID! }}
          type Film implements Node @key(fields: "id slug") {{ id: ID! }}
          type Show implements Node {{ id: ID! }}""",
        ["Value", "Film", "Show"],
    ),
    "mutation-inputs": (
        f"""{SOME} type Mutation {{ a(input: AInput): Int b(input: BInput!, c: Int): Int d(input: Int!): Int
          e: Int f(with: AInput!): Int g(input: Add!): Int }}
          input AInput {{ a: Int }} input BInput {{ a: Int }} input Add {{ a: Int }}""",
        [f"Mutation.{name}" for name in "abdefg"],
    ),
    "mutation-payloads": (
        f"""{SOME} type Mutation {{ a: APayload b: Int! c: APayload! d: BPayload! }}
          type UserError {{ a: Int }} type APayload {{ userErrors: [UserError!] }}
          type BPayload {{ film: Film! userErrors: [UserError!]! }} type Film {{ a: Int }}""",
        ["Mutation.a", "Mutation.b", "APayload", "BPayload.film"],
    ),
    "unused-types": (
        f"{SOME} type T {{ u: U }} union U = T input I {{ i: I }} enum E {{ A }} scalar S union _Entity = T",
        ["T", "U", "I", "E", "S"],
    ),
}


def departures(rule: str, sdl: str) -> list[str]:
    return [departure.coordinate for departure in RULES[rule](build_schema(sdl))]


@pytest.mark.parametrize("rule", RULES)
def test_a_schema_that_keeps_the_convention_is_left_alone(rule: str) -> None:
    assert departures(rule, KEPT[rule]) == []


@pytest.mark.parametrize("rule", RULES)
def test_what_departs_from_the_convention_is_named(rule: str) -> None:
    sdl, coordinates = BROKEN[rule]

    assert sorted(departures(rule, sdl)) == sorted(coordinates)


ODD = build_schema('"All." type Query { "One." a: [Int] "Two." b: [Int] }')


def test_a_breach_names_the_place_and_the_rule() -> None:
    found = [str(breach) for breach in breaches(ODD, {}) if breach.rule == "list-items"]

    assert found == [
        "Query.a: lists have no gaps: [T!], not [Int] [list-items]",
        "Query.b: lists have no gaps: [T!], not [Int] [list-items]",
    ]


def test_an_exception_needs_a_reason_and_holds_for_one_place() -> None:
    exceptions = {("list-items", "Query.a"): "gaps are meant", ("list-items", "Query.b"): " "}

    found = [(breach.rule, breach.coordinate) for breach in breaches(ODD, exceptions)]

    assert ("list-items", "Query.a") not in found
    assert {("list-items", "Query.b"), ("lists", "Query.a")} <= set(found)


def test_an_exception_that_nothing_needs_is_told() -> None:
    found = [str(breach) for breach in breaches(ODD, {("lengths", "Query.c"): "a reason"})]

    assert "Query.c: it keeps the rule: remove its exception [lengths]" in found


def test_this_graph_keeps_its_conventions() -> None:
    assert [str(breach) for breach in breaches(build_schema(printed(graph())), EXCEPTIONS)] == []
