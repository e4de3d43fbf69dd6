"""Tokens of services, what is said of tokens, and their end."""

import base64
import hashlib
import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from domain.identity.keys import SigningKeys
from domain.identity.tokens import Issuer, Tokens
from gateway.time_and_ids import new_id
from tests.e2e.oauth import (
    CALLBACK,
    EMAIL,
    SCOPE,
    App,
    Browser,
    asked,
    asking,
    browsing,
    client_of,
    code_for,
    exchanged,
    execute,
    graph,
    key_of,
    registered,
    rows,
    told,
)
from tests.e2e.server import PASSWORD, Client, Failed, Server, register

VIEWER = "{ viewer { account { id } } }"
ACCOUNTS = "{ admin { accounts(first: 1) { totalCount } } }"
SIGN_IN = f"""mutation {{ signIn(input: {{email: "{EMAIL}", password: "{PASSWORD}"}}) {{
  accessToken account {{ id }} }} }}"""


async def post(server: Server, path: str, app: App, **fields: str) -> httpx.Response:
    credentials = None if app.secret is None else (app.id, app.secret)
    given = fields if credentials else {"client_id": app.id, **fields}
    async with httpx.AsyncClient(base_url=server.url) as http:
        return await http.post(path, data=given, auth=credentials or httpx.USE_CLIENT_DEFAULT)


# ── services ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
async def service(oauth_server: Server) -> App:
    return await registered(
        oauth_server, "--confidential", "--grant", "client_credentials", scope="read:content"
    )


async def test_a_service_gets_a_token_of_its_own_and_no_more(oauth_server: Server, service: App) -> None:
    async with client_of(oauth_server, service, scope="read:content") as client:
        tokens = await client.fetch_token(grant_type="client_credentials")

    assert "refresh_token" not in tokens
    assert tokens["scope"] == "read:content"
    caller = Client(oauth_server, tokens["access_token"])
    assert (await caller.ask("{ genres { id } }"))["genres"]
    assert (await caller.answer(VIEWER))["data"] == {"viewer": None}
    more = await asked(oauth_server, service, grant_type="client_credentials", scope="read:watchlist")
    assert more.json()["error"] == "invalid_scope"


async def test_a_public_client_cannot_be_a_service(oauth_server: Server, app: App) -> None:
    answer = await asked(oauth_server, app, grant_type="client_credentials")

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


# ── introspection and revocation ─────────────────────────────────────────────────────────────────────────


async def test_a_service_is_told_of_its_own_tokens_alone(
    oauth_server: Server, service: App, app: App, ada: Browser
) -> None:
    own = (await asked(oauth_server, service, grant_type="client_credentials")).json()["access_token"]
    others = (await exchanged(oauth_server, app, await code_for(ada, app))).json()

    of_own = (await post(oauth_server, "/oauth/introspect", service, token=own)).json()
    of_others = [
        (await post(oauth_server, "/oauth/introspect", service, token=token)).json()
        for token in (others["access_token"], others["refresh_token"], "nonsense", own[:-3] + "abc")
    ]
    public = await post(oauth_server, "/oauth/introspect", app, token=others["access_token"])

    assert of_own["active"]
    assert (of_own["sub"], of_own["scope"]) == (service.id, "read:content")
    assert of_others == [{"active": False}] * 4
    assert public.status_code == 401


