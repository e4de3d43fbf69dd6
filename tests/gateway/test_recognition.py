"""Callers of a moment ago: found without another look, and never a moment longer than they are callers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from domain.identity.api_keys import NewKey, Wanted
from domain.identity.audit import SYSTEM, Actor
from domain.identity.keys import SigningKey, SigningKeys, new_key
from domain.identity.model import ANONYMOUS, Account, Caller, Role, SessionEnd, Terms
from domain.identity.policy import Scope, granted
from domain.identity.profile import Profile
from domain.identity.registrations import Registration
from domain.identity.revocations import Revocation
from domain.platform.errors import Unauthenticated
from domain.platform.postgres import Database
from gateway import recognition as recognition_module
from gateway.authentication import Presented
from gateway.recognition import REMEMBERED_SECONDS, Recognition
from gateway.routes.connection import Connection
from tests.accounts import NOBODY, PASSWORD, Desk, opened_desk


class Checks:
    """Lets through whoever has no key, or has just proven it."""

    def __init__(self) -> None:
        self.seen: list[Caller] = []

    async def check(self, connection: Connection, presented: Presented, caller: Caller) -> None:
        self.seen.append(caller)
        if caller.key_thumbprint is not None and "dpop" not in connection.headers:
            raise Unauthenticated("Without a proof.")


class House:
    """A desk, and who is recognised there."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.checks = Checks()
        self.recognition = Recognition(desk.sessions, desk.keys, self.checks.check, desk.clock.seconds)

    async def registered(self) -> Account:
        return await self.desk.service.register("ada@example.org", PASSWORD, Profile("Ada", "GB"), NOBODY)

    async def key(self, account: Account, days: int | None = None) -> NewKey:
        holder = Caller(account.id, frozenset(), granted(()))
        wanted = Wanted("Backup", (Scope.READ_WATCHLIST,), expires_in_days=days)
        return await self.desk.keys.create(holder, wanted, Actor(account.id))

    async def caller(self, **headers: str) -> Caller:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.recognition.caller_of(Connection("https", named, None, "r"))

    async def on_a_socket(self, **parameters: Any) -> Caller:
        return await self.recognition.caller_of(Connection("wss", {}, None, "r", parameters))

    async def with_token(self, token: str) -> Caller:
        return await self.caller(authorization=f"Bearer {token}")


@pytest.fixture
async def house(database: Database) -> AsyncIterator[House]:
    async with opened_desk(database) as desk:
        yield House(desk)


async def test_a_token_and_a_key_are_looked_into_once_a_second(house: House) -> None:
    ada = await house.registered()
    token, key = await house.desk.token(ada), (await house.key(ada)).text

    ways: list[Callable[[], Awaitable[Caller]]] = [
        lambda: house.with_token(token),
        lambda: house.caller(x_api_key=key),
        lambda: house.on_a_socket(Authorization=f"Bearer {token}", other=1),
    ]
    for ask in ways:
        first = await ask()
        again = await ask()
        house.desk.clock.turn(REMEMBERED_SECONDS)
        later = await ask()

        assert first.account_id == ada.id
        assert first is again
        assert later == first
        assert later is not first


async def test_nobody_is_remembered_who_is_not_let_in(house: House) -> None:
    anonymous: list[dict[str, str]] = [{}, {"authorization": ""}, {"x_api_key": ""}, {"accept": "*/*"}]
    refused: list[dict[str, str]] = [
        {"authorization": "Bearer abc"},
        {"authorization": "Basic abc"},
        {"x_api_key": "mg_live_abc"},
    ]

    for headers in anonymous:
        assert await house.caller(**headers) is ANONYMOUS
    for headers in refused:
        with pytest.raises(Unauthenticated):
            await house.caller(**headers)

    assert not house.recognition._known


async def test_a_credential_counts_only_where_it_was_shown(house: House) -> None:
    ada = await house.registered()
    token, key = await house.desk.token(ada), (await house.key(ada)).text
    await house.with_token(token)
    await house.caller(x_api_key=key)

    elsewhere: list[dict[str, str]] = [
        {"x_api_key": f"Bearer {token}"},
        {"x_api_key": token},
        {"authorization": key},
        {"authorization": f"Bearer {token}", "x_api_key": key},
        {"authorization": f"earer {token}"},
    ]
    for headers in elsewhere:
        with pytest.raises(Unauthenticated):
            await house.caller(**headers)


async def test_an_end_of_the_session_counts_at_once_wherever_it_was_written(house: House) -> None:
    ada = await house.registered()
    for end in (SessionEnd.SIGNED_OUT, SessionEnd.REVOKED):
        token = await house.desk.token(ada)
        session = str((await house.with_token(token)).session_id)

        if end is SessionEnd.SIGNED_OUT:
            await house.desk.sessions.end(ada.id, [session], end, NOBODY)
        else:  # as another process tells it
            house.desk.sessions.revocations.add([Revocation(session, end, house.desk.clock.now())])

        with pytest.raises(Unauthenticated) as refused:
            await house.with_token(token)
        assert refused.value.extensions["reason"] == end.name


