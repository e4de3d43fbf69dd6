"""Accounts through the graph."""

from collections.abc import AsyncIterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from strawberry.types import ExecutionResult

from domain.identity.model import ANONYMOUS, Account, Caller, Role
from domain.identity.policy import granted
from domain.identity.profile import Profile
from domain.platform.errors import Forbidden, TooManyRequests, Unauthenticated
from domain.platform.postgres import Database
from resolvers.context import Context
from resolvers.identity import RegisterAccountPayload, SignInPayload
from resolvers.ids import encode, global_id
from schema.graph import Graph, graph
from tests.accounts import LIFETIME_SECONDS, NOBODY, PASSWORD, Desk, opened_desk
from tests.servers import StatementCounter

ACCOUNT = "account { id displayName email region language tier createdAt }"
ERRORS = "userErrors { code field message }"
REGISTER = (
    "mutation ($input: RegisterAccountInput!)"
    f" {{ registerAccount(input: $input) {{ accessToken expiresAt {ACCOUNT} {ERRORS} }} }}"
)
SIGN_IN = (
    "mutation ($input: SignInInput!)"
    f" {{ signIn(input: $input) {{ accessToken expiresAt {ACCOUNT} {ERRORS} }} }}"
)
UPDATE = f"mutation ($input: UpdateProfileInput!) {{ updateProfile(input: $input) {{ {ACCOUNT} {ERRORS} }} }}"
VIEWER = f"{{ viewer {{ {ACCOUNT} }} }}"
NODE = "query ($id: ID!) { node(id: $id) { id ... on Account { displayName email } } }"


class Client:
    """Asks the graph as somebody."""

    def __init__(self, desk: Desk, schema: Graph) -> None:
        self.desk = desk
        self._schema = schema

    async def result(self, query: str, caller: Caller = ANONYMOUS, **variables: Any) -> ExecutionResult:
        services: Any = SimpleNamespace(**self.desk.services)
        context = Context(services, caller, "FR", "r1", "192.0.2.1")
        found = await self._schema.execute(query, variable_values=variables, context_value=context)
        assert isinstance(found, ExecutionResult)
        return found

    async def data(self, query: str, caller: Caller = ANONYMOUS, **variables: Any) -> Any:
        found = await self.result(query, caller, **variables)
        assert found.errors is None
        return found.data


@pytest.fixture(scope="module")
def schema() -> Graph:
    return graph()


@pytest.fixture
async def client(database: Database, schema: Graph) -> AsyncIterator[Client]:
    async with opened_desk(database) as desk:
        yield Client(desk, schema)


async def somebody(client: Client, email: str = "ada@example.org") -> Account:
    return await client.desk.service.register(email, PASSWORD, Profile("Ada", "GB"), NOBODY)


def caller(account: Account, *roles: Role) -> Caller:
    return Caller(account.id, frozenset(roles), granted(roles))


async def test_registering_opens_an_account_and_signs_in_to_it(client: Client) -> None:
    given = {"email": "Ada@Example.org", "password": PASSWORD, "displayName": "Ada", "language": "en-GB"}

    made = (await client.data(REGISTER, input=given))["registerAccount"]

    bearer = await client.desk.sessions.identify(made["accessToken"])
    assert made["account"] == {
        "id": encode("Account", str(bearer.account_id)),
        "displayName": "Ada",
        "email": "ada@example.org",
        "region": "FR",
        "language": "en-GB",
        "tier": "FREE",
        "createdAt": client.desk.clock.at.isoformat(),
    }
    assert made["expiresAt"] == (client.desk.clock.at + timedelta(seconds=LIFETIME_SECONDS)).isoformat()
    assert made["userErrors"] == []


async def test_a_refused_registration_names_each_reason_at_its_field(
    client: Client, database: Database
) -> None:
    given = {"email": "ada", "password": "abcdefgh", "displayName": " ", "region": "Europe"}

    made = (await client.data(REGISTER, input=given))["registerAccount"]

    assert (made["account"], made["accessToken"], made["expiresAt"]) == (None, None, None)
    assert [(error["code"], error["field"]) for error in made["userErrors"]] == [
        ("INVALID", ["email"]),
        ("INVALID", ["password"]),
        ("INVALID", ["password"]),
        ("INVALID", ["displayName"]),
        ("INVALID", ["region"]),
    ]
    assert await database.value("SELECT count(*) FROM account") == 0


async def test_a_taken_address_is_a_conflict(client: Client) -> None:
    await somebody(client)
    given = {"email": "ada@example.org", "password": PASSWORD, "displayName": "Eve"}

    made = (await client.data(REGISTER, input=given))["registerAccount"]

    assert (made["account"], made["accessToken"]) == (None, None)
    assert [(error["code"], error["field"]) for error in made["userErrors"]] == [("CONFLICT", ["email"])]


async def test_signing_in_gives_a_token_and_shows_the_account_to_its_owner(client: Client) -> None:
    account = await somebody(client)

    made = (await client.data(SIGN_IN, input={"email": "ada@example.org", "password": PASSWORD}))["signIn"]

    assert (await client.desk.sessions.identify(made["accessToken"])).account_id == account.id
    assert made["account"]["id"] == global_id(account)
    assert made["account"]["email"] == "ada@example.org"
    assert made["userErrors"] == []