async def test_a_trusted_service_is_told_of_all_tokens(oauth_server: Server, app: App, ada: Browser) -> None:
    trusted = await registered(
        oauth_server, "--confidential", "--trusted", "--grant", "client_credentials", scope="read:content"
    )
    tokens = (await exchanged(oauth_server, app, await code_for(ada, app))).json()

    access = (await post(oauth_server, "/oauth/introspect", trusted, token=tokens["access_token"])).json()
    refresh = (await post(oauth_server, "/oauth/introspect", trusted, token=tokens["refresh_token"])).json()

    assert access["active"]
    assert access["client_id"] == refresh["client_id"] == app.id
    assert access["sid"] == refresh["sid"]
    assert set(access["scope"].split()) == set(SCOPE.split())


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
async def test_revoking_a_token_ends_its_session(
    oauth_server: Server, app: App, ada: Browser, kind: str
) -> None:
    tokens = (await exchanged(oauth_server, app, await code_for(ada, app))).json()
    async with client_of(oauth_server, app) as client:
        client.token = tokens
        answer = await client.revoke_token(f"{oauth_server.url}/oauth/revoke", tokens[kind], kind)
        again = await client.revoke_token(f"{oauth_server.url}/oauth/revoke", tokens[kind], "nonsense")

    assert (answer.status_code, again.status_code) == (200, 200)
    refused = await Client(oauth_server, tokens["access_token"]).answer(VIEWER)
    assert refused["errors"][0]["extensions"]["reason"] == "SIGNED_OUT"
    refreshed = await asked(
        oauth_server, app, grant_type="refresh_token", refresh_token=tokens["refresh_token"]
    )
    assert refreshed.json()["error"] == "invalid_grant"


async def test_a_token_of_a_service_is_revoked_alone(oauth_server: Server, service: App) -> None:
    first, second = [
        (await asked(oauth_server, service, grant_type="client_credentials")).json()["access_token"]
        for _ in range(2)
    ]

    await post(oauth_server, "/oauth/revoke", service, token=first)

    refused = await Client(oauth_server, first).answer("{ genres { id } }")
    assert refused["errors"][0]["extensions"]["reason"] == "SIGNED_OUT"
    assert await Client(oauth_server, second).ask("{ genres { id } }")


async def test_nobody_revokes_the_tokens_of_another_client(
    oauth_server: Server, service: App, app: App, ada: Browser
) -> None:
    tokens = (await exchanged(oauth_server, app, await code_for(ada, app))).json()

    await post(oauth_server, "/oauth/revoke", service, token=tokens["access_token"])

    assert (await Client(oauth_server, tokens["access_token"]).ask(VIEWER))["viewer"]


# ── resources ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("path", "status"), [("/graphql", 200), ("", 200), ("/mcp", 401)])
async def test_a_token_is_good_for_the_resource_it_is_for(
    oauth_server: Server, app: App, ada: Browser, path: str, status: int
) -> None:
    code = await code_for(ada, app, resource=oauth_server.issuer + path)
    tokens = (await exchanged(oauth_server, app, code)).json()

    answer = await graph(oauth_server, VIEWER, authorization=f"Bearer {tokens['access_token']}")

    assert answer.status_code == status
    if status == 401:
        challenge = answer.headers["www-authenticate"]
        metadata = f"{oauth_server.issuer}/.well-known/oauth-protected-resource/graphql"
        assert f'resource_metadata="{metadata}"' in challenge
        assert 'error="invalid_token"' in challenge


async def test_a_code_cannot_be_turned_to_another_resource(
    oauth_server: Server, app: App, ada: Browser
) -> None:
    code = await code_for(ada, app, resource=f"{oauth_server.issuer}/graphql")

    answer = await exchanged(oauth_server, app, code, resource=f"{oauth_server.issuer}/mcp")

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_target")


@pytest.mark.parametrize(
    ("path", "name"),
    [("", "Media Gateway"), ("/graphql", "Media Gateway (GraphQL)"), ("/mcp", "Media Gateway (MCP)")],
)
async def test_a_resource_says_where_its_tokens_come_from(oauth_server: Server, path: str, name: str) -> None:
    async with httpx.AsyncClient(base_url=oauth_server.url) as http:
        answer = await http.get(f"/.well-known/oauth-protected-resource{path}")
        server = (await http.get("/.well-known/oauth-authorization-server")).json()

    found = answer.json()
    scopes = found.pop("scopes_supported")
    assert found == {
        "resource": oauth_server.issuer + path,
        "resource_name": name,
        "authorization_servers": [server["issuer"]],
        "bearer_methods_supported": ["header"],
        "dpop_signing_alg_values_supported": ["ES256", "EdDSA", "RS256"],
    }
    assert found["resource"] in server["protected_resources"]
    # Those of OpenID Connect are about who signs in, and nothing that a resource asks for.
    assert set(server["scopes_supported"]) - set(scopes) == {"openid", "profile", "email"}
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("path", ["/elsewhere", "/graphql/", "/mcp/x", "//mcp", "/%2e%2e/mcp"])
async def test_there_are_no_other_resources(oauth_server: Server, path: str) -> None:
    async with httpx.AsyncClient(base_url=oauth_server.url) as http:
        assert (await http.get(f"/.well-known/oauth-protected-resource{path}")).status_code == 404


