"""Administration and API keys through the graph: what is shown, and what is closed to whom."""

from collections.abc import AsyncIterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from domain.identity.model import ANONYMOUS, Account, Caller, Role
from domain.identity.policy import Scope, granted
from domain.identity.profile import Profile
from domain.platform.errors import ErrorCode, GatewayError
from domain.platform.postgres import Database
from resolvers.context import Context
from resolvers.ids import encode, global_id
from schema.graph import Graph, graph
from tests.accounts import NOBODY, PASSWORD, Desk, opened_desk
from tests.servers import StatementCounter

ACCOUNTS = """query ($filter: AccountsFilter) { admin { accounts(filter: $filter) { totalCount nodes {
  account { displayName email } roles suspendedAt
  sessions { id } apiKeys { name } activity { action } } } } }"""
ACCOUNT = "query ($id: ID!) { admin { account(id: $id) { account { email } roles } } }"
AUDIT = """query ($filter: AuditLogFilter, $first: Int, $after: String) {
  admin { auditLog(filter: $filter, first: $first, after: $after) {
    totalCount pageInfo { endCursor hasNextPage }
    nodes { id occurredAt action actorId actor { email } resourceId before after address } } } }"""
ROLES = """mutation ($id: ID!, $roles: [Role!]!) { setAccountRoles(input: {accountId: $id, roles: $roles}) {
  account { roles } userErrors { code field } } }"""
SUSPEND = "mutation ($id: ID!) { suspendAccount(input: {accountId: $id}) { userErrors { code field } } }"
CREATE = """mutation ($scopes: [String!]!) { createApiKey(input: {name: "k", scopes: $scopes}) {
  secret apiKey { id name scopes } userErrors { code field } } }"""
REVOKE = "mutation ($id: ID!) { revokeApiKey(input: {keyId: $id}) { userErrors { code field } } }"
CLOSE = """mutation ($id: ID!) { closeAnyAccount(input: {accountId: $id}) {
  erasedAt userErrors { code field } } }"""
NOBODYS = encode("Account", "0b0e7a5c-0000-4000-8000-000000000000")
REVOKE_ANY = "mutation ($id: ID!) { revokeAnyApiKey(input: {keyId: $id}) { apiKey { revokedAt } } }"
KEYS = "{ viewer { apiKeys { id name prefix revokedAt } } }"
CLIENT = """mutation ($uri: String!) { registerClient(input: {name: "App", redirectUris: [$uri],
  confidential: true}) { client { id name public } secret userErrors { field } } }"""
CLIENTS = """query ($search: String, $first: Int) { admin { clients(search: $search, first: $first) {
  totalCount nodes { id name tier } pageInfo { hasNextPage } } } }"""
ONE_CLIENT = "query ($id: ID!) { admin { client(id: $id) { name oldSecretUntil } } }"
UPDATE = """mutation ($id: ID!) { updateClient(input: {clientId: $id, name: "Other", tier: PREMIUM}) {
  client { name tier } endedSessions userErrors { code field } } }"""
ROTATE = """mutation ($id: ID!) { rotateClientSecret(input: {clientId: $id, keepOldSeconds: 60}) {
  client { oldSecretUntil } secret userErrors { code field } } }"""
DISABLE = """mutation ($id: ID!) { disableClient(input: {clientId: $id}) {
  client { disabledAt } userErrors { code } } }"""


class House:
    """The graph over one desk."""

    def __init__(self, desk: Desk, schema: Graph) -> None:
        self.desk = desk
        self._schema = schema

    async def account(self, name: str) -> Account:
        return await self.desk.service.register(
            f"{name}@example.org", PASSWORD, Profile(name.title(), "GB"), NOBODY
        )

    async def signed_in(self, name: str, *roles: Role) -> Caller:
        """A caller in a session of its own."""
        account = await self.account(name)
        if roles:
            account = replace(account, roles=(Role.VIEWER, *roles))
            await self.desk.administration.store.put(account)
        return await self.desk.sessions.identify(await self.desk.token(account))

    async def result(self, caller: Caller, query: str, **variables: Any) -> Any:
        services: Any = SimpleNamespace(**self.desk.services)
        context = Context(services, caller, "GB", "r1", "192.0.2.1")
        return await self._schema.execute(query, variable_values=variables, context_value=context)

    async def data(self, caller: Caller, query: str, **variables: Any) -> Any:
        found = await self.result(caller, query, **variables)
        assert found.errors is None, found.errors
        return found.data

    async def refusal(self, caller: Caller, query: str, **variables: Any) -> GatewayError:
        found = await self.result(caller, query, **variables)
        assert found.errors
        error = found.errors[0].original_error
        assert isinstance(error, GatewayError), error
        return error


