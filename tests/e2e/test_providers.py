"""Signing in with GitHub and with Apple, at servers that speak as these do."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import orjson
import pytest
from joserfc.jwk import RSAKey

from tests.conftest import fresh_database
from tests.e2e.oauth import Browser, Page, browsing
from tests.e2e.providers import Providers, running_providers
from tests.e2e.server import Server, register, running

APPLE_SITE = {"origin": "https://appleid.apple.com", "sec-fetch-site": "cross-site"}


@pytest.fixture(scope="module")
async def providers() -> AsyncIterator[Providers]:
    async with running_providers() as known:
        yield known


@pytest.fixture(scope="module")
async def ours(scratch: Path, postgres_url: str, providers: Providers) -> AsyncIterator[Server]:
    settings = {
        "database_url": await fresh_database(postgres_url, "media_gateway_providers"),
        "demo_catalogue": "false",
        "issuer": "http://127.0.0.1:{port}",
        "sign_in_providers": orjson.dumps(providers.settings()).decode(),
    }
    async with running(scratch / "providers", **settings) as server:
        await register(server, "taken@example.com")
        yield server


@pytest.fixture(autouse=True)
def _honest(providers: Providers) -> None:
    providers.claims, providers.refusals = {}, []


async def left(browser: Browser, name: str) -> str:
    """Where our sign-in page sends a browser."""
    form = await browser.open("/oauth/device")
    link = form.text.partition(f'href="/oauth/with/{name}')[2].partition('"')[0]
    response = await browser.http.get(f"/oauth/with/{name}{link}")
    assert response.status_code == 302, response.text
    return str(response.headers["location"])


async def by_github(ours: Server, providers: Providers, *emails: dict[str, Any], id_: int) -> Page:
    providers.person = {"id": id_, "emails": list(emails)}
    async with browsing(ours) as browser, httpx.AsyncClient() as outside:
        back = (await outside.get(await left(browser, "github"))).headers["location"]
        return await browser.open(back)


async def by_apple(ours: Server, browser: Browser, providers: Providers, **person: Any) -> Page:
    providers.person = person
    async with httpx.AsyncClient() as outside:
        sent = (await outside.get(await left(browser, "apple"))).json()
    assert sent["action"] == f"{ours.issuer}/oauth/with/apple/callback"
    response = await browser.http.post("/oauth/with/apple/callback", data=sent["fields"], headers=APPLE_SITE)
    return Page(response) if response.status_code != 303 else await browser.open(response.headers["location"])


async def account_of(server: Server, email: str) -> Any:
    connection = await asyncpg.connect(server.settings["MEDIA_GATEWAY_DATABASE_URL"])
    try:
        return await connection.fetchrow(
            """SELECT display_name, email_verified_at IS NOT NULL, l.provider, l.subject
                 FROM account a LEFT JOIN linked_identity l ON l.account_id = a.id WHERE email = $1""",
            email,
        )
    finally:
        await connection.close()


async def test_github_vouches_by_the_primary_address_that_it_has_proven(
    ours: Server, providers: Providers
) -> None:
    page = await by_github(
        ours,
        providers,
        {"email": "other@example.com", "primary": False, "verified": True},
        {"email": "cat@example.com", "primary": True, "verified": True},
        id_=583231,
    )

    assert "Signed in as cat@example.com" in page.text
    assert tuple(await account_of(ours, "cat@example.com")) == ("octocat", True, "github", "583231")
    assert await account_of(ours, "public@example.com") is None, "the public address proves nothing"
    assert providers.refusals == []


@pytest.mark.parametrize(
    "emails",
    [
        [{"email": "loose@example.com", "primary": True, "verified": False}],
        [{"email": "loose@example.com", "primary": False, "verified": True}],
        [],
        ["loose@example.com", None],
    ],
)
async def test_github_without_a_proven_address_opens_nothing(
    ours: Server, providers: Providers, emails: list[Any]
) -> None:
    page = await by_github(ours, providers, *emails, id_=7)

    assert page.response.status_code == 409
    assert await account_of(ours, "loose@example.com") is None


async def test_github_links_no_account_whose_address_is_not_proven_here(
    ours: Server, providers: Providers
) -> None:
    page = await by_github(
        ours, providers, {"email": "taken@example.com", "primary": True, "verified": True}, id_=8
    )

    assert page.response.status_code == 409
    assert (await account_of(ours, "taken@example.com"))["provider"] is None


async def test_a_code_of_github_that_is_wrong_signs_nobody_in(ours: Server, providers: Providers) -> None:
    async with browsing(ours) as browser, httpx.AsyncClient() as outside:
        back = httpx.URL((await outside.get(await left(browser, "github"))).headers["location"])
        page = await browser.open(str(back.copy_set_param("code", "stolen")))

    assert page.response.status_code == 502
    assert providers.refusals == ["code"]


async def test_apple_comes_back_by_a_form_of_its_own_site_with_a_name_the_first_time(
    ours: Server, providers: Providers
) -> None:
    person = {"sub": "001.abc", "email": "relay@privaterelay.appleid.com"}
    async with browsing(ours) as browser:
        first = await by_apple(ours, browser, providers, **person, first_time=True)
    async with browsing(ours) as browser:
        second = await by_apple(ours, browser, providers, **person)

    assert "Signed in as relay@privaterelay.appleid.com" in first.text
    assert "Signed in as relay@privaterelay.appleid.com" in second.text
    kept = await account_of(ours, person["email"])
    assert tuple(kept) == ("Ada Byron", True, "apple", "001.abc")
    assert providers.refusals == [], "the secret was a JWT as Apple wants it"


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "com.example.other"},
        {"iss": "https://evil.example"},
        {"nonce": "another"},
        {"exp": 1_000_000_000},
        {"email_verified": "false"},
        {"azp": "com.example.other"},
        {"email_verified": []},
        {"email": ["bad@example.com"]},
    ],
)
async def test_a_token_of_apple_that_does_not_fit_signs_nobody_in(
    ours: Server, providers: Providers, claims: dict[str, Any]
) -> None:
    providers.claims = claims
    async with browsing(ours) as browser:
        page = await by_apple(ours, browser, providers, sub="001.bad", email="bad@example.com")

    assert page.response.status_code in {409, 502}
    assert await account_of(ours, "bad@example.com") is None


async def test_a_token_that_another_key_signed_is_not_apples(ours: Server, providers: Providers) -> None:
    good, providers.published = providers.signing, providers.signing
    providers.signing = RSAKey.generate_key(2048, {"kid": "apple-1"})
    try:
        async with browsing(ours) as browser:
            page = await by_apple(ours, browser, providers, sub="001.forged", email="forged@example.com")
    finally:
        providers.signing, providers.published = good, None

    assert page.response.status_code == 502
    assert await account_of(ours, "forged@example.com") is None


async def test_what_one_provider_was_asked_is_not_answered_by_another(
    ours: Server, providers: Providers
) -> None:
    """Mixed up, the code of one would be shown to the other (RFC 9700, section 4.4)."""
    providers.person = {"sub": "001.mixed", "email": "mixed@example.com"}
    async with browsing(ours) as browser, httpx.AsyncClient() as outside:
        sent = (await outside.get(await left(browser, "apple"))).json()
        mixed = await browser.http.get("/oauth/with/github/callback", params=sent["fields"])

    assert mixed.status_code == 400
    assert providers.refusals == [], "nobody was shown the code"


async def test_a_link_leads_to_the_provider_that_it_names_alone(ours: Server) -> None:
    async with browsing(ours) as browser:
        form = await browser.open("/oauth/device")
        link = form.text.partition('href="/oauth/with/github')[2].partition('"')[0]
        other = await browser.http.get(f"/oauth/with/apple{link}")
        of_the_form = await browser.http.get(
            "/oauth/with/apple", params={"next": "/oauth/device", "seal": form.hidden()["seal"]}
        )

    assert (other.status_code, of_the_form.status_code) == (400, 400)


async def test_a_form_for_somebody_elses_browser_does_nothing(ours: Server, providers: Providers) -> None:
    providers.person = {"sub": "001.eve", "email": "eve@example.com"}
    async with browsing(ours) as eve, browsing(ours) as victim, httpx.AsyncClient() as outside:
        sent = (await outside.get(await left(eve, "apple"))).json()
        await left(victim, "apple")
        forced = await victim.http.post("/oauth/with/apple/callback", data=sent["fields"], headers=APPLE_SITE)

    assert forced.status_code == 400
    assert await account_of(ours, "eve@example.com") is None