# ── pushed requests ──────────────────────────────────────────────────────────────────────────────────────


async def test_a_request_is_pushed_and_then_referred_to(oauth_server: Server, app: App, ada: Browser) -> None:
    pushed = await post(oauth_server, "/oauth/par", app, **asking(app))

    reference = pushed.json()["request_uri"]
    consent = await ada.open("/oauth/authorize", client_id=app.id, request_uri=reference)
    answer = await ada.allow(consent)

    assert (pushed.status_code, pushed.json()["expires_in"]) == (201, 90)
    assert answer["state"] == "s1"
    assert (await exchanged(oauth_server, app, answer["code"])).status_code == 200


async def test_a_pushed_request_is_of_no_use_to_another_client(
    oauth_server: Server, app: App, ada: Browser
) -> None:
    other = await registered(oauth_server)
    reference = (await post(oauth_server, "/oauth/par", app, **asking(app))).json()["request_uri"]

    for client_id, uri in (
        (other.id, reference),
        (app.id, reference + "x"),
        (app.id, "https://evil.example/request.jwt"),
    ):
        page = await ada.open("/oauth/authorize", client_id=client_id, request_uri=uri)
        assert page.response.status_code == 400


async def test_a_client_with_a_secret_pushes_nothing_without_it(oauth_server: Server) -> None:
    secret = await registered(oauth_server, "--confidential", "--redirect-uri", CALLBACK)
    good = await post(oauth_server, "/oauth/par", secret, **asking(secret))
    answers = [
        await post(oauth_server, "/oauth/par", App(secret.id, given), **asking(secret))
        for given in (None, "x" * 43)
    ]

    assert good.status_code == 201
    assert [answer.status_code for answer in answers] == [401, 401]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"redirect_uri": "https://evil.example/"}, "invalid_request"),
        ({"scope": "read:everything"}, "invalid_scope"),
        ({"request_uri": "urn:x"}, "invalid_request"),
    ],
)
async def test_a_pushed_request_that_is_wrong_is_refused_at_once(
    oauth_server: Server, app: App, change: dict[str, str], error: str
) -> None:
    pushed = await post(oauth_server, "/oauth/par", app, **asking(app, **change))

    assert (pushed.status_code, pushed.json()["error"]) == (400, error)


# ── acting as somebody ───────────────────────────────────────────────────────────────────────────────────


EXCHANGE = {
    "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
    "subject_token_type": "urn:media-gateway:params:oauth:token-type:account",
    "actor_token_type": "urn:ietf:params:oauth:token-type:access_token",
}


@dataclass(frozen=True)
class Desk:
    """A client for support, an administrator's token, and who is to be acted as."""

    app: App
    admin_id: str
    admin_token: str
    viewer_id: str
    viewer_token: str


@pytest.fixture(scope="module")
async def desk(oauth_server: Server) -> Desk:
    app = await registered(oauth_server, "--confidential", "--grant", "token_exchange")
    await Client(oauth_server).ask(REGISTER.format("boss"))
    viewer = (await Client(oauth_server).ask(REGISTER.format("viewer")))["registerAccount"]
    admin_id = await key_of(oauth_server, "boss@example.com")
    await execute(oauth_server, "UPDATE account SET roles = '{viewer,admin}' WHERE id = $1", admin_id)
    admin = (await Client(oauth_server).ask(SIGN_IN.replace(EMAIL, "boss@example.com")))["signIn"]
    viewer_id = await key_of(oauth_server, "viewer@example.com")
    return Desk(app, admin_id, admin["accessToken"], viewer_id, viewer["accessToken"])


