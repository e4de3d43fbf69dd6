"""The client libraries that people use go through every flow by themselves, knowing our address alone."""

from typing import Any

import httpx
import pytest
from authlib.integrations.starlette_client import OAuth
from joserfc import jwt
from joserfc.jwk import KeySet
from oauthlib.oauth2 import BackendApplicationClient, MismatchingStateError, WebApplicationClient
from oauthlib.oauth2.rfc6749.errors import InvalidGrantError

from tests.e2e.oauth import (
    CALLBACK,
    EMAIL,
    SCOPE,
    VERIFIER,
    App,
    Browser,
    browsing,
    client_of,
    registered,
)
from tests.e2e.server import Client, Server

VIEWER = "{ viewer { account { id } } }"
FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture(autouse=True)
def _without_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Oauthlib insists on TLS, which is a proxy's affair here."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")


async def sent(server: Server, url: str, headers: dict[str, str], body: str) -> httpx.Response:
    """What a library has prepared, sent to where the server says it answers."""
    async with httpx.AsyncClient() as http:
        return await http.post(url.replace(server.issuer, server.url), content=body, headers=headers)


async def metadata(server: Server) -> dict[str, Any]:
    async with httpx.AsyncClient(base_url=server.url) as http:
        found: dict[str, Any] = (await http.get("/.well-known/oauth-authorization-server")).json()
    return found


@pytest.fixture
async def site(oauth_server: Server) -> App:
    return await registered(
        oauth_server, "--confidential", "--grant", "authorization_code", "--grant", "refresh_token",
        "--redirect-uri", CALLBACK, scope=f"{SCOPE} openid profile email",
    )  # fmt: skip


async def test_oauthlib_signs_in_refreshes_and_signs_out(
    oauth_server: Server, app: App, ada: Browser
) -> None:
    found = await metadata(oauth_server)
    client = WebApplicationClient(app.id, code_verifier=VERIFIER)
    challenge = client.create_code_challenge(VERIFIER, "S256")

    url, _, _ = client.prepare_authorization_request(
        found["authorization_endpoint"], state="s-1", redirect_url=CALLBACK, scope=SCOPE.split(),
        code_challenge=challenge, code_challenge_method="S256",
    )  # fmt: skip
    consent = await ada.open(url)
    done = await ada.send("/oauth/authorize", **consent.hidden(), decision="allow")
    with pytest.raises(MismatchingStateError):
        client.parse_request_uri_response(done.response.headers["location"], state="another")
    client.parse_request_uri_response(done.response.headers["location"], state="s-1")
    asking = client.prepare_token_request(found["token_endpoint"], code_verifier=VERIFIER)
    tokens = client.parse_request_body_response((await sent(oauth_server, *asking)).text, SCOPE.split())
    asking = client.prepare_refresh_token_request(found["token_endpoint"], client_id=app.id)
    answer = await sent(oauth_server, *asking)
    refreshed = client.parse_request_body_response(answer.text, SCOPE.split())
    ending = client.prepare_token_revocation_request(
        found["revocation_endpoint"], refreshed["refresh_token"], "refresh_token", client_id=app.id
    )
    ended = await sent(oauth_server, *ending)

    assert (await Client(oauth_server, tokens["access_token"]).answer(VIEWER)).get("errors")
    assert refreshed["refresh_token"] != tokens["refresh_token"]
    assert ended.status_code == 200
    asking = client.prepare_refresh_token_request(found["token_endpoint"], client_id=app.id)
    with pytest.raises(InvalidGrantError):
        client.parse_request_body_response((await sent(oauth_server, *asking)).text)


async def test_oauthlib_is_a_service(oauth_server: Server) -> None:
    found = await metadata(oauth_server)
    service = await registered(
        oauth_server, "--confidential", "--grant", "client_credentials", scope="read:content"
    )
    client = BackendApplicationClient(service.id)

    url, headers, body = client.prepare_token_request(
        found["token_endpoint"], scope=["read:content"], include_client_id=True, client_secret=service.secret
    )
    tokens = client.parse_request_body_response((await sent(oauth_server, url, headers, body)).text)

    assert (await Client(oauth_server, tokens["access_token"]).ask("{ genres { id } }"))["genres"]