@pytest.fixture(scope="module")
def schema() -> Graph:
    return graph()


@pytest.fixture
async def house(database: Database, schema: Graph) -> AsyncIterator[House]:
    async with opened_desk(database) as desk:
        yield House(desk, schema)


async def test_administrators_see_accounts_with_all_that_belongs_to_them(house: House) -> None:
    root = await house.signed_in("root", Role.ADMIN)
    ada = await house.signed_in("ada")
    await house.data(ada, CREATE, scopes=["read:watchlist"])

    found = (await house.data(root, ACCOUNTS, filter={"search": "ada"}))["admin"]["accounts"]

    assert found["totalCount"] == 1
    (shown,) = found["nodes"]
    assert shown["account"] == {"displayName": "Ada", "email": "ada@example.org"}
    assert (shown["roles"], shown["suspendedAt"]) == (["VIEWER"], None)
    assert [session["id"] for session in shown["sessions"]] == [encode("LoginSession", str(ada.session_id))]
    assert shown["apiKeys"] == [{"name": "k"}]
    assert [entry["action"] for entry in shown["activity"]] == ["api_key.created", "account.registered"]


async def test_a_page_of_accounts_takes_as_many_statements_as_one_account(
    house: House, statements: StatementCounter
) -> None:
    root = await house.signed_in("root", Role.ADMIN)
    counts = []
    for number in range(2):
        for offset in range(3):
            await house.signed_in(f"viewer{number}{offset}")
        statements.clear()
        await house.data(root, ACCOUNTS)
        counts.append(len(statements.seen))

    assert counts[0] == counts[1] == 5


async def test_the_audit_log_is_paged_and_counted_whole(house: House) -> None:
    root = await house.signed_in("root", Role.ADMIN)
    ada = await house.account("ada")
    for _ in range(3):
        await house.data(root, SUSPEND, id=global_id(ada))
        await house.desk.administration.restore(ada.id, NOBODY)
    filter_ = {"resourceType": "account", "resourceId": global_id(ada), "actions": ["account.suspended"]}

    first = (await house.data(root, AUDIT, filter=filter_, first=2))["admin"]["auditLog"]
    after = first["pageInfo"]["endCursor"]
    second = (await house.data(root, AUDIT, filter=filter_, first=2, after=after))["admin"]["auditLog"]

    assert (first["totalCount"], len(first["nodes"]), first["pageInfo"]["hasNextPage"]) == (3, 2, True)
    assert (second["totalCount"], len(second["nodes"]), second["pageInfo"]["hasNextPage"]) == (3, 1, False)
    entry = first["nodes"][0]
    assert entry["actor"] == {"email": "root@example.org"}
    assert entry["actorId"] == encode("Account", str(root.account_id))
    assert entry["resourceId"] == ada.id
    assert entry["address"] == "192.0.2.1"


@pytest.mark.parametrize(
    "filter_",
    [
        {"accountId": "nonsense"},
        {"accountId": encode("Account", "not-a-uuid")},
        {"accountId": encode("Device", "x")},
        {"actions": ["account.deleted_by_magic"]},
        {"occurredFrom": "2026-01-01T00:00:00"},
    ],
)
async def test_a_filter_that_means_nothing_is_told_so(house: House, filter_: dict[str, Any]) -> None:
    root = await house.signed_in("root", Role.ADMIN)

    assert (await house.refusal(root, AUDIT, filter=filter_)).code is ErrorCode.BAD_USER_INPUT