async def test_an_administrator_acts_as_an_account_for_a_quarter_of_an_hour(
    oauth_server: Server, desk: Desk
) -> None:
    subject, actor = {"subject_token": desk.viewer_id}, {"actor_token": desk.admin_token}

    answer = await asked(oauth_server, desk.app, **EXCHANGE, **subject, **actor)

    assert answer.status_code == 200, answer.text
    assert answer.json()["expires_in"] == 900
    assert "refresh_token" not in answer.json()
    acting = Client(oauth_server, answer.json()["access_token"])
    seen = (await acting.ask("{ viewer { impersonated account { id } } }"))["viewer"]
    own = (await Client(oauth_server, desk.viewer_token).ask(VIEWER))["viewer"]
    assert seen == {"impersonated": True, **own}
    with pytest.raises(Failed):
        await acting.ask("mutation { signOut(input: {sessions: ALL}) { endedSessions } }")
    chained = {"subject_token": desk.admin_id, "actor_token": answer.json()["access_token"]}
    refused = await asked(oauth_server, desk.app, **EXCHANGE, **chained)
    assert refused.json()["error"] == "invalid_grant"
    entries = await rows(
        oauth_server, "SELECT account_id, resource_id FROM audit_entry WHERE action = 'account.impersonated'"
    )
    assert [(str(row[0]), row[1]) for row in entries] == [(desk.admin_id, desk.viewer_id)]


async def test_acting_goes_no_further_than_was_asked_for(oauth_server: Server, desk: Desk) -> None:
    given = EXCHANGE | {"subject_token": desk.viewer_id, "actor_token": desk.admin_token}

    async def error(**wanted: str) -> str:
        return str((await asked(oauth_server, desk.app, **given, **wanted)).json()["error"])

    answer = await asked(
        oauth_server, desk.app, **given, scope="read:watchlist", resource=f"{oauth_server.issuer}/mcp"
    )
    claims = json.loads(base64.urlsafe_b64decode(answer.json()["access_token"].split(".")[1] + "=="))

    assert (claims["scope"], claims["aud"]) == ("read:watchlist", [f"{oauth_server.issuer}/mcp"])
    assert await error(scope="read:watchlist write:security") == "invalid_scope"
    assert await error(scope="playback:control") == "invalid_scope"
    assert await error(resource="https://elsewhere.example") == "invalid_target"
    assert await error(audience="everybody") == "invalid_target"


WITHOUT: list[dict[str, str | None]] = [
    {"subject_token_type": EXCHANGE["actor_token_type"]},
    {"subject_token_type": None},
    {"actor_token_type": EXCHANGE["subject_token_type"]},
    {"actor_token_type": None},
    {"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"},
    {"subject_token": None},
    {"actor_token": None},
]


@pytest.mark.parametrize("change", WITHOUT, ids=str)
async def test_an_exchange_of_anything_else_is_refused(
    oauth_server: Server, desk: Desk, change: dict[str, str | None]
) -> None:
    given = EXCHANGE | {"subject_token": desk.viewer_id, "actor_token": desk.admin_token} | change

    answer = await asked(oauth_server, desk.app, **{name: text for name, text in given.items() if text})

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_a_client_that_was_not_registered_for_it_exchanges_nothing(
    oauth_server: Server, desk: Desk
) -> None:
    given = EXCHANGE | {"subject_token": desk.viewer_id, "actor_token": desk.admin_token}
    service = await registered(oauth_server, "--confidential", "--grant", "client_credentials")

    answer = await asked(oauth_server, service, **given)

    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")


async def test_nobody_else_acts_as_an_account(oauth_server: Server, desk: Desk, app: App) -> None:
    async def error(subject: str, actor: str, client: App = desk.app) -> str:
        answer = await asked(oauth_server, client, **EXCHANGE, subject_token=subject, actor_token=actor)
        return str(answer.json()["error"])

    assert await error(desk.viewer_id, desk.admin_token, app) == "invalid_client"
    assert await error(desk.admin_id, desk.viewer_token) == "invalid_grant"
    assert await error(desk.admin_id, desk.admin_token) == "invalid_grant"
    assert await error(desk.viewer_id, desk.admin_token[:-4] + "AAAA") == "invalid_grant"
    assert await error(str(uuid.uuid4()), desk.admin_token) == "invalid_grant"


