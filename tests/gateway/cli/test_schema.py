"""`media-gateway schema`, `schema check` and `schema lint` as they are typed."""

import json
from pathlib import Path

import pytest

from schema.graph import graph
from schema.printing import printed
from tests.gateway.cli.conftest import Command

NOW = 'type Query { "Kept." kept: Int! "New." fresh: Int }'


@pytest.fixture
def before(tmp_path: Path) -> Path:
    """A file that a test writes the older schema into."""
    return tmp_path / "before.graphql"


@pytest.fixture
def small(environment: pytest.MonkeyPatch) -> None:
    """A schema of a few fields in place of the graph's."""
    environment.setattr("schema.printing.printed", lambda _graph: NOW)


def test_schema_prints_the_graph_or_one_context_of_it(command: Command) -> None:
    assert command("schema").stdout == printed(graph())
    assert command("schema", "--subgraph", "sync").stdout == printed(graph(subgraph="sync"))


def test_the_graph_is_unchanged_against_itself(command: Command, before: Path) -> None:
    before.write_text(command("schema").stdout)

    shown = command("schema", "check", "--against", str(before))

    assert (shown.exit_code, shown.stdout) == (0, "No changes.\n")


def test_a_subgraph_is_compared_with_its_own_past(command: Command, before: Path) -> None:
    before.write_text(command("schema", "--subgraph", "sync").stdout)

    same = command("schema", "check", "--against", str(before), "--subgraph", "sync")
    other = command("schema", "check", "--against", str(before), "--subgraph", "identity")

    assert (same.exit_code, same.stdout) == (0, "No changes.\n")
    assert other.exit_code == 1


@pytest.mark.usefixtures("small")
def test_changes_are_shown_in_groups_and_breaking_ones_fail(command: Command, before: Path) -> None:
    before.write_text('type Query { "Kept." kept(how: Int): Int! gone: E } enum E { A }')

    shown = command("schema", "check", "--against", str(before))

    assert shown.exit_code == 1
    assert shown.stdout.splitlines() == [
        "Breaking (3)",
        "  Argument Query.kept(how:) was removed.",
        "  E was removed.",
        "  Field Query.gone was removed.",
        "Safe (1)",
        "  Field Query.fresh was added.",
    ]


@pytest.mark.usefixtures("small")
def test_dangerous_changes_alone_do_not_fail(command: Command, before: Path) -> None:
    before.write_text('type Query { "Kept." kept: Int! @cost(weight: 1) "New." fresh: Int }')

    shown = command("schema", "check", "--against", str(before))

    assert shown.exit_code == 0
    assert shown.stdout == "Dangerous (1)\n  @cost(weight: 1) was removed from Query.kept.\n"


@pytest.mark.usefixtures("small")
def test_with_a_usage_file_only_what_clients_use_breaks(
    command: Command, before: Path, tmp_path: Path
) -> None:
    before.write_text('type Query { "Kept." kept: Int! "New." fresh: Int gone: Int }')
    usage = tmp_path / "usage.json"

    usage.write_text(json.dumps({"coordinates": {"Query.kept": 9, "Query.gone": 0}}))
    unused = command("schema", "check", "--against", str(before), "--usage", str(usage))
    usage.write_text(json.dumps(["{ gone }"]))
    used = command("schema", "check", "--against", str(before), "--usage", str(usage))

    assert unused.exit_code == 0
    assert unused.stdout == "Breaking, but not for what clients use (1)\n  Field Query.gone was removed.\n"
    assert used.exit_code == 1
    assert used.stdout == "Breaking (1)\n  Field Query.gone was removed.\n"


def test_what_cannot_be_read_is_wrong_use_and_said_in_one_line(
    command: Command, before: Path, tmp_path: Path
) -> None:
    before.write_text(command("schema").stdout)
    broken = tmp_path / "broken"
    broken.write_text("type Query {")

    for words, said in (
        (("--against", str(tmp_path / "none")), "none cannot be read: No such file or directory"),
        (("--against", str(tmp_path)), "cannot be read: Is a directory"),
        (("--against", str(broken)), "broken is no GraphQL schema: Syntax Error"),
        (("--against", str(before), "--usage", str(broken)), "broken is no usage file"),
        ((), "Missing option '--against'"),
        (("--against", str(before), "more"), "unexpected extra argument"),
    ):
        shown = command("schema", "check", *words)
        assert (shown.exit_code, shown.stdout) == (2, "")
        assert said in shown.stderr
        assert shown.stderr.count("\n") == 1


def test_the_subgraph_to_compare_is_named_behind_the_command(command: Command, before: Path) -> None:
    shown = command("schema", "--subgraph", "sync", "check", "--against", str(before))

    assert shown.exit_code == 2
    assert "schema check --subgraph NAME" in shown.stderr


def test_lint_is_silent_where_every_convention_is_kept(command: Command) -> None:
    shown = command("schema", "lint")

    assert (shown.exit_code, shown.stdout) == (0, "")


def test_lint_names_what_departs_and_fails(command: Command, environment: pytest.MonkeyPatch) -> None:
    environment.setattr("schema.printing.printed", lambda _graph: '"All." type Query { "One." a: [Int!] }')
    environment.setattr("schema.exceptions.EXCEPTIONS", {})

    shown = command("schema", "lint")

    assert shown.exit_code == 1
    assert shown.stdout == "Query.a: an empty list says that there is nothing: [Int!]! [lists]\n"
