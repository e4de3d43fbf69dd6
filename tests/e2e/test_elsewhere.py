"""Signing in with another provider of OpenID Connect, which is our own server on another port."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import asyncpg
import httpx
import orjson
import pytest

from gateway.oauth.browser import seal
from tests.conftest import fresh_database
from tests.e2e.oauth import App, Browser, Page, asking, browsing, exchanged, registered
from tests.e2e.server import PASSWORD, Client, Server, register, running

NAME = "house"
BACK = f"http://127.0.0.1/oauth/with/{NAME}/callback"


@pytest.fixture(scope="module")
async def house(scratch: Path, postgres_url: str) -> AsyncIterator[Server]:
    """The provider, with accounts whose addresses it has proven, and one that it has not."""
    url = await fresh_database(postgres_url, "media_gateway_house")
    settings = {"database_url": url, "demo_catalogue": "false", "issuer": "http://127.0.0.1:{port}"}
    async with running(scratch / "house", **settings) as server:
        for name in ("new", "known", "taken", "twice"):
            await register(server, f"{name}@example.com")
        await execute(server, "UPDATE account SET email_verified_at = now()")
        await register(server, "unproven@example.com")
        yield server


@pytest.fixture(scope="module")
async def ours(scratch: Path, postgres_url: str, house: Server) -> AsyncIterator[Server]:
    """The server that people sign in to with an account of the house."""
    client = await registered(
        house, "--confidential", "--redirect-uri", BACK, "--grant", "authorization_code",
        scope="openid email profile",
    )  # fmt: skip
    provider = {
        "issuer": house.issuer,
        "client_id": client.id,
        "client_secret": client.secret,
        "name": "The house",
    }
    url = await fresh_database(postgres_url, "media_gateway_ours")
    settings = {
        "database_url": url,
        "demo_catalogue": "false",
        "issuer": "http://127.0.0.1:{port}",
        "sign_in_providers": orjson.dumps({NAME: provider}).decode(),
    }
    async with running(scratch / "ours", **settings) as server:
        for name in ("known", "taken"):
            await register(server, f"{name}@example.com")
        await execute(
            server, "UPDATE account SET email_verified_at = now() WHERE email = 'known@example.com'"
        )
        yield server


@pytest.fixture(scope="module")
async def app(ours: Server) -> App:
    return await registered(ours)


async def execute(server: Server, statement: str) -> list[Any]:
    connection = await asyncpg.connect(server.settings["MEDIA_GATEWAY_DATABASE_URL"])
    try:
        return list(await connection.fetch(statement))
    finally:
        await connection.close()


async def sent(browser: Browser, app: App) -> str:
    """Where our sign-in page sends whoever wants to sign in with the house."""
    form = await browser.open("/oauth/authorize", **asking(app))
    link = form.text.partition('href="/oauth/with/')[2].partition('"')[0]
    response = await browser.http.get("/oauth/with/" + link)
    assert response.status_code == 302, response.text
    return str(response.headers["location"])


async def brought_back(house: Server, address: str, email: str) -> httpx.URL:
    """Where the house sends whoever has signed in there and allowed us."""
    async with browsing(house) as browser:
        consent = await browser.sign_in(await browser.open(address), email)
        done = await browser.send("/oauth/authorize", **consent.hidden(), decision="allow")
    return httpx.URL(done.response.headers["location"])


async def signed_in(browser: Browser, house: Server, app: App, email: str) -> Page:
    """What our pages show whoever comes back from the house."""
    back = await brought_back(house, await sent(browser, app), email)
    return await browser.open(str(back))


async def viewer(server: Server, app: App, browser: Browser, page: Page) -> dict[str, Any]:
    """The account that a client gets when the page is allowed."""
    code = (await browser.allow(page))["code"]
    token = (await exchanged(server, app, code)).json()["access_token"]
    found: dict[str, Any] = await Client(server, token).ask("{ viewer { account { displayName tier } } }")
    return dict(found["viewer"]["account"])


async def test_somebody_new_gets_an_account_with_a_proven_address(
    ours: Server, house: Server, app: App
) -> None:
    async with browsing(ours) as browser:
        consent = await signed_in(browser, house, app, "new@example.com")
        account = await viewer(ours, app, browser, consent)

    assert "Allow Test app?" in consent.text
    assert account == {"displayName": "Viewer", "tier": "FREE"}
    rows = await execute(
        ours, "SELECT email_verified_at, password_hash FROM account WHERE email = 'new@example.com'"
    )
    assert rows[0][0] is not None
    assert rows[0][1] is None


async def test_an_account_whose_address_both_have_proven_is_linked(
    ours: Server, house: Server, app: App
) -> None:
    for _ in range(2):  # the second time by the link
        async with browsing(ours) as browser:
            consent = await signed_in(browser, house, app, "known@example.com")
            assert "Allow Test app?" in consent.text

    rows = await execute(
        ours,
        """SELECT count(*), min(email) FROM account a JOIN linked_identity l ON l.account_id = a.id
            WHERE email = 'known@example.com'""",
    )
    assert tuple(rows[0]) == (1, "known@example.com")


@pytest.mark.parametrize("email", ["taken@example.com", "unproven@example.com"])
async def test_an_address_that_one_of_both_has_not_proven_links_nothing(
    ours: Server, house: Server, app: App, email: str
) -> None:
    before = await execute(ours, "SELECT count(*) FROM account")
    async with browsing(ours) as browser:
        page = await signed_in(browser, house, app, email)

    assert page.response.status_code == 409
    assert "its address is not confirmed" in page.text
    assert await execute(ours, "SELECT count(*) FROM account") == before
    assert (
        await execute(
            ours, f"SELECT 1 FROM account a JOIN linked_identity ON account_id = a.id WHERE email = '{email}'"
        )
        == []
    )


async def test_the_way_there_names_state_nonce_and_challenge(ours: Server, app: App) -> None:
    async with browsing(ours) as browser:
        first, second = [dict(parse_qsl(urlsplit(await sent(browser, app)).query)) for _ in range(2)]

    assert first["code_challenge_method"] == "S256"
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name]) == 43
        assert first[name] != second[name]


async def test_an_answer_counts_in_the_browser_that_asked_alone(
    ours: Server, house: Server, app: App
) -> None:
    async with browsing(ours) as browser, browsing(ours) as victim, browsing(ours) as bare:
        back = await brought_back(house, await sent(browser, app), "twice@example.com")
        await sent(victim, app)
        forced = await victim.open(str(back))
        without = await bare.open(str(back))
        changed = await browser.open(str(back.copy_set_param("state", "x" * 43)))
        foreign = await browser.open(str(back.copy_set_param("iss", "https://evil.example")))
        unnamed = await browser.open(str(back.copy_remove_param("iss")))
        wrong_code = await browser.open(str(back.copy_set_param("code", "x" * 43)))
        good = await browser.open(str(back))

    statuses = [
        page.response.status_code for page in (forced, without, changed, foreign, unnamed, wrong_code)
    ]
    assert statuses == [400, 400, 400, 502, 502, 502]
    assert "Allow Test app?" in good.text


async def test_an_answer_is_good_once(ours: Server, house: Server, app: App) -> None:
    async with browsing(ours) as browser:
        back = await brought_back(house, await sent(browser, app), "twice@example.com")
        await browser.open(str(back))
        again = await browser.open(str(back))

    assert again.response.status_code == 400


async def test_nobody_is_sent_away_by_a_link_of_another_site(ours: Server, app: App) -> None:
    async with browsing(ours) as browser:
        await browser.open("/oauth/authorize", **asking(app))
        page = await browser.open(f"/oauth/with/{NAME}", next="/oauth/device", seal="0" * 64)
        unknown = await browser.open("/oauth/with/nobody", next="/oauth/device", seal="0" * 64)

    assert (page.response.status_code, unknown.response.status_code) == (400, 400)


async def test_who_planted_the_cookie_of_a_form_leads_nobody_away(ours: Server) -> None:
    chosen = "what-somebody-else-has-planted"
    async with httpx.AsyncClient(base_url=ours.url, cookies={"mg-form": chosen}) as http:
        away, good = [
            await http.get(
                f"/oauth/with/{NAME}",
                params={"next": following, "seal": seal(chosen, f"{NAME} {following}")},
            )
            for following in ("https://evil.example/", "/oauth/device")
        ]

    assert (away.status_code, good.status_code) == (400, 302)
    assert "location" not in away.headers


async def test_a_provider_that_denies_is_told_as_such(ours: Server, house: Server, app: App) -> None:
    async with browsing(ours) as browser, browsing(house) as there:
        consent = await there.sign_in(await there.open(await sent(browser, app)), "twice@example.com")
        denied = await there.send("/oauth/authorize", **consent.hidden(), decision="deny")
        page = await browser.open(denied.response.headers["location"])

    assert page.response.status_code == 502
    assert PASSWORD not in ours.log.read_text()


async def test_a_planted_cookie_leads_to_our_own_pages_alone(ours: Server, house: Server, app: App) -> None:
    async with browsing(ours) as browser:
        back = await brought_back(house, await sent(browser, app), "known@example.com")
        kept = orjson.loads(base64.urlsafe_b64decode(browser.http.cookies["mg-elsewhere"].strip('"')))
        planted = base64.urlsafe_b64encode(orjson.dumps(kept | {"next": "https://evil.example/"})).decode()
        browser.http.cookies.delete("mg-elsewhere")
        browser.http.cookies.set("mg-elsewhere", planted)
        page = await browser.http.get(back.raw_path.decode())

    assert page.status_code == 400
    assert "location" not in page.headers
