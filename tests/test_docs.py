"""What the pages say exists, and what exists they say."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from prometheus_client import generate_latest
from strawberry.schema.schema_converter import GraphQLCoreConverter

from domain.catalog.cached import LIST_SECONDS, NAME_SECONDS, OFFER_SECONDS, PERSON_SECONDS, WORK_SECONDS
from domain.catalog.changes import LOOK_EVERY_SECONDS
from domain.platform.cache import Cache
from domain.platform.errors import ErrorCode, GatewayError, UserErrorCode
from gateway.engine.errors import ErrorFormatter
from gateway.engine.trusted import DocumentsMode
from gateway.metrics import Metrics
from gateway.routes.replies import STATUSES
from gateway.services import sharing_of
from gateway.settings import PREFIX, Settings
from schema.caching import CacheControl, CacheControlScope
from tests.schema.test_caching import SCHEMA, has_hints, hint

DOCS = Path(__file__).parents[1] / "docs"
ERRORS = (DOCS / "errors.md").read_text("utf-8")


def section(heading: str) -> str:
    found = re.search(rf"^## {heading}$(.*?)(?=^##? |\Z)", ERRORS, re.MULTILINE | re.DOTALL)
    assert found is not None, f"docs/errors.md has no heading {heading}"
    return found[1]


def slug(heading: str) -> str:
    """As sites that show Markdown make it."""
    return heading.lower().replace(" ", "-")


@pytest.mark.parametrize("code", ErrorCode)
def test_each_code_says_when_it_comes_and_what_to_do(code: ErrorCode) -> None:
    text = section(code)

    assert all(part in text for part in ("When: ", "HTTP status: ", "What to do: "))
    example = orjson.loads(re.findall(r"```json\n(.*?)```", text, re.DOTALL)[0])
    assert example["extensions"]["code"] == code
    status = STATUSES.get(code, 400)
    assert f"HTTP status: {status}" in text


@pytest.mark.parametrize("code", ErrorCode)
def test_an_error_links_to_its_heading(code: ErrorCode) -> None:
    section(code)
    formatter = ErrorFormatter(docs_url="https://docs.example.org/errors.md")
    error = GatewayError("Sorry.")
    error.code = code

    link = formatter.of_exception(error)["extensions"]["docs"]

    assert link == f"https://docs.example.org/errors.md#{slug(code)}"


@pytest.mark.parametrize("code", UserErrorCode)
def test_each_user_error_says_when_it_comes_and_what_to_do(code: UserErrorCode) -> None:
    text = section(f"User error {code}")

    assert "When: " in text
    assert "What to do: " in text


def test_no_heading_is_of_a_code_that_does_not_exist() -> None:
    headings = set(re.findall(r"^## (.+)$", ERRORS, re.MULTILINE))

    assert headings == {*ErrorCode, *(f"User error {code}" for code in UserErrorCode)}


def test_the_settings_that_pages_name_exist() -> None:
    named = {
        name
        for page in DOCS.glob("*.md")
        for name in re.findall(rf"{PREFIX}([A-Z_]+)(?![A-Z_…])", page.read_text("utf-8"))
    }

    assert {name for name in named if name != "MAX_"} - {
        name.upper() for name in Settings.model_fields
    } == set()


def test_every_mode_of_documents_is_explained() -> None:
    text = (DOCS / "documents.md").read_text("utf-8")

    assert all(f"| `{mode}`" in text for mode in DocumentsMode)


CACHING = (DOCS / "caching.md").read_text("utf-8")


def bound(given: CacheControl) -> tuple[str, str]:
    """How the page writes a hint."""
    if given.inherit_max_age is True:
        return "as what holds it", "as what holds it"
    private = given.scope is CacheControlScope.PRIVATE
    return str(given.max_age), "the caller" if private else "everybody"


def test_the_page_on_caching_says_how_old_each_type_and_field_may_be() -> None:
    rows = re.findall(
        r"^\| ([^|]+) \| (everybody|the caller|as what holds it) \| (.+) \|$", CACHING, re.MULTILINE
    )
    written = {name: (age, whom) for age, whom, names in rows for name in re.findall(r"`([\w.]+)`", names)}

    shown = {name: bound(given) for name, element in elements() if (given := hint(element)) is not None}

    assert len(rows) == len(set(shown.values()))
    assert written == shown


def elements() -> Iterator[tuple[str, Any]]:
    """The types of the schema and their fields, by name."""
    for name, type_ in SCHEMA.type_map.items():
        if not has_hints(type_):
            continue
        yield name, type_
        for field_name, field in getattr(type_, "fields", {}).items():
            if GraphQLCoreConverter.DEFINITION_BACKREF in field.extensions:
                yield f"{name}.{field_name}", field


async def test_the_metrics_that_pages_name_exist() -> None:
    metrics = Metrics()
    cache = Cache(1 << 20)
    metrics.watch_cache(cache)
    sharing_of(cache, metrics)
    shown = generate_latest(metrics.registry).decode()

    named = set(re.findall(r"`((?:entity_cache|shared|http)_\w+?)(?:_total)?`", CACHING))

    assert len(named) >= 8
    assert {name for name in named if f"# HELP {name}" not in shown} == set()


def test_the_page_on_caching_knows_its_settings() -> None:
    default = Settings.model_fields["entity_cache_bytes"].default

    assert f"({default >> 20} MiB)" in CACHING
    assert f"each {LOOK_EVERY_SECONDS:g} s" in CACHING
    assert WORK_SECONDS == PERSON_SECONDS == NAME_SECONDS == 10 * 60
    assert OFFER_SECONDS == LIST_SECONDS == 5 * 60
    assert "titles, people and\nnames for 10 minutes, offers and lists for 5," in CACHING


def test_links_between_pages_lead_somewhere() -> None:
    pages = {page.name: page.read_text("utf-8") for page in DOCS.glob("*.md")}
    for text in pages.values():
        for name, anchor in re.findall(r"\]\((\w+\.md)(?:#([\w-]+))?\)", text):
            headings = re.findall(r"^#+ (.+)$", pages[name], re.MULTILINE)
            assert not anchor or anchor in {slug(heading) for heading in headings}


@pytest.mark.parametrize(
    ("name", "least"),
    [("docs/oauth.md", 30), ("docs/accounts.md", 0), ("docs/access.md", 0), ("SECURITY.md", 10)],
)
def test_a_page_names_tests_that_there_are(name: str, least: int) -> None:
    root = DOCS.parent
    page = (root / name).read_text("utf-8")
    written = {
        name
        for path in (root / "tests").rglob("test_*.py")
        for name in re.findall(r"^(?:async )?def (test_\w+)", path.read_text("utf-8"), re.MULTILINE)
    }

    named = set(re.findall(r"`(test_\w+)`", page))
    files = set(re.findall(r"`(tests/[\w/]+\.py)`", page))

    assert len(named) >= least
    assert named or files
    assert named - written == set()
    assert {file for file in files if not (root / file).is_file()} == set()
