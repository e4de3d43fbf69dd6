"""Applications and browsers that talk OAuth to the real server."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import asyncpg
import httpx
import pytest
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from tests.conftest import fresh_database
from tests.e2e.server import PASSWORD, Server, register, running

EMAIL = "ada@example.com"
CALLBACK = "https://app.example/callback"
VERIFIER = "v" * 64
SCOPE = "read:watchlist write:watchlist"


@dataclass(frozen=True)
class App:
    """A registered client."""

    id: str
    secret: str | None


async def command(server: Server, *arguments: str) -> str:
    """What `media-gateway` prints, with the settings of the server."""
    environment = {**os.environ, **server.settings}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", *arguments, env=environment, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output
    return output.decode()


async def registered(server: Server, *options: str, scope: str = SCOPE) -> App:
    """A new client; with a redirect URI where `options` give no grant."""
    given = options if "--grant" in options else (*options, "--redirect-uri", CALLBACK)
    scopes = [part for name in scope.split() for part in ("--scope", name)]
    printed = await command(server, "clients", "add", "Test app", *given, *scopes)
    found = dict(line.split("=", 1) for line in printed.splitlines())
    return App(found["client_id"], found.get("client_secret"))


@dataclass
class Page:
    """What a browser shows, and its one form."""

    response: httpx.Response

    @property
    def text(self) -> str:
        return unescape(self.response.text)

    def hidden(self, form: int = 0) -> dict[str, str]:
        parts = self.response.text.split("<form")[1:]
        found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', parts[form])
        return {name: unescape(value) for name, value in found}


@dataclass
class Browser:
    """Follows our own redirects, and stops where it is sent elsewhere."""

    server: Server
    http: httpx.AsyncClient = field(repr=False)

    async def open(self, url: str, **parameters: str) -> Page:
        return Page(await self._follow(await self.http.get(self._here(url), params=parameters or None)))

    async def send(self, path: str, **fields: str) -> Page:
        return Page(await self._follow(await self.http.post(path, data=fields)))

    async def sign_in(self, page: Page, email: str, password: str = PASSWORD) -> Page:
        return await self.send("/oauth/sign-in", **page.hidden(), email=email, password=password)

    async def allow(self, page: Page) -> dict[str, str]:
        """What the client is told."""
        done = await self.send("/oauth/authorize", **page.hidden(), decision="allow")
        return told(done.response)

    def _here(self, url: str) -> str:
        parts = urlsplit(url)
        return parts._replace(scheme="", netloc="").geturl() if parts.netloc else url

    async def _follow(self, response: httpx.Response) -> httpx.Response:
        while response.is_redirect and response.headers["location"].startswith("/"):
            response = await self.http.get(response.headers["location"])
        return response


@asynccontextmanager
async def browsing(server: Server) -> AsyncIterator[Browser]:
    async with httpx.AsyncClient(base_url=server.url, timeout=10) as http:
        yield Browser(server, http)


@asynccontextmanager
async def client_of(server: Server, app: App, **options: Any) -> AsyncIterator[AsyncOAuth2Client]:
    """Authlib's client for an app."""
    options = {"scope": SCOPE, "redirect_uri": CALLBACK, "code_challenge_method": "S256"} | options
    async with AsyncOAuth2Client(
        app.id,
        app.secret,
        token_endpoint=f"{server.url}/oauth/token",
        revocation_endpoint=f"{server.url}/oauth/revoke",
        token_endpoint_auth_method="none" if app.secret is None else "client_secret_basic",
        **options,
    ) as client:
        yield client


def told(response: httpx.Response) -> dict[str, str]:
    """The parameters with which a browser is sent back to the client."""
    assert response.headers["location"].startswith(CALLBACK), response.text
    return dict(parse_qsl(urlsplit(response.headers["location"]).query))


def asking(app: App, **changes: str | None) -> dict[str, str]:
    """The parameters of a good authorisation request, but for the changes."""
    found = {
        "response_type": "code",
        "client_id": app.id,
        "redirect_uri": CALLBACK,
        "scope": SCOPE,
        "state": "s1",
        "code_challenge": create_s256_code_challenge(VERIFIER),
        "code_challenge_method": "S256",
    } | changes
    return {name: value for name, value in found.items() if value is not None}


async def code_for(browser: Browser, app: App, **changes: str | None) -> str:
    """An authorisation code, by way of the pages; somebody is signed in already."""
    consent = await browser.open("/oauth/authorize", **asking(app, **changes))
    return (await browser.allow(consent))["code"]


async def exchanged(server: Server, app: App, code: str, **changes: str) -> httpx.Response:
    given = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER} | changes
    return await asked(server, app, **given)


async def asked(server: Server, app: App, **fields: str) -> httpx.Response:
    """What the token endpoint answers a client."""
    credentials = None if app.secret is None else (app.id, app.secret)
    given = fields if credentials else {"client_id": app.id, **fields}
    async with httpx.AsyncClient(base_url=server.url, timeout=10) as http:
        return await http.post("/oauth/token", data=given, auth=credentials or httpx.USE_CLIENT_DEFAULT)


async def graph(server: Server, document: str, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=server.url) as http:
        accept = {"accept": "application/graphql-response+json"}
        return await http.post("/graphql", json={"query": document}, headers={**accept, **headers})


async def key_of(server: Server, email: str) -> str:
    """The id of an account."""
    (row,) = await rows(server, "SELECT id FROM account WHERE email = $1", email)
    return str(row[0])


async def rows(server: Server, statement: str, *arguments: Any) -> list[Any]:
    connection = await asyncpg.connect(server.settings["MEDIA_GATEWAY_DATABASE_URL"])
    try:
        return list(await connection.fetch(statement, *arguments))
    finally:
        await connection.close()


async def execute(server: Server, statement: str, *arguments: Any) -> None:
    await rows(server, statement, *arguments)


@pytest.fixture(scope="session")
async def oauth_server(scratch: Path, postgres_url: str) -> AsyncIterator[Server]:
    """A server without a catalogue, with an account; its issuer is where it answers."""
    url = await fresh_database(postgres_url, "media_gateway_oauth")
    settings = {"database_url": url, "demo_catalogue": "false", "issuer": "http://127.0.0.1:{port}"}
    async with running(scratch / "oauth", **settings) as server:
        await register(server, EMAIL)
        yield server


@pytest.fixture(scope="session")
async def app(oauth_server: Server) -> App:
    """A public client."""
    return await registered(oauth_server)


@pytest.fixture(scope="session")
async def ada(oauth_server: Server) -> AsyncIterator[Browser]:
    """A browser in which Ada is signed in on our pages."""
    async with browsing(oauth_server) as browser:
        await browser.sign_in(await browser.open("/oauth/device"), EMAIL)
        yield browser
