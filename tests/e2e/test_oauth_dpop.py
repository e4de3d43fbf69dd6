"""Tokens that are bound to keys: what is checked of a proof, and wherever a token is shown."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
import pytest
from joserfc.jwk import ECKey
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.e2e.dpop import bound, demanding, new_key, proof
from tests.e2e.oauth import (
    EMAIL,
    VERIFIER,
    App,
    Browser,
    asking,
    browsing,
    code_for,
    exchanged,
    execute,
    graph,
    registered,
)
from tests.e2e.server import Server

__all__ = ["demanding"]

GENRES = "{ genres { id } }"
VIEWER = "{ viewer { account { id } } }"


@pytest.mark.parametrize("key", [new_key()])
async def test_a_bound_token_works_with_its_key_alone(
    oauth_server: Server, app: App, ada: Browser, key: Any
) -> None:
    tokens = await bound(oauth_server, app, ada, key)
    token, url = tokens["access_token"], f"{oauth_server.issuer}/graphql"
    good = {"authorization": f"DPoP {token}", "dpop": proof(key, "POST", url, token)}
    thief = new_key()

    answers = [
        await graph(oauth_server, VIEWER, **good),
        await graph(oauth_server, VIEWER, **good),  # the same proof again
        await graph(oauth_server, VIEWER, authorization=f"Bearer {token}"),
        await graph(oauth_server, VIEWER, authorization=f"DPoP {token}"),
        await graph(
            oauth_server, VIEWER, authorization=f"DPoP {token}", dpop=proof(thief, "POST", url, token)
        ),
    ]

    assert tokens["token_type"] == "DPoP"
    assert [answer.status_code for answer in answers] == [200, 401, 401, 401, 401]


@pytest.mark.parametrize("how", ["in the request", "pushed", "pushed with a proof"])
async def test_a_code_for_a_key_is_good_for_that_key_alone(
    oauth_server: Server, app: App, ada: Browser, how: str
) -> None:
    key, thief = new_key(), new_key()
    named = {} if how == "pushed with a proof" else {"dpop_jkt": key.thumbprint()}
    url = f"{oauth_server.issuer}/oauth"

    async def code() -> str:
        if how == "in the request":
            return await code_for(ada, app, **named)
        headers = {"dpop": proof(key, "POST", f"{url}/par")} if not named else {}
        pushed = await posted(oauth_server, "/oauth/par", asking(app, **named), headers)
        consent = await ada.open(
            "/oauth/authorize", client_id=app.id, request_uri=pushed.json()["request_uri"]
        )
        return (await ada.allow(consent))["code"]

    async def shown(code: str, by: ECKey | None) -> httpx.Response:
        fields = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER}
        headers = {} if by is None else {"dpop": proof(by, "POST", f"{url}/token")}
        return await posted(oauth_server, "/oauth/token", {**fields, "client_id": app.id}, headers)

    without, by_thief = await shown(await code(), None), await shown(await code(), thief)
    one = await code()
    stolen = await shown(one, thief)
    good = await shown(one, key)

    for refused in (without, by_thief, stolen):
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_dpop_proof")
    assert (good.status_code, good.json()["token_type"]) == (200, "DPoP")


async def test_a_pushed_request_names_the_key_that_it_proves(oauth_server: Server, app: App) -> None:
    key = new_key()
    asked = asking(app, dpop_jkt=new_key().thumbprint())

    pushed = await posted(
        oauth_server, "/oauth/par", asked, {"dpop": proof(key, "POST", f"{oauth_server.issuer}/oauth/par")}
    )

    assert (pushed.status_code, pushed.json()["error"]) == (400, "invalid_dpop_proof")


async def posted(
    server: Server, path: str, fields: dict[str, str], headers: dict[str, str]
) -> httpx.Response:
    async with httpx.AsyncClient(base_url=server.url) as http:
        return await http.post(path, data=fields, headers=headers)


@pytest.mark.parametrize(
    "changes",
    [
        {"htm": "GET"},
        {"htu": "https://elsewhere.example/graphql"},
        {"iat": int(time.time()) - 3600},
        {"iat": int(time.time()) + 3600},
        {"ath": "x"},
        {"jti": "x" * 500},
        {"header": {"typ": "JWT"}},
    ],
)
async def test_a_proof_for_something_else_is_refused(
    oauth_server: Server, app: App, ada: Browser, changes: dict[str, Any]
) -> None:
    key = new_key()
    token = (await bound(oauth_server, app, ada, key))["access_token"]
    header = proof(key, "POST", f"{oauth_server.issuer}/graphql", token, **changes)

    answer = await graph(oauth_server, VIEWER, authorization=f"DPoP {token}", dpop=header)

    assert answer.status_code == 401


async def test_a_bound_refresh_token_needs_its_key(oauth_server: Server, app: App, ada: Browser) -> None:
    key, thief = new_key(), ECKey.generate_key("P-256")
    tokens = await bound(oauth_server, app, ada, key)
    url = f"{oauth_server.issuer}/oauth/token"
    fields = {
        "grant_type": "refresh_token",
        "refresh_token": tokens["refresh_token"],
        "client_id": app.id,
    }

    async with httpx.AsyncClient(base_url=oauth_server.url) as http:
        without = await http.post("/oauth/token", data=fields)
        stolen = await http.post("/oauth/token", data=fields, headers={"dpop": proof(thief, "POST", url)})
        good = await http.post("/oauth/token", data=fields, headers={"dpop": proof(key, "POST", url)})

    assert (without.json()["error"], stolen.json()["error"]) == ("invalid_grant", "invalid_grant")
    assert good.json()["token_type"] == "DPoP"


async def test_a_client_may_be_held_to_keys(oauth_server: Server, ada: Browser) -> None:
    strict = await registered(oauth_server, "--dpop")

    answer = await exchanged(oauth_server, strict, await code_for(ada, strict))

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof")


async def test_a_device_is_let_in_with_the_key_alone_that_it_began_with(
    oauth_server: Server, ada: Browser
) -> None:
    tv = await registered(oauth_server, "--grant", "device_code", "--dpop", scope="read:watchlist")
    key, thief = new_key(), new_key()
    begin, redeem = [
        f"{oauth_server.issuer}{path}" for path in ("/oauth/device_authorization", "/oauth/token")
    ]
    client = {"client_id": tv.id}

    without = await posted(oauth_server, "/oauth/device_authorization", client, {})
    begun = await posted(
        oauth_server, "/oauth/device_authorization", client, {"dpop": proof(key, "POST", begin)}
    )
    confirm = await ada.open("/oauth/device", user_code=begun.json()["user_code"])
    await ada.send("/oauth/device", **confirm.hidden(), decision="allow")
    fields = client | {
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "device_code": begun.json()["device_code"],
    }
    answers = []
    for by in (None, thief, key):
        headers = {} if by is None else {"dpop": proof(by, "POST", redeem)}
        answers.append(await posted(oauth_server, "/oauth/token", fields, headers))
        await execute(oauth_server, "UPDATE device_code SET polled_at = NULL")  # it need not wait

    assert (without.status_code, without.json()["error"]) == (400, "invalid_dpop_proof")
    assert [answer.json().get("error") for answer in answers] == ["invalid_dpop_proof"] * 2 + [None]
    assert answers[-1].json()["token_type"] == "DPoP"


async def test_a_service_is_bound_to_the_key_that_it_proves(oauth_server: Server) -> None:
    service = await registered(
        oauth_server, "--confidential", "--grant", "client_credentials", scope="read:content"
    )
    key, asking_for = new_key(), {"grant_type": "client_credentials"}
    headers = {"dpop": proof(key, "POST", f"{oauth_server.issuer}/oauth/token")}
    async with httpx.AsyncClient(base_url=oauth_server.url) as http:
        answer = await http.post(
            "/oauth/token", data=asking_for, headers=headers, auth=(service.id, str(service.secret))
        )
    token, url = answer.json()["access_token"], f"{oauth_server.issuer}/graphql"

    unproven = await graph(oauth_server, GENRES, authorization=f"Bearer {token}")
    proven = await graph(
        oauth_server, GENRES, authorization=f"DPoP {token}", dpop=proof(key, "POST", url, token)
    )

    assert answer.json()["token_type"] == "DPoP"
    assert (unproven.status_code, proven.status_code) == (401, 200)


async def test_one_proof_does_for_all_operations_of_a_batch(
    oauth_server: Server, app: App, ada: Browser
) -> None:
    key = new_key()
    token = (await bound(oauth_server, app, ada, key))["access_token"]
    header = proof(key, "POST", f"{oauth_server.issuer}/graphql", token)

    async with httpx.AsyncClient(base_url=oauth_server.url) as http:
        headers = {"authorization": f"DPoP {token}", "dpop": header}
        answer = await http.post("/graphql", json=[{"query": VIEWER}, {"query": VIEWER}], headers=headers)
        again = await http.post("/graphql", json=[{"query": VIEWER}], headers=headers)

    assert [bool(result["data"]["viewer"]) for result in answer.json()] == [True, True]
    assert again.status_code == 401


async def test_a_proof_is_for_the_very_address_that_is_asked(
    oauth_server: Server, app: App, ada: Browser
) -> None:
    key = new_key()
    token = (await bound(oauth_server, app, ada, key))["access_token"]
    path = "/account/avatar"

    async with httpx.AsyncClient(base_url=oauth_server.url) as http:
        answers = [
            await http.put(
                path,
                content=b"no picture",
                headers={
                    "authorization": f"DPoP {token}",
                    "content-type": "image/png",
                    "dpop": proof(key, "PUT", f"{oauth_server.issuer}{place}", token),
                },
            )
            for place in ("/graphql", path)
        ]

    # The second is let in, and then told that its scopes do not reach.
    assert [answer.status_code for answer in answers] == [401, 403]


class Socket:
    """A WebSocket whose client may hold a key."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def say(self, **message: Any) -> None:
        await self._connection.send(orjson.dumps(message).decode())

    async def hear(self) -> dict[str, Any]:
        """The next message, or how the server closed."""
        try:
            message: dict[str, Any] = orjson.loads(await asyncio.wait_for(self._connection.recv(), 5))
        except ConnectionClosed:
            return {"closed": self._connection.close_code}
        return message

    async def ask(self, id_: str, document: str) -> dict[str, Any]:
        await self.say(type="subscribe", id=id_, payload={"query": document})
        found = await self.hear()
        assert (await self.hear())["type"] == "complete"
        return found