@pytest.mark.parametrize(
    "query",
    [
        ACCOUNTS,
        AUDIT,
        ACCOUNT,
        ROLES,
        SUSPEND,
        REVOKE_ANY,
        CLIENT,
        DISABLE,
        CLIENTS,
        ONE_CLIENT,
        UPDATE,
        ROTATE,
    ],
)
async def test_nobody_else_gets_in(house: House, database: Database, query: str) -> None:
    ada = await house.signed_in("ada")
    editor = await house.signed_in("editor", Role.EDITOR)
    forged = replace(ada, roles=frozenset(Role), scopes=granted([Role.VIEWER]))
    reader = replace(ada, scopes=frozenset({Scope.ADMIN_READ}))
    variables = {
        "id": encode("Account", str(ada.account_id)),
        "roles": ["ADMIN"],
        "uri": "https://a.example/cb",
    }
    before = await database.rows("TABLE account ORDER BY id")

    for caller in (ada, editor, forged):
        assert (await house.refusal(caller, query, **variables)).code is ErrorCode.FORBIDDEN
    assert (await house.refusal(ANONYMOUS, query, **variables)).code is ErrorCode.UNAUTHENTICATED
    if "mutation" in query:
        refusal = await house.refusal(reader, query, **variables)
        assert refusal.extensions == {"scope": "admin:full"}

    assert await database.rows("TABLE account ORDER BY id") == before
    assert await database.value("SELECT count(*) FROM audit_entry WHERE action NOT LIKE 'account.%'") == 0


async def test_roles_are_given_but_not_to_oneself_and_not_long_after_signing_in(house: House) -> None:
    root = await house.signed_in("root", Role.ADMIN)
    ada = await house.account("ada")
    own = encode("Account", str(root.account_id))

    given = (await house.data(root, ROLES, id=global_id(ada), roles=["EDITOR", "EDITOR"]))["setAccountRoles"]
    themselves = (await house.data(root, ROLES, id=own, roles=[]))["setAccountRoles"]
    nobody = (await house.data(root, ROLES, id=encode("Account", "x"), roles=[]))["setAccountRoles"]
    house.desk.clock.turn(601)
    later = await house.refusal(root, ROLES, id=global_id(ada), roles=["ADMIN"])

    assert given == {"account": {"roles": ["VIEWER", "EDITOR"]}, "userErrors": []}
    assert themselves["userErrors"] == [{"code": "CONFLICT", "field": ["accountId"]}]
    assert nobody["userErrors"] == [{"code": "NOT_FOUND", "field": ["accountId"]}]
    assert later.code is ErrorCode.STEP_UP_REQUIRED


async def test_accounts_are_closed_by_administrators_but_not_their_own(house: House) -> None:
    root = await house.signed_in("root", Role.ADMIN)
    ada = await house.signed_in("ada")
    theirs, own = (encode("Account", str(caller.account_id)) for caller in (ada, root))

    closed = (await house.data(root, CLOSE, id=theirs))["closeAnyAccount"]
    refused = [(await house.data(root, CLOSE, id=id_))["closeAnyAccount"] for id_ in (own, theirs, NOBODYS)]
    by_herself = await house.refusal(ada, CLOSE, id=own)

    assert closed == {"erasedAt": "2026-03-31T12:00:00+00:00", "userErrors": []}
    assert [payload["userErrors"][0]["code"] for payload in refused] == ["CONFLICT", "CONFLICT", "NOT_FOUND"]
    assert by_herself.code is ErrorCode.FORBIDDEN
    assert await house.desk.sessions.account(str(ada.account_id)) is None
    assert await house.desk.sessions.account(str(root.account_id)) is not None


async def test_keys_are_listed_without_their_secret_and_revoked_by_their_owner_alone(house: House) -> None:
    ada, eve = await house.signed_in("ada"), await house.signed_in("eve")
    made = (await house.data(ada, CREATE, scopes=["read:watchlist"]))["createApiKey"]
    key_id = made["apiKey"]["id"]

    theirs = (await house.data(eve, REVOKE, id=key_id))["revokeApiKey"]["userErrors"]
    node = await house.data(eve, "query ($id: ID!) { node(id: $id) { id } }", id=key_id)
    odd = (await house.data(ada, REVOKE, id=encode("ApiKey", "1 OR 1=1")))["revokeApiKey"]["userErrors"]
    listed = (await house.data(ada, KEYS))["viewer"]["apiKeys"]
    own = (await house.data(ada, REVOKE, id=key_id))["revokeApiKey"]["userErrors"]

    assert theirs == odd == [{"code": "NOT_FOUND", "field": ["keyId"]}]
    assert node == {"node": None}
    assert listed == [{"id": key_id, "name": "k", "prefix": made["secret"][:20], "revokedAt": None}]
    assert own == []
    assert (await house.data(ada, KEYS))["viewer"]["apiKeys"][0]["revokedAt"]