async def test_authlibs_site_signs_people_in_by_discovery(
    oauth_server: Server, site: App, ada: Browser
) -> None:
    oauth = OAuth()
    client = oauth.register(
        "gateway",
        client_id=site.id,
        client_secret=site.secret,
        server_metadata_url=f"{oauth_server.url}/.well-known/openid-configuration",
        client_kwargs={"scope": "openid profile email", "code_challenge_method": "S256"},
    )

    begun = await client.create_authorization_url(CALLBACK)
    consent = await ada.open(begun["url"])
    told = await ada.allow(consent)
    tokens = await client.fetch_access_token(
        redirect_uri=CALLBACK, code=told["code"], code_verifier=begun["code_verifier"]
    )
    about = await client.userinfo(token=tokens)
    found = await metadata(oauth_server)
    with pytest.warns(match="RFC 9864"):
        identity = await client.parse_id_token(tokens, nonce=begun["nonce"])

    assert (told["state"], told["iss"]) == (begun["state"], found["issuer"])
    assert (identity["email"], identity["sub"], identity["aud"]) == (EMAIL, about["sub"], site.id)
    assert about["name"] == "Viewer"


async def test_authlib_refreshes_introspects_and_revokes(
    oauth_server: Server, site: App, ada: Browser
) -> None:
    async with client_of(oauth_server, site) as client:
        url, _ = client.create_authorization_url(
            f"{oauth_server.url}/oauth/authorize", code_verifier=VERIFIER
        )
        told = await ada.allow(await ada.open(url))
        await client.fetch_token(code=told["code"], code_verifier=VERIFIER)
        token = await client.refresh_token(f"{oauth_server.url}/oauth/token")
        before = await client.introspect_token(f"{oauth_server.url}/oauth/introspect", token["access_token"])
        await client.revoke_token(f"{oauth_server.url}/oauth/revoke", token["refresh_token"])
        after = await client.introspect_token(f"{oauth_server.url}/oauth/introspect", token["access_token"])

    assert (before.json()["active"], before.json()["client_id"]) == (True, site.id)
    assert after.json() == {"active": False}


async def test_joserfc_reads_our_access_tokens_by_our_published_keys(
    oauth_server: Server, app: App, ada: Browser
) -> None:
    found = await metadata(oauth_server)
    async with httpx.AsyncClient() as http:
        keys = KeySet.import_key_set(
            (await http.get(found["jwks_uri"].replace(oauth_server.issuer, oauth_server.url))).json()
        )
    async with client_of(oauth_server, app) as client:
        url, _ = client.create_authorization_url(
            f"{oauth_server.url}/oauth/authorize", code_verifier=VERIFIER
        )
        told = await ada.allow(await ada.open(url))
        token = (await client.fetch_token(code=told["code"], code_verifier=VERIFIER))["access_token"]

    with pytest.warns(match="RFC 9864"):
        read = jwt.decode(token, keys, algorithms=["EdDSA"])

    claims = read.claims
    assert read.header["typ"] == "at+jwt"
    assert (claims["iss"], claims["aud"], claims["client_id"]) == (found["issuer"], found["issuer"], app.id)
    assert {"sub", "sid", "fam", "jti", "iat", "exp", "auth_time", "scope", "roles", "tier"} <= claims.keys()
    assert claims["exp"] - claims["iat"] == 900


async def test_a_browser_signs_out_on_our_pages(oauth_server: Server) -> None:
    async with browsing(oauth_server) as browser:
        page = await browser.sign_in(await browser.open("/oauth/device"), EMAIL)
        form = page.hidden(-1) if 'action="/oauth/sign-out"' in page.text else {}
        cookie = browser.http.cookies["mg-session"]
        out = await browser.send("/oauth/sign-out", **form)
        browser.http.cookies.set("mg-session", cookie)
        stolen = await browser.open("/oauth/device")

    assert 'name="password"' in out.text
    assert 'name="password"' in stolen.text