async def test_no_administrator_acts_as_another(oauth_server: Server, desk: Desk) -> None:
    await Client(oauth_server).ask(REGISTER.format("chief"))
    chief_id = await key_of(oauth_server, "chief@example.com")
    await execute(oauth_server, "UPDATE account SET roles = '{viewer,admin}' WHERE id = $1", chief_id)

    answer = await asked(
        oauth_server, desk.app, **EXCHANGE, subject_token=chief_id, actor_token=desk.admin_token
    )

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert (
        await rows(
            oauth_server,
            "SELECT 1 FROM audit_entry WHERE action = 'account.impersonated' AND resource_id = $1",
            chief_id,
        )
        == []
    )
    assert (
        await rows(
            oauth_server,
            "SELECT 1 FROM login_session WHERE acting_id = $1 AND account_id = $2",
            desk.admin_id,
            chief_id,
        )
        == []
    )


async def test_an_application_that_an_administrator_lets_look_acts_as_nobody(
    oauth_server: Server, desk: Desk
) -> None:
    looking = await registered(oauth_server, scope="admin:read")
    async with browsing(oauth_server) as browser:
        await browser.sign_in(await browser.open("/oauth/device"), "boss@example.com")
        code = await code_for(browser, looking, scope="admin:read")
    token = (await exchanged(oauth_server, looking, code)).json()["access_token"]

    answer = await asked(oauth_server, desk.app, **EXCHANGE, subject_token=desk.viewer_id, actor_token=token)

    assert (await Client(oauth_server, token).ask(ACCOUNTS))["admin"]["accounts"]["totalCount"] > 0
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


async def test_an_administrators_token_for_elsewhere_or_without_its_key_acts_as_nobody(
    oauth_server: Server, desk: Desk
) -> None:
    graph_alone = {"aud": f"{oauth_server.issuer}/graphql"}
    changes: list[dict[str, Any]] = [{}, {"cnf": {"jkt": "x" * 43}}, graph_alone]

    answers = [
        await asked(
            oauth_server,
            desk.app,
            **EXCHANGE,
            subject_token=desk.viewer_id,
            actor_token=signed_again(oauth_server, desk.admin_token, change),
        )
        for change in changes
    ]

    assert [answer.status_code for answer in answers] == [200, 400, 400]
    assert {answer.json()["error"] for answer in answers[1:]} == {"invalid_grant"}


def signed_again(server: Server, token: str, change: dict[str, str | dict[str, str]]) -> str:
    """The same token but for some claims, by the key that the server keeps."""
    keys = SigningKeys.of((server.log.parent / "signing-key.json").read_text())
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    issuer = Issuer(server.issuer, server.issuer, 900)
    return Tokens(keys, issuer, lambda: datetime.now(UTC), new_id).sign(claims | change)


REGISTER = """mutation {{ registerAccount(input: {{
  email: "{}@example.com", password: "A-good-Passw0rd", displayName: "X"}}) {{
  accessToken account {{ id }} }} }}"""


# ── OpenID Connect ───────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
async def site(oauth_server: Server) -> App:
    return await registered(oauth_server, "--confidential", scope="openid profile email")


async def test_a_site_learns_who_signs_in(oauth_server: Server, site: App, ada: Browser) -> None:
    async with httpx.AsyncClient(base_url=oauth_server.url) as http:
        found = (await http.get("/.well-known/openid-configuration")).json()
        keys = KeySet.import_key_set((await http.get("/.well-known/jwks.json")).json())
    code = await code_for(ada, site, scope="openid profile email", nonce="n-1")
    tokens = (await exchanged(oauth_server, site, code)).json()
    async with httpx.AsyncClient(base_url=oauth_server.url) as http:
        headers = {"authorization": f"Bearer {tokens['access_token']}"}
        about = await http.get("/oauth/userinfo", headers=headers)

    with pytest.warns(match="RFC 9864"):
        identity = jwt.decode(
            tokens["id_token"], keys, algorithms=found["id_token_signing_alg_values_supported"]
        )
    claims = identity.claims
    registry = jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": found["issuer"]},
        aud={"essential": True, "value": site.id},
        nonce={"essential": True, "value": "n-1"},
        exp={"essential": True},
    )
    registry.validate(claims)
    assert identity.header["typ"] == "JWT"
    assert (claims["email"], claims["name"], claims["amr"]) == (EMAIL, "Viewer", ["pwd"])
    digest = hashlib.sha512(tokens["access_token"].encode()).digest()[:32]
    assert claims["at_hash"] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert about.json()["sub"] == claims["sub"]
    assert about.json()["email"] == EMAIL