async def test_a_key_makes_no_key_and_no_administrator(house: House) -> None:
    root = await house.signed_in("root", Role.ADMIN)
    ada = await house.account("ada")
    secret = (await house.data(root, CREATE, scopes=["admin:full"]))["createApiKey"]["secret"]
    by_key = await house.desk.keys.identify(secret)

    another = await house.refusal(by_key, CREATE, scopes=["read:watchlist"])
    promoted = await house.refusal(by_key, ROLES, id=global_id(ada), roles=["ADMIN"])
    suspended = await house.data(by_key, SUSPEND, id=global_id(ada))

    assert another.extensions == {"scope": "write:security"}
    assert promoted.code is ErrorCode.FORBIDDEN
    assert suspended["suspendAccount"]["userErrors"] == []


async def test_administrators_revoke_anybodys_key(house: House) -> None:
    root, ada = await house.signed_in("root", Role.ADMIN), await house.signed_in("ada")
    made = (await house.data(ada, CREATE, scopes=["read:watchlist"]))["createApiKey"]

    done = await house.data(root, REVOKE_ANY, id=made["apiKey"]["id"])

    assert done["revokeAnyApiKey"]["apiKey"]["revokedAt"]
    assert (await house.data(ada, KEYS))["viewer"]["apiKeys"][0]["revokedAt"]


async def test_clients_are_registered_and_disabled(house: House) -> None:
    root = await house.signed_in("root", Role.ADMIN)

    wrong = (await house.data(root, CLIENT, uri="http://evil.example/*"))["registerClient"]
    made = (await house.data(root, CLIENT, uri="https://app.example/cb"))["registerClient"]
    done = (await house.data(root, DISABLE, id=made["client"]["id"]))["disableClient"]
    again = (await house.data(root, DISABLE, id=made["client"]["id"]))["disableClient"]

    assert (wrong["client"], wrong["secret"]) == (None, None)
    assert {tuple(error["field"]) for error in wrong["userErrors"]} == {("redirectUris",)}
    assert made["client"]["name"] == "App"
    assert made["secret"].startswith("mg_cs_")
    assert done["client"]["disabledAt"]
    assert again["userErrors"] == [{"code": "NOT_FOUND"}]


async def test_clients_are_found_changed_and_given_other_secrets(house: House) -> None:
    root = await house.signed_in("root", Role.ADMIN)
    made = (await house.data(root, CLIENT, uri="https://app.example/cb"))["registerClient"]
    key = made["client"]["id"]

    changed = (await house.data(root, UPDATE, id=key))["updateClient"]
    rotated = (await house.data(root, ROTATE, id=key))["rotateClientSecret"]
    found = (await house.data(root, CLIENTS, search="oTH", first=1))["admin"]["clients"]
    none = (await house.data(root, CLIENTS, search="%", first=1))["admin"]["clients"]
    one = (await house.data(root, ONE_CLIENT, id=key))["admin"]["client"]
    missing = (await house.data(root, UPDATE, id="none"))["updateClient"]

    assert changed == {
        "client": {"name": "Other", "tier": "PREMIUM"}, "endedSessions": 0, "userErrors": []
    }  # fmt: skip
    assert rotated["secret"].startswith("mg_cs_")
    assert rotated["secret"] != made["secret"]
    assert one == {"name": "Other", "oldSecretUntil": rotated["client"]["oldSecretUntil"]}
    assert found["nodes"] == [{"id": key, "name": "Other", "tier": "PREMIUM"}]
    assert (found["totalCount"], none["totalCount"]) == (1, 0)
    assert missing["userErrors"] == [{"code": "NOT_FOUND", "field": ["clientId"]}]


@pytest.mark.parametrize("query", [CLIENT, UPDATE, ROTATE])
async def test_what_an_application_may_do_is_changed_by_who_confirms_who_they_are(
    house: House, query: str
) -> None:
    root = await house.signed_in("root", Role.ADMIN)
    made = (await house.data(root, CLIENT, uri="https://app.example/cb"))["registerClient"]
    before = await house.desk.registrations.store.all()

    house.desk.clock.turn(601)
    refusal = await house.refusal(root, query, id=made["client"]["id"], uri="https://app.example/cb")

    assert refusal.code is ErrorCode.STEP_UP_REQUIRED
    assert await house.desk.registrations.store.all() == before