async def test_wrong_passwords_and_unknown_addresses_get_one_answer(client: Client) -> None:
    await somebody(client)

    answers = [
        await client.data(SIGN_IN, input={"email": email, "password": "Wrong horse 7"})
        for email in ("ada@example.org", "eve@example.org")
    ]

    assert answers[0] == answers[1]
    assert answers[0]["signIn"] == {
        "accessToken": None,
        "expiresAt": None,
        "account": None,
        "userErrors": [
            {
                "code": "CREDENTIALS",
                "field": [],
                "message": "E-mail address and password do not belong together.",
            }
        ],
    }


async def test_attempts_beyond_the_limit_are_an_error_that_says_when_to_come_back(client: Client) -> None:
    given = {"email": "ada@example.org", "password": "Wrong horse 7"}
    for _ in range(10):
        await client.data(SIGN_IN, input=given)

    found = await client.result(SIGN_IN, input=given)

    assert found.errors is not None
    refusal = found.errors[0].original_error
    assert isinstance(refusal, TooManyRequests)
    assert refusal.extensions == {"retryAfter": 60}


async def test_the_viewer_is_the_caller_and_nobody_when_anonymous(client: Client) -> None:
    account = await somebody(client)
    await somebody(client, "eve@example.org")

    assert await client.data(VIEWER) == {"viewer": None}
    found = (await client.data(VIEWER, caller(account)))["viewer"]["account"]
    assert (found["id"], found["email"], found["region"]) == (global_id(account), "ada@example.org", "GB")


async def test_the_viewer_of_an_account_that_is_gone_has_to_sign_in_again(
    client: Client, database: Database
) -> None:
    account = await somebody(client)
    await database.execute("DELETE FROM account")

    found = await client.result(VIEWER, caller(account))

    assert found.errors is not None
    assert isinstance(found.errors[0].original_error, Unauthenticated)


async def test_another_account_is_as_if_it_did_not_exist(
    client: Client, statements: StatementCounter
) -> None:
    ada, eve = await somebody(client), await somebody(client, "eve@example.org")
    nobody = encode("Account", "00000000-0000-4000-8000-000000000000")
    statements.clear()

    for asking in (ANONYMOUS, caller(eve), caller(eve, Role.EDITOR)):
        for id_ in (global_id(ada), nobody, encode("Account", "x"), encode("Account", f"{ada.id}'")):
            assert await client.data(NODE, asking, id=id_) == {"node": None}

    assert statements.seen == []
    assert (await client.data(NODE, caller(ada), id=global_id(ada)))["node"]["email"] == "ada@example.org"


async def test_administrators_see_accounts(client: Client) -> None:
    ada, eve = await somebody(client), await somebody(client, "eve@example.org")

    found = await client.data(NODE, caller(eve, Role.ADMIN), id=global_id(ada))

    assert found == {"node": {"id": global_id(ada), "displayName": "Ada", "email": "ada@example.org"}}
    broken = encode("Account", "not-a-uuid")
    assert await client.data(NODE, caller(eve, Role.ADMIN), id=broken) == {"node": None}


async def test_a_profile_is_changed_for_the_caller_alone(client: Client) -> None:
    ada, eve = await somebody(client), await somebody(client, "eve@example.org")
    given = {"displayName": "Ada L.", "region": "de"}

    changed = (await client.data(UPDATE, caller(ada), input=given))["updateProfile"]

    assert changed["account"]["displayName"] == "Ada L."
    assert (changed["account"]["region"], changed["account"]["language"]) == ("DE", "en")
    kept = await client.desk.service.store.accounts([eve.id])
    assert kept == {eve.id: eve}


async def test_a_refused_profile_changes_nothing(client: Client) -> None:
    ada = await somebody(client)

    changed = (await client.data(UPDATE, caller(ada), input={"displayName": "", "region": "DE"}))[
        "updateProfile"
    ]

    assert changed["account"] is None
    assert [error["field"] for error in changed["userErrors"]] == [["displayName"]]
    assert await client.desk.service.store.accounts([ada.id]) == {ada.id: ada}


@pytest.mark.parametrize("scopes", [frozenset[str](), frozenset({"read:preferences"})])
async def test_a_profile_needs_a_sign_in_and_the_scope(client: Client, scopes: frozenset[str]) -> None:
    ada = await somebody(client)

    anonymous = await client.result(UPDATE, input={"displayName": "Eve"})
    limited = await client.result(UPDATE, Caller(ada.id, scopes=scopes), input={"displayName": "Eve"})

    assert anonymous.errors is not None
    assert isinstance(anonymous.errors[0].original_error, Unauthenticated)
    assert limited.errors is not None
    assert isinstance(limited.errors[0].original_error, Forbidden)
    assert await client.desk.service.store.accounts([ada.id]) == {ada.id: ada}


async def test_accounts_of_one_request_are_read_with_one_statement(
    client: Client, statements: StatementCounter
) -> None:
    ada = await somebody(client)
    again = "{ a: viewer { account { id } } b: viewer { account { email } } }"
    statements.clear()

    await client.data(again, caller(ada))

    assert len(statements.seen) == 1


def test_payloads_do_not_show_tokens_in_their_representation() -> None:
    assert "secret" not in repr(SignInPayload(access_token="secret"))
    assert "secret" not in repr(RegisterAccountPayload(access_token="secret"))
