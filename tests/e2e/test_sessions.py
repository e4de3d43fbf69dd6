"""Sessions over the real server: what one process ends, every process and every open stream knows at once."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from websockets.exceptions import ConnectionClosed

from tests.conftest import fresh_database
from tests.e2e.oauth import browsing, code_for, exchanged, registered
from tests.e2e.server import PASSWORD, Client, Server, Stream, register, running

SIGN_IN = f"""mutation ($email: String!) {{ signIn(input: {{email: $email, password: "{PASSWORD}"}}) {{
  accessToken refreshToken }} }}"""
REFRESH = """mutation ($token: String!) { refreshSession(input: {refreshToken: $token}) {
  accessToken refreshToken userErrors { code } } }"""
SESSIONS = "{ viewer { sessions { id current } } }"
REVOKE = "mutation ($id: ID!) { revokeSession(input: {sessionId: $id}) { userErrors { code } } }"
FOLLOW = "subscription { changes { __typename } }"
FOLLOWING = "read:watchlist read:progress read:ratings read:devices"
SIGNED_OUT = "You have signed out of this session."
WHY = "This session was ended from another one of yours."


@pytest.fixture(scope="module")
async def servers(scratch: Path, postgres_url: str) -> AsyncIterator[tuple[Server, Server]]:
    """Two processes with one database and one key, and nothing else between them."""
    shared = {
        "database_url": await fresh_database(postgres_url, "media_gateway_sessions"),
        "background_work": "false",
        "demo_catalogue": "false",
    }
    key = scratch / "sessions-1"
    async with running(key, **shared) as first:
        second_folder = scratch / "sessions-2"
        second_folder.mkdir()
        (second_folder / "signing-key.json").write_bytes((key / "signing-key.json").read_bytes())
        async with running(second_folder, **shared) as second:
            yield first, second


async def signed_in(server: Server, email: str) -> tuple[Client, str]:
    """A client in a session of its own, and its refresh token."""
    tokens = (await Client(server).ask(SIGN_IN, email=email))["signIn"]
    return Client(server, tokens["accessToken"]), tokens["refreshToken"]


async def session_of(client: Client) -> str:
    found = (await client.ask(SESSIONS))["viewer"]["sessions"]
    (own,) = [session["id"] for session in found if session["current"]]
    return str(own)


async def closed(stream: Stream) -> tuple[float, int, str]:
    """When and how the server closed the socket."""
    async with asyncio.timeout(5):
        with pytest.raises(ConnectionClosed):
            await read_on(stream)
    return time.perf_counter(), stream.socket.close_code or 0, stream.socket.close_reason or ""


async def read_on(stream: Stream) -> None:
    while True:
        await stream.socket.recv()


async def events(client: Client) -> tuple[float, list[dict[str, Any]]]:
    """Everything that a stream of server-sent events said until it ended, and when that was."""
    headers = {"authorization": f"Bearer {client.token}", "accept": "text/event-stream"}
    async with httpx.AsyncClient(timeout=5) as http:
        response = await http.post(f"{client.server.url}/graphql", json={"query": FOLLOW}, headers=headers)
    said = [line[6:] for line in response.text.splitlines() if line.startswith("data: {")]
    return time.perf_counter(), [orjson.loads(line) for line in said]


async def test_an_ended_session_loses_its_sockets_and_streams_on_every_process(
    servers: tuple[Server, Server],
) -> None:
    first, second = servers
    owner = await register(first, "ended@example.com")
    lost, _ = await signed_in(second, "ended@example.com")
    session = await session_of(lost)

    async with lost.follow(FOLLOW) as socket, owner.follow(FOLLOW) as other:
        streaming = asyncio.create_task(events(lost))
        closing = asyncio.create_task(closed(socket))
        await asyncio.sleep(0.5)
        began = time.perf_counter()
        await owner.ask(REVOKE, id=session)
        closed_at, code, reason = await closing
        ended_at, said = await streaming

        assert (code, reason) == (4401, WHY)
        assert [error["message"] for error in said[-1]["errors"]] == [WHY]
        assert max(closed_at, ended_at) - began < 1.0
        assert await other.quiet()
    answer = await lost.answer(SESSIONS)
    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert answer["errors"][0]["extensions"]["reason"] == "REVOKED"


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
async def test_an_application_whose_token_is_revoked_loses_its_sockets_and_streams_on_every_process(
    servers: tuple[Server, Server], kind: str
) -> None:
    first, second = servers
    email = f"revoked-{kind.replace('_', '-')}@example.com"
    owner = await register(first, email)
    app = await registered(first, scope=FOLLOWING)
    async with browsing(first) as browser:
        await browser.sign_in(await browser.open("/oauth/device"), email)
        code = await code_for(browser, app, scope=FOLLOWING)
    tokens = (await exchanged(first, app, code)).json()
    apps = [Client(server, tokens["access_token"]) for server in servers]

    async with (
        apps[0].follow(FOLLOW) as one,
        apps[1].follow(FOLLOW) as other,
        owner.follow(FOLLOW) as own,
    ):
        closing = [asyncio.create_task(closed(socket)) for socket in (one, other)]
        streaming = [asyncio.create_task(events(app)) for app in apps]
        await asyncio.sleep(0.5)
        began = time.perf_counter()
        async with httpx.AsyncClient(base_url=second.url) as http:
            revoked = await http.post("/oauth/revoke", data={"token": tokens[kind], "client_id": app.id})
        sockets, streams = await asyncio.gather(*closing), await asyncio.gather(*streaming)

        assert revoked.status_code == 200
        assert [(code, reason) for _, code, reason in sockets] == [(4401, SIGNED_OUT)] * 2
        assert [said[-1]["errors"][0]["message"] for _, said in streams] == [SIGNED_OUT] * 2
        ended_at = [when for when, _, _ in sockets] + [when for when, _ in streams]
        assert max(ended_at) - began < 1.0
        assert await own.quiet()


async def test_of_fifty_refreshes_on_two_processes_one_rotates_and_nobody_is_signed_out(
    servers: tuple[Server, Server],
) -> None:
    await register(servers[0], "parallel@example.com")
    client, token = await signed_in(servers[0], "parallel@example.com")

    answers = await asyncio.gather(
        *(Client(servers[number % 2]).ask(REFRESH, token=token) for number in range(50))
    )

    found = {answer["refreshSession"]["refreshToken"] for answer in answers}
    assert len(found) == 1
    (following,) = found
    after = (await Client(servers[1]).ask(REFRESH, token=following))["refreshSession"]
    assert after["userErrors"] == []
    client.token = after["accessToken"]
    assert await session_of(client)


async def test_a_refresh_token_that_comes_late_again_ends_the_session_everywhere(
    scratch: Path, postgres_url: str
) -> None:
    url = await fresh_database(postgres_url, "media_gateway_replay")
    settings = {"database_url": url, "demo_catalogue": "false", "refresh_grace_seconds": "0"}
    async with running(scratch / "replay", **settings) as server:
        await register(server, "replayed@example.com")
        client, token = await signed_in(server, "replayed@example.com")
        following = (await client.ask(REFRESH, token=token))["refreshSession"]

        replayed = (await Client(server).ask(REFRESH, token=token))["refreshSession"]

        assert replayed["userErrors"] == [{"code": "CREDENTIALS"}]
        after = (await Client(server).ask(REFRESH, token=following["refreshToken"]))["refreshSession"]
        assert after["userErrors"] == [{"code": "CREDENTIALS"}]
        thief = await Client(server, following["accessToken"]).answer(SESSIONS)
        assert thief["errors"][0]["extensions"]["reason"] == "REPLAYED"
        log = server.log.read_text()
        assert all(
            secret not in log for secret in (token, following["refreshToken"], following["accessToken"])
        )


ADD_DEVICE = """mutation { registerDevice(input: {name: "Lost phone", kind: PHONE}) { device { id } } }"""
REMOVE_DEVICE = """mutation ($id: ID!) { removeDevice(input: {deviceId: $id}) { device { name }
  userErrors { code } } }"""
DEVICES = "{ viewer { sessions { current device { id name } } } }"


async def test_a_device_that_is_removed_is_signed_out_on_every_process(
    servers: tuple[Server, Server],
) -> None:
    first, second = servers
    owner = await register(first, "devices@example.com")
    stranger = await register(first, "stranger@example.com")
    lost, refresh_token = await signed_in(second, "devices@example.com")
    device = (await lost.ask(ADD_DEVICE))["registerDevice"]["device"]["id"]

    listed = (await owner.ask(DEVICES))["viewer"]["sessions"]
    not_theirs = (await stranger.ask(REMOVE_DEVICE, id=device))["removeDevice"]
    still = await lost.answer(SESSIONS)
    began = time.perf_counter()
    removed = (await owner.ask(REMOVE_DEVICE, id=device))["removeDevice"]
    while not (answer := await lost.answer(SESSIONS)).get("errors"):
        assert time.perf_counter() - began < 1.5
        await asyncio.sleep(0.02)
    refreshed = (await Client(second).ask(REFRESH, token=refresh_token))["refreshSession"]

    assert [session["device"] for session in listed if session["current"]] == [None]
    assert [session["device"] for session in listed if not session["current"]] == [
        {"id": device, "name": "Lost phone"}
    ]
    assert not_theirs["userErrors"] == [{"code": "NOT_FOUND"}]
    assert "errors" not in still
    assert removed == {"device": {"name": "Lost phone"}, "userErrors": []}
    assert answer["errors"][0]["extensions"]["reason"] == "DEVICE_REMOVED"
    assert refreshed["accessToken"] is None
    assert (await owner.ask(SESSIONS))["viewer"]["sessions"], "the session that removed it goes on"


CREATE_KEY = """mutation { createApiKey(input: {name: "app", scopes: ["write:devices"]}) { secret } }"""


async def test_who_may_not_end_sessions_removes_no_device_on_which_somebody_else_is_signed_in(
    servers: tuple[Server, Server],
) -> None:
    server, _ = servers
    owner = await register(server, "scoped@example.com")
    phone, _ = await signed_in(server, "scoped@example.com")
    device = (await phone.ask(ADD_DEVICE))["registerDevice"]["device"]["id"]
    app = Client(server, (await owner.ask(CREATE_KEY))["createApiKey"]["secret"])
    own = (await app.ask(ADD_DEVICE))["registerDevice"]["device"]["id"]

    refused = await app.answer(REMOVE_DEVICE, id=device)
    allowed = (await app.ask(REMOVE_DEVICE, id=own))["removeDevice"]
    itself = (await phone.ask(REMOVE_DEVICE, id=device))["removeDevice"]

    error = refused["errors"][0]
    assert (error["extensions"]["code"], "write:security" in error["message"]) == ("FORBIDDEN", True)
    assert allowed["userErrors"] == itself["userErrors"] == []
