"""From a connection to its caller, and from settings to keys."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from domain.identity.model import ANONYMOUS, Caller, SessionEnd
from domain.identity.revocations import REASONS, Revocation, Revocations
from domain.platform.errors import Unauthenticated
from domain.platform.postgres import Database
from gateway.app import create_app
from gateway.authentication import caller_of, lifetime_of
from gateway.engine.lifetime import EXPIRED, Lifetime
from gateway.routes.connection import Connection
from gateway.settings import Settings
from tests.accounts import PASSWORD

ADA = Caller("ada")
REGISTER = f"""mutation {{ registerAccount(input: {{
    email: "ada@example.org", password: "{PASSWORD}", displayName: "Ada", region: "DE"
}}) {{ accessToken }} }}"""
VIEWER = "{ viewer { account { displayName email region } } }"


class Door:
    """Takes any token for Ada's and remembers it."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    async def identify(self, token: str) -> Caller:
        self.seen.append(token)
        return ADA

    async def identify_key(self, text: str) -> Caller:
        self.seen.append(f"key {text}")
        return ADA


def connection(header: str | None = None, **parameters: Any) -> Connection:
    headers = {} if header is None else {"authorization": header}
    return Connection("https", headers, "192.0.2.1", "r1", parameters)


@pytest.mark.parametrize(
    ("asking", "token"),
    [
        (connection("Bearer abc"), "abc"),
        (connection("bearer   abc "), "abc"),
        (connection(Authorization="Bearer abc"), "abc"),
        (connection(authorization="BEARER abc"), "abc"),
        (connection("Bearer header", Authorization="Bearer parameter"), "parameter"),
        (connection("Bearer header", Authorization=None), "header"),
        (connection("Bearer header", Authorization=""), "header"),
        (connection("Bearer abc", other=1), "abc"),
    ],
)
async def test_the_token_is_taken_from_header_or_parameter(asking: Connection, token: str) -> None:
    door = Door()

    assert await caller_of(asking, door.identify, door.identify_key) is ADA
    assert door.seen == [token]


KEY = "mg_live_abc"


def with_key(key: str, **headers: str) -> Connection:
    return Connection("https", {"x-api-key": key, **headers}, "192.0.2.1", "r1", {})


@pytest.mark.parametrize(
    ("asking", "seen"),
    [
        (with_key(KEY), f"key {KEY}"),
        (with_key(f" {KEY} "), f"key {KEY}"),
        (with_key("anything"), "key anything"),
        (with_key(KEY, authorization=""), f"key {KEY}"),
        (connection(f"Bearer {KEY}"), f"key {KEY}"),
        (connection(Authorization=f"Bearer {KEY}"), f"key {KEY}"),
        (Connection("wss", {}, None, "r1", {"X-API-Key": KEY}), f"key {KEY}"),
        (Connection("wss", {"authorization": "Bearer abc"}, None, "r1", {"x-api-key": KEY}), f"key {KEY}"),
        (with_key("", authorization="Bearer abc"), "abc"),
    ],
)
async def test_a_key_comes_in_a_header_of_its_own_or_as_a_bearer_token(asking: Connection, seen: str) -> None:
    door = Door()

    assert await caller_of(asking, door.identify, door.identify_key) is ADA
    assert door.seen == [seen]


@pytest.mark.parametrize(
    "asking",
    [
        with_key(KEY, authorization="Bearer abc"),
        with_key(KEY, authorization=f"Bearer {KEY}"),
        Connection("wss", {}, None, "r1", {"x-api-key": KEY, "authorization": "Bearer abc"}),
        Connection("wss", {}, None, "r1", {"x-api-key": [KEY]}),
        Connection("wss", {}, None, "r1", {"x-api-key": 7}),
        Connection("wss", {}, None, "r1", {"x-api-key": KEY, "X-API-Key": KEY}),
    ],
)
async def test_two_credentials_or_odd_ones_are_refused_and_never_looked_up(asking: Connection) -> None:
    door = Door()

    with pytest.raises(Unauthenticated) as refusal:
        await caller_of(asking, door.identify, door.identify_key)

    assert refusal.value.extensions == {"error": "invalid_request"}
    assert door.seen == []


@pytest.mark.parametrize(
    "asking", [connection(), connection(""), connection(Authorization=None), connection(token="abc")]
)
async def test_without_a_token_the_caller_is_anonymous(asking: Connection) -> None:
    door = Door()

    assert await caller_of(asking, door.identify, door.identify_key) is ANONYMOUS
    assert door.seen == []


@pytest.mark.parametrize(
    "asking",
    [
        connection("abc"),
        connection("Bearer"),
        connection("Bearer "),
        connection("Basic YWRhOnNlY3JldA=="),
        connection("Bearer abc, Bearer def"),
        connection("Bearer abc def"),
        connection(Authorization=["Bearer abc"]),
        connection(Authorization={"Bearer": "abc"}),
        connection(Authorization=7),
        connection(Authorization=False),
        connection(Authorization="Bearer abc", authorization="Bearer def"),
        connection("Bearer header", Authorization="Basic abc"),
    ],
)
async def test_what_is_no_bearer_token_is_refused_and_never_looked_up(asking: Connection) -> None:
    door = Door()

    with pytest.raises(Unauthenticated) as refusal:
        await caller_of(asking, door.identify, door.identify_key)

    assert refusal.value.extensions == {"error": "invalid_request"}
    assert door.seen == []


