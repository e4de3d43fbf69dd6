"""Authorisation by code, as Authlib's client and a browser go through it, and what attackers try."""

import asyncio
import re
from typing import Any

import httpx
import pytest

from tests.e2e.oauth import (
    CALLBACK,
    EMAIL,
    SCOPE,
    VERIFIER,
    App,
    Browser,
    Page,
    asked,
    asking,
    browsing,
    client_of,
    code_for,
    command,
    exchanged,
    registered,
    told,
)
from tests.e2e.server import PASSWORD, Client, Server


async def test_an_app_acts_for_whoever_allows_it(oauth_server: Server, app: App) -> None:
    async with client_of(oauth_server, app) as client, browsing(oauth_server) as browser:
        url, state = client.create_authorization_url(
            f"{oauth_server.url}/oauth/authorize", code_verifier=VERIFIER
        )
        sign_in = await browser.open(url)
        consent = await browser.sign_in(sign_in, EMAIL)
        answer = await browser.allow(consent)
        tokens = await client.fetch_token(code=answer["code"], code_verifier=VERIFIER)
        first = client.token["access_token"]
        await client.refresh_token()

    assert "Test app" in consent.text
    assert "See your watchlist" in consent.text
    assert (answer["state"], answer["iss"]) == (state, oauth_server.issuer)
    assert tokens["token_type"] == "Bearer"
    assert tokens["expires_in"] == 900
    assert tokens["scope"] == SCOPE
    assert client.token["access_token"] != first
    found = await Client(oauth_server, client.token["access_token"]).ask(
        "{ viewer { watchlist { totalCount } } }"
    )
    assert found["viewer"]["watchlist"]["totalCount"] == 0


async def test_a_confidential_app_proves_itself_by_its_secret(oauth_server: Server, ada: Browser) -> None:
    app = await registered(oauth_server, "--confidential")
    code = await code_for(ada, app)
    other = App(app.id, "mg_cs_" + "x" * 43)

    refused = await exchanged(oauth_server, other, code)
    nobody = await exchanged(oauth_server, App(app.id, None), code)
    async with client_of(oauth_server, app) as client:
        tokens = await client.fetch_token(code=code, code_verifier=VERIFIER)

    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    assert (nobody.status_code, nobody.json()["error"]) == (401, "invalid_client")
    assert refused.headers["www-authenticate"].startswith("Basic")
    assert tokens["refresh_token"]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": VERIFIER, "code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"scope": "read:watchlist admin:full"}, "invalid_scope"),
        ({"scope": "read:everything"}, "invalid_scope"),
        ({"scope": "read:progress"}, "invalid_scope"),
        ({"resource": "https://elsewhere.example/"}, "invalid_target"),
    ],
)
async def test_a_request_that_is_wrong_goes_back_to_the_app_with_its_error(
    oauth_server: Server, app: App, change: dict[str, str | None], error: str
) -> None:
    async with browsing(oauth_server) as browser:
        page = await browser.open("/oauth/authorize", **asking(app, **change))

    answer = told(page.response)
    assert (answer["error"], answer["state"], answer["iss"]) == (error, "s1", oauth_server.issuer)
    assert "code" not in answer


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": "nobody"},
        {"client_id": None},
        {"redirect_uri": "https://evil.example/callback"},
        {"redirect_uri": CALLBACK + "/"},
        {"redirect_uri": CALLBACK + "?next=1"},
        {"redirect_uri": CALLBACK + "#fragment"},
        {"redirect_uri": CALLBACK.upper()},
        {"redirect_uri": "https://app.example/callback/../evil"},
        {"redirect_uri": "https://app.example.evil.example/callback"},
        {"redirect_uri": "https://app.example@evil.example/callback"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": 'https://app.example/callback"><script>'},
        {"redirect_uri": "http://app.example/callback"},
    ],
)
async def test_nobody_is_sent_where_the_app_is_not_registered(
    oauth_server: Server, app: App, change: dict[str, str | None]
) -> None:
    async with browsing(oauth_server) as browser:
        page = await browser.open("/oauth/authorize", **asking(app, **change))

    assert page.response.status_code == 400
    assert "location" not in page.response.headers
    assert "<script>" not in page.response.text
    assert "This request cannot be answered" in page.text


