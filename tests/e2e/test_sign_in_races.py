"""What a password gets that is right, and is replaced at that very moment."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import asyncpg

from tests.e2e.oauth import browsing, rows
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


async def while_voided(server: Server, email: str, request: Awaitable[T]) -> T:
    """What is answered to a sign-in that had read the account before, and starts its session after."""
    async with connected(server) as voiding, connected(server) as watching:
        async with voiding.transaction():
            await voiding.execute(
                "UPDATE account SET sign_in_epoch = sign_in_epoch + 1 WHERE email = $1", email
            )
            answer = asyncio.ensure_future(request)
            async with asyncio.timeout(10):
                while not await watching.fetchval(WAITING):  # noqa: ASYNC110 - the server has no event for it
                    await asyncio.sleep(0.01)
        return await answer


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