@asynccontextmanager
async def socket(server: Server, **payload: Any) -> AsyncIterator[Socket]:
    url = f"ws://127.0.0.1:{server.port}/graphql"
    async with connect(url, subprotocols=["graphql-transport-ws"]) as connection:  # type: ignore[list-item]
        opened = Socket(connection)
        await opened.say(type="connection_init", payload=payload)
        yield opened


async def test_a_socket_is_opened_by_one_proof_and_carries_many_operations(
    oauth_server: Server, app: App, ada: Browser
) -> None:
    key = new_key()
    token = (await bound(oauth_server, app, ada, key))["access_token"]
    shown = proof(key, "GET", f"{oauth_server.issuer}/graphql", token)

    async with socket(oauth_server, Authorization=f"DPoP {token}", DPoP=shown) as opened:
        assert await opened.hear() == {"type": "connection_ack"}
        answers = [await opened.ask(id_, VIEWER) for id_ in "12"]
    async with socket(oauth_server, Authorization=f"DPoP {token}", DPoP=shown) as again:
        refused = await again.hear()

    assert all(answer["payload"]["data"]["viewer"] for answer in answers)
    assert refused == {"closed": 4401}


@pytest.mark.parametrize("how", ["bearer", "no proof", "another key", "for a post", "not text"])
async def test_a_socket_is_not_opened_by_a_bound_token_without_its_key(
    oauth_server: Server, app: App, ada: Browser, how: str
) -> None:
    key = new_key()
    token = (await bound(oauth_server, app, ada, key))["access_token"]
    url = f"{oauth_server.issuer}/graphql"
    payloads: dict[str, dict[str, Any]] = {
        "bearer": {"Authorization": f"Bearer {token}"},
        "no proof": {"Authorization": f"DPoP {token}"},
        "another key": {"Authorization": f"DPoP {token}", "DPoP": proof(new_key(), "GET", url, token)},
        "for a post": {"Authorization": f"DPoP {token}", "DPoP": proof(key, "POST", url, token)},
        "not text": {"Authorization": f"DPoP {token}", "DPoP": [proof(key, "GET", url, token)]},
    }

    async with socket(oauth_server, **payloads[how]) as refused:
        assert await refused.hear() == {"closed": 4401}