async def test_a_parameter_that_is_there_twice_is_refused(oauth_server: Server, app: App) -> None:
    async with httpx.AsyncClient(base_url=oauth_server.url) as http:
        page = await http.get("/oauth/authorize", params=[*asking(app).items(), ("scope", "x")])

    assert page.status_code == 400


async def test_a_denied_app_is_told_so_and_gets_nothing(oauth_server: Server, app: App) -> None:
    async with browsing(oauth_server) as browser:
        consent = await browser.sign_in(await browser.open("/oauth/authorize", **asking(app)), EMAIL)
        page = await browser.send("/oauth/authorize", **consent.hidden(), decision="deny")

    answer = told(page.response)
    assert (answer["error"], answer["state"], answer["iss"]) == ("access_denied", "s1", oauth_server.issuer)
    assert page.response.status_code == 303


async def test_a_wrong_password_shows_the_form_again_and_no_more(oauth_server: Server, app: App) -> None:
    async with browsing(oauth_server) as browser:
        form = await browser.open("/oauth/authorize", **asking(app))
        wrong = await browser.sign_in(form, EMAIL, "Wrong horse 7")
        unknown = await browser.sign_in(form, "nobody@example.com", "Wrong horse 7")
        hostile = await browser.sign_in(form, '"><script>', "Wrong horse 7")
        signed_in = await browser.sign_in(wrong, EMAIL)

    assert (wrong.response.status_code, unknown.response.status_code) == (401, 401)
    # What was typed stands there again, and nothing else tells the two apart.
    assert f'value="{EMAIL}"' in wrong.response.text
    assert plain(wrong).replace(EMAIL, "nobody@example.com") == plain(unknown)
    assert "<script>" not in hostile.response.text
    assert "Allow Test app?" in signed_in.text


def plain(page: Page) -> str:
    """What the page says, but for the question to a passkey, which is another each time."""
    asked = r'name="challenge" value="[^"]*"|"challenge":"[^"]*"'
    return re.sub(asked, "", page.text)


async def test_pages_are_strict_about_what_they_load_and_where_they_lead(
    oauth_server: Server, app: App
) -> None:
    async with browsing(oauth_server) as browser:
        page = await browser.open("/oauth/authorize", **asking(app))

    headers = page.response.headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self' https://app.example;" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in headers
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert re.findall("<script[^>]*>[^<]*", page.response.text) == [
        '<script src="/pages/passkey.js" type="module">'
    ]
    cookie = page.response.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


async def test_pages_speak_the_language_of_the_browser(oauth_server: Server, app: App) -> None:
    async with browsing(oauth_server) as browser:
        browser.http.headers["accept-language"] = "de-AT,de;q=0.9"
        form = await browser.open("/oauth/authorize", **asking(app))
        consent = await browser.sign_in(form, EMAIL)

    assert "Anmelden" in form.text
    assert "Deine Merkliste sehen" in consent.text


async def test_a_form_of_another_site_does_nothing(oauth_server: Server, app: App) -> None:
    async with browsing(oauth_server) as browser, browsing(oauth_server) as eve:
        consent = await browser.sign_in(await browser.open("/oauth/authorize", **asking(app)), EMAIL)
        hidden = consent.hidden()
        forged = await browser.send("/oauth/authorize", **(hidden | {"seal": "0" * 64}), decision="allow")
        of_another = await eve.send("/oauth/authorize", **hidden, decision="allow")
        changed = await browser.send(
            "/oauth/authorize", **(hidden | {"request": hidden["request"] + "&x=1"}), decision="allow"
        )
        browser.http.headers["sec-fetch-site"] = "cross-site"
        across = await browser.send("/oauth/authorize", **hidden, decision="allow")

    statuses = [page.response.status_code for page in (forged, of_another, changed, across)]
    assert statuses == [400] * 4


