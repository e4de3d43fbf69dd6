"""By which other providers somebody signs in: shown to them alone, and ended by them."""

from collections.abc import AsyncIterator

import pytest

from domain.identity.federation import Federation, Outsider
from domain.identity.model import Account, Caller
from domain.identity.postgres_federation import PostgresLinks
from domain.platform.errors import ErrorCode, Refused
from domain.platform.postgres import Database
from schema.graph import Graph, graph
from tests.accounts import NOBODY, new_id, opened_desk
from tests.resolvers.test_administration import House

LINKED = "{ viewer { linkedProviders { provider linkedAt } } }"
UNLINK = """mutation ($provider: String!) { unlinkProvider(input: {provider: $provider}) {
  linkedProviders { provider } userErrors { code field } } }"""


@pytest.fixture(scope="module")
def schema() -> Graph:
    return graph()


@pytest.fixture
async def house(database: Database, schema: Graph) -> AsyncIterator[House]:
    async with opened_desk(database) as desk:
        yield House(desk, schema)


async def by(house: House, database: Database, provider: str, name: str = "ada") -> Account:
    """The account that a provider signs in to."""
    desk = house.desk
    federation = Federation(PostgresLinks(database), desk.service.audit, "GB", desk.clock.now, new_id)
    email = f"{name}@example.org"
    return await federation.account(
        Outsider(provider, f"{provider} {name}", email, email_verified=True), NOBODY
    )


async def signed_in(house: House, account: Account) -> Caller:
    return await house.desk.sessions.identify(await house.desk.token(account))


async def test_who_signs_in_by_a_provider_sees_it_and_ends_it(house: House, database: Database) -> None:
    ada = await by(house, database, "google")
    house.desk.clock.turn(60)
    await by(house, database, "github")
    caller = await signed_in(house, ada)

    shown = await house.data(caller, LINKED)
    ended = (await house.data(caller, UNLINK, provider="google"))["unlinkProvider"]
    again = (await house.data(caller, UNLINK, provider="google"))["unlinkProvider"]

    assert shown["viewer"]["linkedProviders"] == [
        {"provider": "google", "linkedAt": "2026-03-01T12:00:00+00:00"},
        {"provider": "github", "linkedAt": "2026-03-01T12:01:00+00:00"},
    ]
    assert ended == {"linkedProviders": [{"provider": "github"}], "userErrors": []}
    assert again["userErrors"] == [{"code": "NOT_FOUND", "field": ["provider"]}]
    assert await PostgresLinks(database).linked("google", "google ada") is None
    assert (
        await database.value("SELECT count(*) FROM audit_entry WHERE action = 'account.provider_unlinked'")
        == 1
    )


async def test_anothers_are_neither_shown_nor_ended(house: House, database: Database) -> None:
    await by(house, database, "google")
    eve = await signed_in(house, await by(house, database, "github", "eve"))

    shown = await house.data(eve, LINKED)
    refused = (await house.data(eve, UNLINK, provider="google"))["unlinkProvider"]

    assert [link["provider"] for link in shown["viewer"]["linkedProviders"]] == ["github"]
    assert [error["code"] for error in refused["userErrors"]] == ["NOT_FOUND"]
    assert await PostgresLinks(database).linked("google", "google ada") is not None


async def test_a_provider_that_was_unlinked_has_to_be_linked_anew(house: House, database: Database) -> None:
    ada = await by(house, database, "google")
    caller = await signed_in(house, ada)
    await house.data(caller, UNLINK, provider="google")

    assert (await by(house, database, "google")).id == ada.id
    await house.data(caller, UNLINK, provider="google")
    await database.execute("UPDATE account SET email_verified_at = NULL")
    with pytest.raises(Refused):
        await by(house, database, "google")


async def test_a_narrow_token_does_not_see_them(house: House, database: Database) -> None:
    caller = await signed_in(house, await by(house, database, "google"))
    narrow = Caller(caller.account_id, scopes=frozenset({"read:watchlist"}))

    assert (await house.refusal(narrow, LINKED)).code is ErrorCode.FORBIDDEN