def settings(folder: Path, **given: Any) -> Settings:
    options = {"_env_file": None, "data_dir": folder, "demo_catalogue": False, "background_work": False}
    return Settings(**(options | given))


async def test_a_stream_runs_as_long_as_its_token_holds() -> None:
    now = datetime.now(UTC)
    lifetime = lifetime_of(lambda: now, lambda: revocations(now))

    async def listened(caller: Caller) -> str | None:
        context: Any = type("Context", (), {"caller": caller})
        with lifetime(context) as found:
            try:
                async with found.limit():
                    await asyncio.sleep(0.1)
            except TimeoutError:
                return found.reason
        return None

    assert await listened(ANONYMOUS) is None
    assert await listened(Caller("ada", expires_at=now + timedelta(seconds=9))) is None
    assert await listened(Caller("ada", expires_at=now + timedelta(seconds=0.05))) == EXPIRED
    assert await listened(Caller("ada", expires_at=now - timedelta(seconds=9))) == EXPIRED


async def test_a_stream_ends_with_its_session_and_says_why() -> None:
    now = datetime.now(UTC)
    known = revocations(now)
    lifetime = lifetime_of(lambda: now, lambda: known)
    context: Any = type("Context", (), {"caller": Caller("ada", session_id="s1")})

    told: list[str] = []

    with lifetime(context) as found:
        found.tell(told.append)
        known.add([Revocation("s2", SessionEnd.SIGNED_OUT, now)])
        assert told == []
        known.add([Revocation("s1", SessionEnd.REVOKED, now)])
    with lifetime(context) as late, pytest.raises(TimeoutError):
        await _listen(late)

    assert told == [REASONS[SessionEnd.REVOKED]]
    assert late.reason == REASONS[SessionEnd.REVOKED]


async def _listen(lifetime: Lifetime) -> None:
    async with lifetime.limit():
        await asyncio.sleep(5)


def revocations(now: datetime) -> Revocations:
    """Of a record that nobody writes to."""

    class Nothing:
        async def news(self) -> list[Revocation]:
            return []

    return Revocations(Nothing(), lambda: now)


@pytest.fixture
async def client(database: Database, database_url: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(settings(tmp_path, database_url=database_url))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway.example") as client,
    ):
        yield client


async def asked(client: httpx.AsyncClient, query: str, authorization: str | None = None) -> httpx.Response:
    headers = {"accept": "application/graphql-response+json"}
    if authorization is not None:
        headers["authorization"] = authorization
    return await client.post("/graphql", json={"query": query}, headers=headers)


async def registered(client: httpx.AsyncClient) -> str:
    """The token of a new account."""
    answer = await asked(client, REGISTER)
    return str(answer.json()["data"]["registerAccount"]["accessToken"])


async def test_a_signed_in_request_is_answered_for_its_account(client: httpx.AsyncClient) -> None:
    token = await registered(client)

    answers = [await asked(client, VIEWER, given) for given in (None, f"Bearer {token}")]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert [answer.json()["data"] for answer in answers] == [
        {"viewer": None},
        {"viewer": {"account": {"displayName": "Ada", "email": "ada@example.org", "region": "DE"}}},
    ]


@pytest.mark.parametrize(
    ("authorization", "error"), [("Bearer x.y.z", "invalid_token"), ("Basic abc", "invalid_request")]
)
async def test_a_bad_token_is_answered_with_401_and_no_data(
    client: httpx.AsyncClient, authorization: str, error: str
) -> None:
    answer = await asked(client, VIEWER, authorization)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert "data" not in answer.json()
    assert answer.json()["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED", "error": error}


async def test_a_suspended_account_is_refused(client: httpx.AsyncClient, database: Database) -> None:
    token = await registered(client)
    await database.execute("UPDATE account SET suspended_at = now()")

    answer = await asked(client, VIEWER, f"Bearer {token}")

    assert answer.status_code == 401


async def test_the_public_keys_verify_the_tokens_of_sign_in(client: httpx.AsyncClient) -> None:
    token = await registered(client)

    answer = await client.get("/.well-known/jwks.json", headers={"origin": "https://elsewhere.example"})

    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert [set(key) for key in answer.json()["keys"]] == [{"kty", "crv", "x", "kid", "alg", "use"}]
    with pytest.warns(match="RFC 9864"):
        decoded = jwt.decode(token, KeySet.import_key_set(answer.json()), algorithms=["EdDSA"])
    assert decoded.claims["iss"] == "http://localhost:8000"


def test_a_websocket_with_a_bad_token_is_closed_with_4401(database_url: str, tmp_path: Path) -> None:
    app = create_app(settings(tmp_path, database_url=database_url))
    with (
        TestClient(app) as client,
        client.websocket_connect("/graphql", subprotocols=["graphql-transport-ws"]) as socket,
    ):
        socket.send_json({"type": "connection_init", "payload": {"Authorization": "Bearer x.y.z"}})
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_json()

    assert closed.value.code == 4401
