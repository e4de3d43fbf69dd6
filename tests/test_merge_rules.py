"""The page on merging and the tests that it names."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "merge-rules.md").read_text("utf-8")
RULES = re.findall(r"^\| ([^|]+\.) \| `(\w+)` \|$", PAGE, re.MULTILINE)


def decorated() -> dict[str, set[str]]:
    """The names of the decorators of each test."""
    found: dict[str, set[str]] = {}
    folders = (ROOT / "tests" / folder for folder in ("domain/sync", "domain/interchange", "clients"))
    for path in (path for folder in folders for path in folder.glob("test_*.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                called = (d.func if isinstance(d, ast.Call) else d for d in node.decorator_list)
                found[node.name] = {ast.unparse(decorator) for decorator in called}
    return found


def test_every_rule_names_a_test_that_exists() -> None:
    assert len(RULES) > 15
    assert [test for _, test in RULES if test not in decorated()] == []


def test_rules_are_tried_with_random_values() -> None:
    by_example = {test for _, test in RULES if "given" not in decorated()[test]}

    # What is left are lists that only the database makes, and an order of arrival written out.
    assert by_example == {
        "test_a_dropped_title_is_not_gone_on_with_until_it_is_watched_again",
        "test_a_write_that_replaced_what_it_did_not_know_is_noted_whichever_came_first",
    }


def test_every_line_of_the_tables_is_a_rule() -> None:
    lines = [line for line in PAGE.splitlines() if line.startswith("| ") and line != "| rule | test |"]

    assert len(lines) == len(RULES)