async def test_a_revoked_key_is_refused_at_once(house: House) -> None:
    ada = await house.registered()
    key, text = await house.key(ada)
    await house.caller(x_api_key=text)

    await house.desk.keys.revoke(ada.id, key.id, NOBODY)

    with pytest.raises(Unauthenticated):
        await house.caller(x_api_key=text)


async def test_what_becomes_of_the_account_counts_at_once_where_it_is_written(house: House) -> None:
    ada = await house.registered()
    token, key = await house.desk.token(ada), (await house.key(ada)).text
    before = await house.with_token(token)
    await house.caller(x_api_key=key)

    await house.desk.administration.suspend(ada.id, "", SYSTEM)

    assert before.region == "GB"
    with pytest.raises(Unauthenticated):
        await house.with_token(token)
    with pytest.raises(Unauthenticated):
        await house.caller(x_api_key=key)


async def test_a_role_that_is_taken_away_is_gone_with_the_next_request(house: House) -> None:
    ada = await house.registered()
    await house.desk.administration.set_roles(ada.id, [Role.EDITOR], SYSTEM)
    editor = await house.desk.service.store.accounts([ada.id])
    token = await house.desk.token(editor[ada.id])
    before = await house.with_token(token)

    await house.desk.administration.set_roles(ada.id, [], SYSTEM)
    after = await house.with_token(token)

    assert Scope.WRITE_CONTENT in before.scopes
    assert Scope.WRITE_CONTENT not in after.scopes


async def test_a_service_is_nobody_as_soon_as_its_client_is_disabled(house: House) -> None:
    wanted = Registration("Feed", grants=["client_credentials"], scopes=["read:content"], confidential=True)
    client, _ = await house.desk.registrations.register(wanted, SYSTEM)
    token = house.desk.sessions.tokens.issue_to_service(client.id, client.scopes).value
    assert (await house.with_token(token)).client_id == client.id

    await house.desk.registrations.disable(client.id, SYSTEM)

    with pytest.raises(Unauthenticated):
        await house.with_token(token)


async def test_what_another_process_changes_counts_within_five_seconds(
    house: House, database: Database
) -> None:
    ada = await house.registered()
    token = await house.desk.token(ada)
    await house.with_token(token)
    house.desk.clock.turn(3.9)
    await house.with_token(token)
    await database.execute("UPDATE account SET region = 'DE' WHERE id = $1", ada.id)

    regions = []
    for _ in range(2):
        house.desk.clock.turn(0.55)
        regions.append((await house.with_token(token)).region)

    assert regions == ["GB", "DE"]


async def test_what_changes_while_a_caller_is_found_is_not_missed(house: House) -> None:
    ada = await house.registered()
    token = await house.desk.token(ada)
    house.desk.sessions.recent.forget(ada.id)
    finding = asyncio.create_task(house.with_token(token))
    await asyncio.sleep(0)

    house.desk.sessions.recent.forget(ada.id)
    found = await finding
    again = await house.with_token(token)

    assert found == again
    assert found is not again


async def test_a_lapsed_token_and_a_lapsed_key_are_not_remembered_further(house: House) -> None:
    ada = await house.registered()
    token, key = await house.desk.token(ada), (await house.key(ada, days=1)).text
    caller = await house.with_token(token)
    left = (caller.expires_at - house.desk.clock.now()).total_seconds() if caller.expires_at else 0.0
    house.desk.clock.turn(left + 59.5)
    assert await house.with_token(token)
    house.desk.clock.turn(0.5)
    with pytest.raises(Unauthenticated):
        await house.with_token(token)

    by_key = await house.caller(x_api_key=key)
    left = (by_key.expires_at - house.desk.clock.now()).total_seconds() if by_key.expires_at else 0.0
    house.desk.clock.turn(left - 0.1)
    assert await house.caller(x_api_key=key)
    house.desk.clock.turn(0.1)
    with pytest.raises(Unauthenticated):
        await house.caller(x_api_key=key)


async def test_tokens_of_a_key_that_is_dropped_are_refused_at_once(house: House) -> None:
    ada = await house.registered()
    token = await house.desk.token(ada)
    await house.with_token(token)

    house.desk.sessions.tokens.keys.adopt(SigningKeys(SigningKey.of(new_key())))

    with pytest.raises(Unauthenticated):
        await house.with_token(token)


async def test_a_token_that_is_bound_to_a_key_is_proven_each_time(house: House) -> None:
    ada = await house.registered()
    bound = await house.desk.sessions.start(ada, NOBODY, Terms(key_thumbprint="k1"))
    authorization = f"DPoP {bound.access.value}"

    assert (await house.caller(authorization=authorization, dpop="a proof")).key_thumbprint == "k1"
    with pytest.raises(Unauthenticated):
        await house.caller(authorization=authorization)

    assert len(house.checks.seen) == 2


async def test_memory_is_bounded(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recognition_module, "MOST", 3)
    ada = await house.registered()

    for _ in range(8):
        assert (await house.with_token(await house.desk.token(ada))).account_id == ada.id

    assert len(house.recognition._known) <= 3
