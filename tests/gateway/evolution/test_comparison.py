"""What a change means, told by the coordinate whose users notice it."""

import pytest
from graphql.utilities import BreakingChangeType, find_schema_changes

from gateway.evolution.comparison import compare
from gateway.evolution.elements import noticed
from gateway.evolution.model import Change, Level
from gateway.evolution.source import Unreadable, source

BREAKING = {
    "TYPE_REMOVED": ("type Query { a: Int } type Gone { a: Int }", "type Query { a: Int }", "Gone"),
    "TYPE_CHANGED_KIND": (
        "type Query { a: Kind } type Kind { a: Int }",
        "type Query { a: Kind } interface Kind { a: Int }",
        "Kind",
    ),
    "TYPE_REMOVED_FROM_UNION": (
        "type Query { a: U b: B } union U = A | B type A { a: Int } type B { a: Int }",
        "type Query { a: U b: B } union U = A type A { a: Int } type B { a: Int }",
        "U",
    ),
    "VALUE_REMOVED_FROM_ENUM": (
        "type Query { a: E } enum E { A B }",
        "type Query { a: E } enum E { A }",
        "E.B",
    ),
    "REQUIRED_INPUT_FIELD_ADDED": (
        "type Query { a(i: I): Int } input I { a: Int }",
        "type Query { a(i: I): Int } input I { a: Int b: Int! }",
        "I",
    ),
    "IMPLEMENTED_INTERFACE_REMOVED": (
        "type Query { a: A n: N } interface N { a: Int } type A implements N { a: Int }",
        "type Query { a: A n: N } interface N { a: Int } type A { a: Int }",
        "A",
    ),
    "FIELD_REMOVED": ("type Query { a: Int b: Int }", "type Query { a: Int }", "Query.b"),
    "FIELD_CHANGED_KIND": ("type Query { a: Int! }", "type Query { a: Int }", "Query.a"),
    "REQUIRED_ARG_ADDED": ("type Query { a: Int }", "type Query { a(b: Int!): Int }", "Query.a"),
    "ARG_REMOVED": ("type Query { a(b: Int): Int }", "type Query { a: Int }", "Query.a(b:)"),
    "ARG_CHANGED_KIND": ("type Query { a(b: Int): Int }", "type Query { a(b: Int!): Int }", "Query.a(b:)"),
    "DIRECTIVE_REMOVED": ("type Query { a: Int } directive @d on FIELD", "type Query { a: Int }", "@d"),
    "DIRECTIVE_ARG_REMOVED": (
        "type Query { a: Int } directive @d(a: Int) on FIELD",
        "type Query { a: Int } directive @d on FIELD",
        "@d(a:)",
    ),
    "REQUIRED_DIRECTIVE_ARG_ADDED": (
        "type Query { a: Int } directive @d on FIELD",
        "type Query { a: Int } directive @d(a: Int!) on FIELD",
        "@d",
    ),
    "DIRECTIVE_REPEATABLE_REMOVED": (
        "type Query { a: Int } directive @d repeatable on FIELD",
        "type Query { a: Int } directive @d on FIELD",
        "@d",
    ),
    "DIRECTIVE_LOCATION_REMOVED": (
        "type Query { a: Int } directive @d on FIELD | QUERY",
        "type Query { a: Int } directive @d on QUERY",
        "@d",
    ),
}


def changes(old: str, new: str, used: set[str] | None = None) -> list[Change]:
    return compare(source(old, "old"), source(new, "new"), used)


def levels(old: str, new: str, used: set[str] | None = None) -> list[tuple[str, str]]:
    return [(change.level.value, change.message) for change in changes(old, new, used)]


@pytest.mark.parametrize("kind", BreakingChangeType)
def test_each_kind_of_breaking_change_is_noticed_where_it_is_used(kind: BreakingChangeType) -> None:
    old, new, coordinate = BREAKING[kind.name]

    found = find_schema_changes(source(old, "old").schema, source(new, "new").schema)

    assert [noticed(change) for change in found if change.type is kind] == [coordinate]
    assert Level.BREAKING in {change.level for change in changes(old, new)}
    assert Level.BREAKING in {change.level for change in changes(old, new, {coordinate})}
    assert Level.BREAKING not in {change.level for change in changes(old, new, set())}


def test_changes_come_with_the_worst_first() -> None:
    old = "type Query { a: Int b: E } enum E { A }"
    new = "type Query { b: E c: Int } enum E { A B }"

    assert levels(old, new) == [
        ("breaking", "Field Query.a was removed."),
        ("dangerous", "Enum value E.B was added."),
        ("safe", "Field Query.c was added."),
    ]


def test_what_nobody_uses_breaks_nobody() -> None:
    old, new = "type Query { a: Int b: Int c: Int }", "type Query { c: Int }"

    assert levels(old, new, {"Query", "Query.a"}) == [
        ("breaking", "Field Query.a was removed."),
        ("unused", "Field Query.b was removed."),
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "type Query { a(b: Int! = 1): Int }",
            "type Query { a(b: Int!): Int }",
            "Query.a(b:) defaultValue was removed, and it is required now.",
        ),
        (
            "type Query { a(i: I): Int } input I { b: Int! = 1 }",
            "type Query { a(i: I): Int } input I { b: Int! }",
            "I.b defaultValue was removed, and it is required now.",
        ),
    ],
)
def test_a_default_that_is_taken_from_what_must_be_given_breaks(old: str, new: str, message: str) -> None:
    assert levels(old, new) == [("breaking", message)]