async def test_an_id_token_is_no_access_token_nor_the_other_way_round(
    oauth_server: Server, site: App, app: App, ada: Browser
) -> None:
    tokens = (await exchanged(oauth_server, site, await code_for(ada, site, scope="openid"))).json()
    others = (await exchanged(oauth_server, app, await code_for(ada, app))).json()

    refused = await graph(oauth_server, VIEWER, authorization=f"Bearer {tokens['id_token']}")
    async with httpx.AsyncClient(base_url=oauth_server.url) as http:
        nobody = await http.get("/oauth/userinfo")
        without = await http.get(
            "/oauth/userinfo", headers={"authorization": f"Bearer {others['access_token']}"}
        )

    assert refused.status_code == 401
    assert (nobody.status_code, nobody.headers["www-authenticate"]) == (401, "Bearer")
    assert (without.status_code, without.json()) == (403, {"error": "insufficient_scope"})


async def test_a_site_learns_no_more_than_it_asked_for(oauth_server: Server, site: App, ada: Browser) -> None:
    tokens = (await exchanged(oauth_server, site, await code_for(ada, site, scope="openid"))).json()
    async with httpx.AsyncClient(base_url=oauth_server.url) as http:
        headers = {"authorization": f"Bearer {tokens['access_token']}"}
        about = (await http.get("/oauth/userinfo", headers=headers)).json()

    assert set(about) == {"sub"}


@pytest.mark.parametrize(
    ("signed_in", "change", "error"),
    [
        (False, {"prompt": "none"}, "login_required"),
        (True, {"prompt": "none"}, "consent_required"),
        (True, {"prompt": "none", "max_age": "0"}, "login_required"),
    ],
)
async def test_who_must_not_be_asked_is_not_asked(
    oauth_server: Server,
    site: App,
    ada: Browser,
    signed_in: bool,  # noqa: FBT001
    change: dict[str, str],
    error: str,
) -> None:
    async with httpx.AsyncClient(base_url=oauth_server.url) as nobody:
        http = ada.http if signed_in else nobody
        answer = await http.get("/oauth/authorize", params=asking(site, scope="openid", **change))

    assert told(answer)["error"] == error


async def test_who_is_to_sign_in_again_is_shown_the_form(
    oauth_server: Server, site: App, ada: Browser
) -> None:
    page = await ada.open("/oauth/authorize", **asking(site, scope="openid", prompt="login"))

    consent = await ada.sign_in(page, EMAIL)

    assert "Allow Test app?" in consent.text


async def test_signing_in_again_ends_the_session_that_the_browser_was_in(
    oauth_server: Server, site: App
) -> None:
    await register(oauth_server, "again@example.com")
    standing = """SELECT id FROM login_session WHERE ended_at IS NULL AND client_id = 'media-gateway-pages'
                    AND account_id = (SELECT id FROM account WHERE email = 'again@example.com')"""

    async with browsing(oauth_server) as browser:
        await browser.sign_in(await browser.open("/oauth/device"), "again@example.com")
        stolen, before = dict(browser.http.cookies), await rows(oauth_server, standing)
        page = await browser.open("/oauth/authorize", **asking(site, scope="openid", prompt="login"))
        await browser.sign_in(page, "again@example.com")
        after = await rows(oauth_server, standing)
        device = await browser.open("/oauth/device")
    async with browsing(oauth_server) as thief:
        thief.http.cookies.update(stolen)
        shown = await thief.open("/oauth/device")

    assert len(before) == len(after) == 1
    assert before != after
    assert "Signed in as again@example.com" in device.text
    assert "Signed in as" not in shown.text
