"""openid-client, as it is published for JavaScript, goes through our flows and finds nothing to object to."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.dpop import demanding
from tests.e2e.oauth import CALLBACK, EMAIL, App, Browser, browsing, execute, key_of, registered
from tests.e2e.server import PASSWORD, Client, Server, register

__all__ = ["demanding"]

HERE = Path(__file__).parents[1] / "gateway" / "clients"
MISSING = [
    name
    for name, present in {
        "node": shutil.which("node"),
        "openid-client (npm ci in tests/gateway/clients)": (HERE / "node_modules" / "openid-client").is_dir(),
    }.items()
    if not present
]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"missing here: {', '.join(MISSING)}")

SIGN_IN = f"""mutation ($email: String!) {{ signIn(input: {{email: $email, password: "{PASSWORD}"}}) {{
  accessToken }} }}"""
SCOPE = "openid email read:watchlist read:preferences"


class Script:
    """One flow under way."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def said(self) -> dict[str, Any]:
        """The next line."""
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), 90)
        if not line:
            assert self._process.stderr is not None
            raise AssertionError((await self._process.stderr.read()).decode())
        found: dict[str, Any] = json.loads(line)
        return found

    def tell(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{text}\n".encode())


@asynccontextmanager
async def script(flow: str, server: Server, app: App, **more: Any) -> AsyncIterator[Script]:
    given = {"issuer": server.issuer, "id": app.id, "secret": app.secret} | more
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        "node", "openid.mjs", flow, json.dumps(given), cwd=HERE, stdin=pipe, stdout=pipe, stderr=pipe
    )
    try:
        yield Script(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def signed_in(server: Server, email: str = EMAIL) -> AsyncIterator[Browser]:
    async with browsing(server) as browser:
        await browser.sign_in(await browser.open("/oauth/device"), email)
        yield browser


async def allowed(browser: Browser, url: str) -> str:
    """Where the browser is sent when its owner allows the client in."""
    consent = await browser.open(url)
    done = await browser.send("/oauth/authorize", **consent.hidden(), decision="allow")
    return str(done.response.headers["location"])


@pytest.mark.parametrize("nonces", [False, True])
async def test_pushed_requests_and_bound_tokens_with_and_without_nonces(
    oauth_server: Server,
    demanding: Server,
    nonces: bool,  # noqa: FBT001
) -> None:
    server = demanding if nonces else oauth_server
    app = await registered(server, scope=SCOPE)

    async with (
        signed_in(server) as browser,
        script("bound", server, app, callback=CALLBACK, scope=SCOPE) as running,
    ):
        running.tell(await allowed(browser, (await running.said())["open"]))
        found = await running.said()

    assert set(dict(httpx.URL(found["url"]).params)) == {"client_id", "request_uri"}
    assert found["type"] == "dpop"
    assert (found["about"]["email"], set(found["about"])) == (EMAIL, {"sub", "email", "email_verified"})
    assert found["seen"] == {"status": 200, "viewer": {"account": {"email": EMAIL}}}
    assert (found["stolen"]["status"], found["after"]["status"]) == (401, 401)


@pytest.mark.parametrize(
    ("decision", "shown"), [("allow", "The device is let in"), ("deny", "The device stays out")]
)
async def test_a_device_is_let_in_or_not(oauth_server: Server, decision: str, shown: str) -> None:
    app = await registered(oauth_server, "--grant", "device_code", scope="read:watchlist read:preferences")
    email = f"device-{decision}@example.com"  # an account may try ten codes in ten minutes, and others do
    await register(oauth_server, email)

    async with (
        signed_in(oauth_server, email) as browser,
        script("device", oauth_server, app, scope="read:preferences") as running,
    ):
        confirm = await browser.open((await running.said())["open"])
        decided = await browser.send("/oauth/device", **confirm.hidden(), decision=decision)
        assert shown in decided.text
        running.tell(decision)
        found = await running.said()

    if decision == "allow":
        assert found["seen"] == {"status": 200, "viewer": {"account": {"email": email}}}
    else:
        assert found["error"] == "access_denied"


async def test_a_service_asks_about_its_token(oauth_server: Server) -> None:
    app = await registered(
        oauth_server, "--confidential", "--grant", "client_credentials", scope="read:content"
    )

    async with script("service", oauth_server, app) as running:
        found = await running.said()

    assert found["scope"] == "read:content"
    assert (found["about"]["active"], found["about"]["client_id"]) == (True, app.id)
    assert found["after"] is False


async def test_an_administrator_acts_as_an_account(oauth_server: Server) -> None:
    app = await registered(oauth_server, "--confidential", "--grant", "token_exchange")
    await register(oauth_server, "exchanging@example.com")
    viewer = await register(oauth_server, "exchanged@example.com")
    admin_id = await key_of(oauth_server, "exchanging@example.com")
    await execute(oauth_server, "UPDATE account SET roles = '{viewer,admin}' WHERE id = $1", admin_id)
    signed_in = (await Client(oauth_server).ask(SIGN_IN, email="exchanging@example.com"))["signIn"]
    exchange = {
        "subject_token": await key_of(oauth_server, "exchanged@example.com"),
        "subject_token_type": "urn:media-gateway:params:oauth:token-type:account",
        "actor_token": signed_in["accessToken"],
        "actor_token_type": "urn:ietf:params:oauth:token-type:access_token",
    }

    async with script("exchange", oauth_server, app, exchange=exchange) as running:
        found = await running.said()

    assert found["type"] == "urn:ietf:params:oauth:token-type:access_token"
    assert found["seen"]["viewer"] == (await viewer.ask("{ viewer { account { email } } }"))["viewer"]
