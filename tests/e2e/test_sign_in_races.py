"""What a password gets that is right, and is replaced at that very moment."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import asyncpg
import httpx

from tests.e2e.oauth import SCOPE, asking, browsing, registered, rows
from tests.e2e.server import PASSWORD, Client, Server, register

T = TypeVar("T")
WAITING = """SELECT count(*) FROM pg_stat_activity
              WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%FOR SHARE'"""
SIGN_IN = f"""mutation {{ signIn(input: {{email: "EMAIL", password: "{PASSWORD}"}}) {{
  account {{ id }} accessToken refreshToken userErrors {{ code message }} }} }}"""
SESSIONS = "SELECT 1 FROM login_session WHERE account_id = (SELECT id FROM account WHERE email = $1)"


@asynccontextmanager
async def connected(server: Server) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(server.settings["MEDIA_GATEWAY_DATABASE_URL"])
    try:
        yield connection
    finally:
        await connection.close()


async def meanwhile(server: Server, statement: str, argument: str, request: Awaitable[T]) -> T:
    """What is answered to a request that had read what the statement changes before it waits for that."""
    async with connected(server) as changing, connected(server) as watching:
        async with changing.transaction():
            await changing.execute(statement, argument)
            answer = asyncio.ensure_future(request)
            async with asyncio.timeout(10):
                while not await watching.fetchval(WAITING):  # noqa: ASYNC110 - the server has no event for it
                    await asyncio.sleep(0.01)
        return await answer


async def while_voided(server: Server, email: str, request: Awaitable[T]) -> T:
    """What is answered to a sign-in that had read the account before, and starts its session after."""
    voided = "UPDATE account SET sign_in_epoch = sign_in_epoch + 1 WHERE email = $1"
    return await meanwhile(server, voided, email, request)


async def while_ended(server: Server, email: str, request: Awaitable[T]) -> T:
    """What is answered to somebody whose session on our pages is ended from elsewhere."""
    ended = """UPDATE login_session SET ended_at = now(), end_reason = 'revoked'
                WHERE client_id = 'media-gateway-pages'
                  AND account_id = (SELECT id FROM account WHERE email = $1)"""
    return await meanwhile(server, ended, email, request)


async def test_the_graph_starts_no_session(oauth_server: Server) -> None:
    email = "race.graph@example.com"
    await register(oauth_server, email)
    before = await rows(oauth_server, SESSIONS, email)

    request = Client(oauth_server).ask(SIGN_IN.replace("EMAIL", email))
    answer = (await while_voided(oauth_server, email, request))["signIn"]

    assert answer.pop("userErrors") == [
        {
            "code": "CONFLICT",
            "message": "What signs in to this account has changed in between; sign in again.",
        }
    ]
    assert answer == {"account": None, "accessToken": None, "refreshToken": None}
    assert await rows(oauth_server, SESSIONS, email) == before


async def test_our_pages_start_no_session(oauth_server: Server) -> None:
    email = "race.pages@example.com"
    await register(oauth_server, email)
    async with browsing(oauth_server) as browser:
        form = await browser.open("/oauth/device")
        page = await while_voided(oauth_server, email, browser.sign_in(form, email))
        again = await browser.sign_in(page, email)

    assert page.response.status_code == 401
    assert 'name="password"' in page.text
    assert f"Signed in as {email}" in again.text


async def test_an_application_that_is_allowed_as_the_session_ends_gets_no_code(oauth_server: Server) -> None:
    email, app = "race.code@example.com", await registered(oauth_server)
    await register(oauth_server, email)
    async with browsing(oauth_server) as browser:
        form = await browser.open("/oauth/authorize", **asking(app))
        consent = await browser.sign_in(form, email)
        allowing = browser.send("/oauth/authorize", **consent.hidden(), decision="allow")
        page = await while_ended(oauth_server, email, allowing)

    assert page.response.status_code == 200
    assert 'name="password"' in page.text
    assert await rows(oauth_server, "SELECT 1 FROM authorization_code WHERE client_id = $1", app.id) == []


async def test_a_device_that_is_allowed_as_the_session_ends_stays_out(oauth_server: Server) -> None:
    email = "race.device@example.com"
    app = await registered(oauth_server, "--grant", "device_code")
    await register(oauth_server, email)
    async with httpx.AsyncClient(base_url=oauth_server.url) as http:
        asked = {"client_id": app.id, "scope": SCOPE}
        device = (await http.post("/oauth/device_authorization", data=asked)).json()
    async with browsing(oauth_server) as browser:
        form = await browser.open("/oauth/device", user_code=device["user_code"])
        confirm = await browser.sign_in(form, email)
        allowing = browser.send("/oauth/device", **confirm.hidden(), decision="allow")
        page = await while_ended(oauth_server, email, allowing)

    assert 'name="password"' in page.text
    (row,) = await rows(
        oauth_server, "SELECT account_id, denied_at FROM device_code WHERE client_id = $1", app.id
    )
    assert list(row) == [None, None]