async def test_a_socket_goes_on_with_a_fresh_token_if_that_is_proven_too(
    oauth_server: Server, app: App, ada: Browser
) -> None:
    key = new_key()
    tokens = await bound(oauth_server, app, ada, key)
    url, token = f"{oauth_server.issuer}/graphql", tokens["access_token"]
    fresh = (await refreshed(oauth_server, app, key, tokens["refresh_token"]))["access_token"]
    begun = {"Authorization": f"DPoP {token}", "DPoP": proof(key, "GET", url, token)}

    async with socket(oauth_server, **begun) as opened:
        await opened.hear()
        await opened.say(type="ping", payload={"accessToken": fresh, "DPoP": proof(key, "GET", url, fresh)})
        assert await opened.hear() == {"type": "pong"}
        answer = await opened.ask("1", VIEWER)
        await opened.say(type="ping", payload={"accessToken": token})
        unproven = await opened.hear()

    assert answer["payload"]["data"]["viewer"]
    assert unproven == {"closed": 4401}


async def refreshed(server: Server, app: App, key: ECKey, token: str) -> dict[str, Any]:
    fields = {"grant_type": "refresh_token", "refresh_token": token, "client_id": app.id}
    header = {"dpop": proof(key, "POST", f"{server.issuer}/oauth/token")}
    async with httpx.AsyncClient(base_url=server.url) as http:
        found: dict[str, Any] = (await http.post("/oauth/token", data=fields, headers=header)).json()
    return found