async def test_a_form_of_another_site_signs_nobody_in(oauth_server: Server, app: App) -> None:
    given = {"email": EMAIL, "password": PASSWORD}
    async with browsing(oauth_server) as browser, browsing(oauth_server) as eve:
        form = (await browser.open("/oauth/authorize", **asking(app))).hidden()
        eves = (await eve.open("/oauth/authorize", **asking(app))).hidden()
        sent = [
            form | {"seal": "0" * 64},
            form | {"seal": ""},
            form | {"next": "/oauth/device"},
            eves,
        ]
        pages = [await browser.send("/oauth/sign-in", **fields, **given) for fields in sent]
        passkeys = [
            await browser.send("/oauth/passkey", **(fields | {"credential": "{}"})) for fields in sent
        ]
        across = await browser.http.post(
            "/oauth/sign-in", data=form | given, headers={"sec-fetch-site": "cross-site"}
        )
        in_between = dict(browser.http.cookies)
        good = await browser.send("/oauth/sign-in", **form, **given)
    async with browsing(oauth_server) as bare:
        without = await bare.send("/oauth/sign-in", **eves, **given)

    assert [page.response.status_code for page in (*pages, *passkeys, without)] == [400] * 9
    assert across.status_code == 400
    assert "mg-session" not in in_between
    assert "Allow Test app?" in good.text


@pytest.mark.parametrize(
    "following",
    [
        "https://evil.example/",
        "//evil.example/oauth/authorize",
        "/\\evil.example",
        "/oauth/authorize/../x",
        "",
    ],
)
async def test_signing_in_leads_to_our_own_pages_only(oauth_server: Server, app: App, following: str) -> None:
    async with browsing(oauth_server) as browser:
        form = await browser.open("/oauth/authorize", **asking(app))
        page = await browser.send(
            "/oauth/sign-in", **(form.hidden() | {"next": following}), email=EMAIL, password=PASSWORD
        )

    assert page.response.status_code == 400


async def test_a_code_works_once_and_its_replay_ends_what_came_of_it(
    oauth_server: Server, app: App, ada: Browser
) -> None:
    code = await code_for(ada, app)
    async with client_of(oauth_server, app) as client:
        tokens = await client.fetch_token(code=code, code_verifier=VERIFIER)
        replayed = await exchanged(oauth_server, app, code)

    assert (replayed.status_code, replayed.json()["error"]) == (400, "invalid_grant")
    answer = await Client(oauth_server, tokens["access_token"]).answer("{ viewer { account { id } } }")
    assert answer["errors"][0]["extensions"]["reason"] == "REPLAYED"
    refreshed = await asked(
        oauth_server, app, grant_type="refresh_token", refresh_token=tokens["refresh_token"]
    )
    assert refreshed.json()["error"] == "invalid_grant"


async def test_of_codes_exchanged_at_once_one_wins_and_then_nobody_has_anything(
    oauth_server: Server, app: App, ada: Browser
) -> None:
    code = await code_for(ada, app)

    answers = await asyncio.gather(*(exchanged(oauth_server, app, code) for _ in range(10)))

    won = [answer.json() for answer in answers if answer.status_code == httpx.codes.OK]
    assert len(won) == 1
    assert {answer.json()["error"] for answer in answers if answer.status_code != httpx.codes.OK} == {
        "invalid_grant"
    }
    answer = await Client(oauth_server, won[0]["access_token"]).answer("{ viewer { account { id } } }")
    assert answer["errors"][0]["extensions"]["reason"] == "REPLAYED"


@pytest.mark.parametrize("verifier", ["w" * 64, "v" * 63, "", "short"])
async def test_a_stolen_code_is_worth_nothing_without_the_verifier(
    oauth_server: Server, app: App, ada: Browser, verifier: str
) -> None:
    code = await code_for(ada, app)

    stolen = await exchanged(oauth_server, app, code, code_verifier=verifier)

    assert stolen.status_code == 400
    assert stolen.json()["error"] in {"invalid_grant", "invalid_request"}


async def test_a_code_is_of_no_use_to_another_client_or_with_another_redirect_uri(
    oauth_server: Server, app: App, ada: Browser
) -> None:
    code = await code_for(ada, app)
    other = await registered(oauth_server)

    injected = await exchanged(oauth_server, other, code)
    elsewhere = await exchanged(oauth_server, app, code, redirect_uri="https://app.example/other")
    good = await exchanged(oauth_server, app, code)

    assert injected.json()["error"] == elsewhere.json()["error"] == "invalid_grant"
    assert good.status_code == 200