def test_a_default_that_is_taken_from_what_may_be_missing_is_dangerous() -> None:
    old, new = "type Query { a(b: Int = 1): Int }", "type Query { a(b: Int): Int }"

    assert levels(old, new) == [("dangerous", "Query.a(b:) defaultValue was removed.")]


def test_the_entities_that_routers_ask_for_are_in_nobodys_count() -> None:
    old, new = "type Query { a: Int _entities: Int }", "type Query { a: Int }"

    assert levels(old, new, set()) == [("breaking", "Field Query._entities was removed.")]


def test_a_new_description_is_told_in_one_short_line() -> None:
    description = "long\nword " * 100

    (change,) = changes("type Query { a: Int }", f'type Query {{ """{description}""" a: Int }}')

    assert change.level is Level.SAFE
    assert change.message.startswith('Description of field Query.a has changed to "long word')
    assert len(change.message) < 210


DIRECTIVES = [
    ("", '@deprecated(reason: "Use `b`.")', "safe", '@deprecated(reason: "Use `b`.") was added to Query.a.'),
    ('@deprecated(reason: "x")', "", "safe", '@deprecated(reason: "x") was removed from Query.a.'),
    (
        '@deprecated(reason: "x")',
        '@deprecated(reason: "y")',
        "safe",
        '@deprecated(reason: "x") of Query.a became @deprecated(reason: "y").',
    ),
    ("", "@shareable", "safe", "@shareable was added to Query.a."),
    ("@shareable", "", "breaking", "@shareable was removed from Query.a."),
    ("", "@inaccessible", "breaking", "@inaccessible was added to Query.a."),
    ("", "@authenticated", "dangerous", "@authenticated was added to Query.a."),
    (
        "@cost(weight: 1)",
        "@cost(weight: 9)",
        "dangerous",
        "@cost(weight: 1) of Query.a became @cost(weight: 9).",
    ),
    ('@tag(name: "x")', "", "safe", '@tag(name: "x") was removed from Query.a.'),
    ("@cacheControl(maxAge: 5)", "", "safe", "@cacheControl(maxAge: 5) was removed from Query.a."),
    ("", "@unheardOf", "dangerous", "@unheardOf was added to Query.a."),
]


@pytest.mark.parametrize(("before", "after", "level", "message"), DIRECTIVES)
def test_directives_of_an_element_are_compared(before: str, after: str, level: str, message: str) -> None:
    assert levels(f"type Query {{ a: Int {before} }}", f"type Query {{ a: Int {after} }}") == [
        (level, message)
    ]


def test_directives_are_compared_wherever_they_stand() -> None:
    old = """schema { query: Query } type Query { a(b: Int): E c(i: I): Int }
      enum E { A } input I { d: Int } type T @key(fields: "id") { id: ID! }"""
    new = """schema @link(url: "x") { query: Query } type Query { a(b: Int @tag(name: "1")): E c(i: I): Int }
      enum E @tag(name: "2") { A @tag(name: "3") } input I @oneOf { d: Int @tag(name: "4") }
      type T { id: ID! }"""

    assert levels(old, new) == [
        ("breaking", '@key(fields: "id") was removed from T.'),
        ("breaking", "@oneOf was added to I."),
        ("dangerous", '@link(url: "x") was added to the schema.'),
        ("safe", '@tag(name: "1") was added to Query.a(b:).'),
        ("safe", '@tag(name: "2") was added to E.'),
        ("safe", '@tag(name: "3") was added to E.A.'),
        ("safe", '@tag(name: "4") was added to I.d.'),
    ]


def test_what_only_routers_notice_counts_whoever_the_clients_are() -> None:
    old = 'type Query { t: T } type T @key(fields: "id") { id: ID! } input I { a: Int }'
    new = "type Query { t: T } type T { id: ID! } input I @oneOf { a: Int }"

    assert levels(old, new, set()) == [
        ("breaking", '@key(fields: "id") was removed from T.'),
        ("unused", "@oneOf was added to I."),
    ]


def test_the_order_of_directives_and_repeated_ones_do_not_matter() -> None:
    old = 'type Query { a: Int @tag(name: "x") @shareable @tag(name: "y") }'
    new = 'type Query { a: Int @tag(name: "y") @tag(name: "x") @shareable }'

    assert levels(old, new) == []


def test_definitions_that_only_tools_read_are_safe_or_not_told() -> None:
    old = """type Query { a: Int } directive @key(fields: federation__FieldSet!) on OBJECT
      scalar federation__FieldSet scalar link__Import directive @cost(weight: Int!) on FIELD_DEFINITION"""
    new = "type Query { a: Int }"

    assert levels(old, new) == [
        ("safe", "Directive @cost was removed."),
        ("safe", "Directive @key was removed."),
    ]


def test_a_schema_may_apply_directives_that_it_does_not_define() -> None:
    assert levels("type Query { a: Int @shareable }", "type Query { a: Int @shareable }") == []


@pytest.mark.parametrize(
    ("sdl", "said"),
    [
        ("type Query {", r"old\.graphql is no GraphQL schema: Syntax Error: .* \(line 1\)"),
        ("type Query { a: Nothing }", r"old\.graphql is no whole GraphQL schema: .* Unknown type: 'Nothing'"),
        ("{ a }", r"old\.graphql is no GraphQL schema: it has no type Query\."),
        ("", r"old\.graphql is no GraphQL schema: Syntax Error"),
    ],
)
def test_what_is_no_schema_is_told_by_its_name(sdl: str, said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        source(sdl, "old.graphql")