async def test_a_proof_that_was_made_ahead_is_of_no_use_where_nonces_are_asked_for(demanding: Server) -> None:
    key, app = new_key(), await registered(demanding, scope="read:watchlist openid")
    async with browsing(demanding) as browser:
        await browser.sign_in(await browser.open("/oauth/device"), EMAIL)
        code = await code_for(browser, app, scope="read:watchlist openid")
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "code_verifier": VERIFIER,
        "client_id": app.id,
    }

    async def answers(method: str, path: str, token: str | None, **nonce: str) -> httpx.Response:
        headers = {"dpop": proof(key, method, f"{demanding.issuer}{path}", token, **nonce)}
        if token is not None:
            headers |= {"authorization": f"DPoP {token}", "accept": "application/graphql-response+json"}
        json, data = (None, fields) if path == "/oauth/token" else ({"query": VIEWER}, None)
        async with httpx.AsyncClient(base_url=demanding.url) as http:
            return await http.request(method, path, headers=headers, json=json, data=data)

    first = await answers("POST", "/oauth/token", None)
    nonce = first.headers["dpop-nonce"]
    made_up = await answers("POST", "/oauth/token", None, nonce="A" * len(nonce))
    granted = await answers("POST", "/oauth/token", None, nonce=nonce)
    token = granted.json()["access_token"]

    for refused in (first, made_up):
        assert (refused.status_code, refused.json()["error"]) == (400, "use_dpop_nonce")
    assert granted.json()["token_type"] == "DPoP"
    for method, path in (("POST", "/graphql"), ("GET", "/oauth/userinfo")):
        without = await answers(method, path, token)
        again = await answers(method, path, token, nonce=without.headers["dpop-nonce"])
        assert without.status_code == 401
        assert 'DPoP error="use_dpop_nonce"' in without.headers["www-authenticate"]
        assert again.status_code == 200, again.text
