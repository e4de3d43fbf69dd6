"""What the pages say exists, and what exists they say."""

import re
from pathlib import Path

import orjson
import pytest

from domain.platform.errors import ErrorCode, GatewayError, UserErrorCode
from gateway.engine.errors import ErrorFormatter
from gateway.engine.trusted import DocumentsMode
from gateway.routes.replies import STATUSES
from gateway.settings import PREFIX, Settings

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


def test_links_between_pages_lead_somewhere() -> None:
    pages = {page.name: page.read_text("utf-8") for page in DOCS.glob("*.md")}
    for text in pages.values():
        for name, anchor in re.findall(r"\]\((\w+\.md)(?:#([\w-]+))?\)", text):
            headings = re.findall(r"^#+ (.+)$", pages[name], re.MULTILINE)
            assert not anchor or anchor in {slug(heading) for heading in headings}