async def test_scopes_shrink_when_refreshed_and_never_grow(
    oauth_server: Server, app: App, ada: Browser
) -> None:
    code = await code_for(ada, app, scope="read:watchlist")
    tokens = (await exchanged(oauth_server, app, code)).json()

    more = await asked(
        oauth_server, app, grant_type="refresh_token", refresh_token=tokens["refresh_token"], scope=SCOPE
    )
    same = await asked(oauth_server, app, grant_type="refresh_token", refresh_token=tokens["refresh_token"])

    assert (more.status_code, more.json()["error"]) == (400, "invalid_scope")
    assert same.json()["scope"] == "read:watchlist"
    refused = await Client(oauth_server, same.json()["access_token"]).answer("{ viewer { sessions { id } } }")
    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_a_removed_client_can_do_nothing_more(oauth_server: Server, ada: Browser) -> None:
    app = await registered(oauth_server)
    tokens = (await exchanged(oauth_server, app, await code_for(ada, app))).json()

    printed = await command(oauth_server, "clients", "remove", app.id)
    listed = await command(oauth_server, "clients", "list")

    assert "1 sessions ended" in printed
    assert f"{app.id}  Test app  public" in listed
    refreshed = await asked(
        oauth_server, app, grant_type="refresh_token", refresh_token=tokens["refresh_token"]
    )
    assert (refreshed.status_code, refreshed.json()["error"]) == (401, "invalid_client")
    await asyncio.sleep(1)
    answer = await Client(oauth_server, tokens["access_token"]).answer("{ viewer { account { id } } }")
    assert answer["errors"][0]["extensions"]["reason"] == "ADMINISTRATOR"


@pytest.mark.parametrize(
    ("fields", "status", "error"),
    [
        ({"client_id": "APP"}, 400, "unsupported_grant_type"),
        ({"grant_type": "password", "username": "a", "password": "b"}, 400, "unsupported_grant_type"),
        ({"grant_type": "implicit"}, 400, "unsupported_grant_type"),
        ({"grant_type": "authorization_code"}, 401, "invalid_client"),
        ({"grant_type": "authorization_code", "client_id": "nobody"}, 401, "invalid_client"),
        ({"grant_type": "refresh_token", "client_id": "nobody\ud7ff\u00e4'\""}, 401, "invalid_client"),
        ({"grant_type": "client_credentials", "client_id": "APP"}, 401, "invalid_client"),
    ],
)
async def test_the_token_endpoint_says_what_is_wrong_and_no_more(
    oauth_server: Server, app: App, fields: dict[str, str], status: int, error: str
) -> None:
    given = {name: app.id if value == "APP" else value for name, value in fields.items()}
    async with httpx.AsyncClient(base_url=oauth_server.url) as http:
        answer = await http.post("/oauth/token", data=given)

    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.headers["cache-control"] == "no-store"
    assert set(answer.json()) <= {"error", "error_description"}


@pytest.mark.parametrize(
    "request_",
    [
        {"json": {"grant_type": "refresh_token"}},
        {"content": b"\xff=\xfe", "headers": {"content-type": "application/x-www-form-urlencoded"}},
        {"data": {"x": "y" * 20_000}},
        {"data": {f"x{number}": "y" for number in range(100)}},
        {
            "content": b"grant_type=a&grant_type=b",
            "headers": {"content-type": "application/x-www-form-urlencoded"},
        },
    ],
)
async def test_what_is_no_form_of_parameters_is_refused(
    oauth_server: Server, request_: dict[str, Any]
) -> None:
    async with httpx.AsyncClient(base_url=oauth_server.url) as http:
        answer = await http.post("/oauth/token", **request_)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_no_secret_of_all_this_is_in_the_log(oauth_server: Server, app: App, ada: Browser) -> None:
    code = await code_for(ada, app)
    tokens = (await exchanged(oauth_server, app, code)).json()

    log = oauth_server.log.read_text()

    secrets = (code, tokens["access_token"], tokens["refresh_token"], VERIFIER, PASSWORD)
    assert [secret for secret in secrets if secret in log] == []
