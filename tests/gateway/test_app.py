"""The whole application where it needs no database."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from domain.identity.model import ANONYMOUS, Caller, Role
from domain.identity.policy import granted
from gateway.app import create_app, engine_of
from gateway.engine.limits import Limit
from gateway.engine.requests import OperationRequest
from gateway.metrics import Metrics
from gateway.routes import pages
from gateway.settings import Settings

BROWSER = {"accept": "text/html"}
NOTHING = "default-src 'none'; frame-ancestors 'none'"


@pytest.fixture
async def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """The page is one of our own: the real one needs Node to be built."""
    page = tmp_path / "page"
    (page / "assets").mkdir(parents=True)
    (page / "index.html").write_text("<!doctype html><title>GraphiQL</title>")
    monkeypatch.setattr(pages, "FOLDER", page)
    app = create_app(Settings(data_dir=tmp_path, graphiql=True))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


@pytest.mark.parametrize(
    ("path", "headers", "policy", "cached"),
    [
        ("/graphql", {}, NOTHING, "no-store"),
        ("/graphql?query=%7B__typename%7D", {"accept": "text/plain"}, NOTHING, "no-store"),
        ("/livez", {}, NOTHING, "no-store"),
        ("/metrics", {}, NOTHING, "no-store"),
        ("/graphiql/config.json", {}, NOTHING, "no-store"),
        ("/graphiql/assets/none.js", {}, NOTHING, None),
        ("/nowhere", {}, NOTHING, None),
    ],
)
async def test_every_route_has_its_security_headers(
    client: httpx.AsyncClient, path: str, headers: dict[str, str], policy: str, cached: str | None
) -> None:
    answer = await client.get(path, headers=headers)

    assert answer.headers["content-security-policy"] == policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers.get("cache-control") == cached


@pytest.mark.parametrize(("path", "accept"), [("/livez", "*/*"), ("/graphql", "text/html")])
async def test_what_a_browser_shows_is_framed_by_nobody(
    client: httpx.AsyncClient, path: str, accept: str
) -> None:
    answer = await client.get(path, headers={"accept": accept})

    assert answer.headers["content-type"].startswith("text/html") is (accept == "text/html")
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "strict-origin-when-cross-origin"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["permissions-policy"] == "geolocation=(), microphone=(), camera=()"


@pytest.mark.parametrize("path", ["/livez", "/graphql", "/nowhere"])
async def test_only_what_comes_encrypted_asks_to_stay_so(client: httpx.AsyncClient, path: str) -> None:
    plain = await client.get(path)
    encrypted = await client.get(f"https://test{path}")

    assert "strict-transport-security" not in plain.headers
    assert encrypted.headers["strict-transport-security"].startswith("max-age=31536000")


async def test_the_page_may_load_its_own_files_and_nothing_else(client: httpx.AsyncClient) -> None:
    answer = await client.get("/graphql", headers=BROWSER)

    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'self'; ")
    assert "frame-ancestors 'none'" in policy
    assert "script-src" not in policy


class _Asking:
    """As much of a context as introspection needs."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller


def _signed_in(*roles: Role) -> Caller:
    return Caller(account_id="1", roles=frozenset(roles), scopes=granted(roles))


@pytest.mark.parametrize(
    ("introspection", "caller", "allowed"),
    [
        (True, ANONYMOUS, True),
        (False, ANONYMOUS, False),
        (False, _signed_in(), False),
        (False, _signed_in(Role.EDITOR), True),
        (False, _signed_in(Role.ADMIN), True),
    ],
)
async def test_the_schema_is_shown_by_setting_or_by_scope(
    *, introspection: bool, caller: Caller, allowed: bool
) -> None:
    engine = engine_of(Settings(introspection=introspection), Metrics())

    result = await engine.answer(OperationRequest("{ __schema { queryType { name } } }"), _Asking(caller))

    assert result.code == (None if allowed else "FORBIDDEN")


def test_limits_come_from_the_settings_and_are_counted() -> None:
    metrics = Metrics()
    engine = engine_of(Settings(max_root_fields=1, limits_warn_only=(Limit.ROOT_FIELDS,)), metrics)

    engine.prepare(OperationRequest("{ a: __typename b: __typename }"))

    labels = {"limit": "root_fields", "action": "warned"}
    assert metrics.registry.get_sample_value("graphql_limits_exceeded_total", labels) == 1


async def test_errors_link_to_their_page_where_there_is_one() -> None:
    engine = engine_of(Settings(docs_url="https://docs.example.org/errors"), Metrics())  # type: ignore[arg-type]

    result = await engine.answer(OperationRequest("{ nothing }"), _Asking(ANONYMOUS))

    assert result.errors[0]["extensions"]["docs"] == "https://docs.example.org/errors#bad_user_input"
