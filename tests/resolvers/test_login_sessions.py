"""Sessions through the graph."""

from typing import Any

import pytest

from domain.identity.audit import Actor
from domain.identity.model import ANONYMOUS, Caller
from domain.platform.errors import Unauthenticated
from resolvers.ids import encode
from resolvers.login_sessions import RefreshSessionPayload
from tests.accounts import PASSWORD
from tests.resolvers.test_identity import Client, client, schema, somebody

__all__ = ["client", "schema"]

SESSIONS = "{ viewer { sessions { id clientId current address userAgent createdAt lastUsedAt expiresAt } } }"
REFRESH = """mutation ($token: String!) { refreshSession(input: {refreshToken: $token}) {
  accessToken expiresAt refreshToken userErrors { code field } } }"""
SIGN_OUT = """mutation ($which: SessionChoice!) { signOut(input: {sessions: $which}) {
  endedSessions userErrors { code } } }"""
REVOKE = """mutation ($id: ID!) { revokeSession(input: {sessionId: $id}) {
  session { id } userErrors { code field } } }"""
NODE = "query ($id: ID!) { node(id: $id) { ... on LoginSession { userAgent } } }"


SIGN_IN = "mutation ($input: SignInInput!) { signIn(input: $input) { refreshToken } }"


async def callers(client: Client, count: int, email: str = "ada@example.org") -> list[Caller]:
    """Callers in so many sessions of one new account."""
    account = await somebody(client, email)
    started = [
        await client.desk.sessions.start(account, Actor(address="192.0.2.1", user_agent=f"Browser {number}"))
        for number in range(count)
    ]
    return [await client.desk.sessions.identify(tokens.access.value) for tokens in started]


async def shown(client: Client, caller: Caller) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await client.data(SESSIONS, caller))["viewer"]["sessions"]
    return found


def global_id_of(caller: Caller) -> str:
    return encode("LoginSession", str(caller.session_id))


async def test_a_viewer_sees_where_they_are_signed_in(client: Client) -> None:
    phone, tv = await callers(client, 2)
    await callers(client, 1, "eve@example.org")

    sessions = await shown(client, tv)

    assert {session["id"]: session["current"] for session in sessions} == {
        global_id_of(phone): False,
        global_id_of(tv): True,
    }
    assert {session["userAgent"] for session in sessions} == {"Browser 0", "Browser 1"}
    assert {session["clientId"] for session in sessions} == {"media-gateway"}


async def test_signing_in_gives_a_refresh_token_that_gets_the_next_tokens(client: Client) -> None:
    await somebody(client)
    made = (await client.data(SIGN_IN, input={"email": "ada@example.org", "password": PASSWORD}))["signIn"]

    found = (await client.data(REFRESH, token=made["refreshToken"]))["refreshSession"]

    assert found["userErrors"] == []
    assert found["refreshToken"] not in {None, made["refreshToken"]}
    assert (await client.desk.sessions.identify(found["accessToken"])).account_id is not None


async def test_a_refresh_token_that_is_not_valid_is_a_reason_to_sign_in(client: Client) -> None:
    found = (await client.data(REFRESH, token="mg_rt_x"))["refreshSession"]

    assert found == {
        "accessToken": None,
        "expiresAt": None,
        "refreshToken": None,
        "userErrors": [{"code": "CREDENTIALS", "field": ["refreshToken"]}],
    }


@pytest.mark.parametrize(
    ("which", "ended", "left"), [("CURRENT", 1, {0, 1}), ("OTHERS", 2, {2}), ("ALL", 3, set())]
)
async def test_signing_out_ends_what_was_chosen(
    client: Client, which: str, ended: int, left: set[int]
) -> None:
    asking = await callers(client, 3)

    answer = (await client.data(SIGN_OUT, asking[2], which=which))["signOut"]

    assert answer == {"endedSessions": ended, "userErrors": []}
    account = str(asking[0].account_id)
    standing = await client.desk.sessions.store.standing(account, client.desk.clock.at)
    assert {session.id for session in standing} == {asking[number].session_id for number in left}


async def test_one_session_is_ended_by_its_id(client: Client) -> None:
    phone, tv = await callers(client, 2)

    answer = (await client.data(REVOKE, phone, id=global_id_of(tv)))["revokeSession"]
    again = (await client.data(REVOKE, phone, id=global_id_of(tv)))["revokeSession"]

    assert answer == {"session": {"id": global_id_of(tv)}, "userErrors": []}
    assert again == {"session": None, "userErrors": [{"code": "NOT_FOUND", "field": ["sessionId"]}]}
    assert [session["id"] for session in await shown(client, phone)] == [global_id_of(phone)]


async def test_the_session_of_another_is_as_if_it_did_not_exist(client: Client) -> None:
    (ada,) = await callers(client, 1)
    (eve,) = await callers(client, 1, "eve@example.org")

    for id_ in (global_id_of(ada), encode("LoginSession", "x"), encode("Account", str(ada.session_id)), "?"):
        answer = (await client.data(REVOKE, eve, id=id_))["revokeSession"]
        assert answer["userErrors"] == [{"code": "NOT_FOUND", "field": ["sessionId"]}]
    for asking in (eve, ANONYMOUS):
        assert (await client.data(NODE, asking, id=global_id_of(ada)))["node"] is None

    assert len(await shown(client, ada)) == 1
    assert (await client.data(NODE, ada, id=global_id_of(ada)))["node"] == {"userAgent": "Browser 0"}


@pytest.mark.parametrize(("document", "given"), [(SIGN_OUT, {"which": "ALL"}), (REVOKE, {"id": "x"})])
async def test_who_is_not_signed_in_ends_nothing(
    client: Client, document: str, given: dict[str, str]
) -> None:
    found = await client.result(document, ANONYMOUS, **given)

    assert found.errors is not None
    assert isinstance(found.errors[0].original_error, Unauthenticated)


def test_payloads_do_not_show_tokens_in_their_representation() -> None:
    assert "secret" not in repr(RefreshSessionPayload(access_token="secret", refresh_token="secret"))
