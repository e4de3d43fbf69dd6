"""Sign-ins whose proof is taken away while they are under way: nothing of them stands in the end."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any

import asyncpg
import pytest

from domain.identity.audit import SYSTEM
from domain.identity.factors import Given
from domain.identity.federation import Federation, Outsider
from domain.identity.model import Account, SessionEnd
from domain.identity.postgres_federation import PostgresLinks
from domain.identity.profile import Profile
from domain.platform.errors import Refused, UserErrorCode
from domain.platform.postgres import Database
from tests.accounts import PASSWORD, Desk, new_id
from tests.domain.identity.test_factors import options, with_app, with_passkey
from tests.domain.identity.test_grants import WITHDRAWING, reset

OUTSIDER = Outsider("google", "google ada", "ada@example.org", email_verified=True)
WAITING = """SELECT count(*) FROM pg_stat_activity
              WHERE datname = current_database()
                AND wait_event_type = 'Lock' AND query LIKE 'UPDATE account%'"""
"""How many wait to begin another epoch."""
Act = Callable[[Desk, Account], Awaitable[object]]


@pytest.fixture
async def ada(desk: Desk) -> Account:
    return await desk.service.register("ada@example.org", PASSWORD, Profile("Ada", "GB"), SYSTEM)


async def without_its_passkey(desk: Desk, ada: Account) -> None:
    (passkey,) = (await desk.factors.store.enrolled(ada.id)).passkeys
    await desk.factors.remove_passkey(ada, passkey.id, SYSTEM)


async def without_its_app(desk: Desk, ada: Account) -> None:
    await desk.factors.remove_totp(ada, SYSTEM)


async def without_its_link(desk: Desk, ada: Account) -> None:
    await desk.links.remove(ada.id, OUTSIDER.provider, SYSTEM)


async def with_another_password(desk: Desk, ada: Account) -> None:
    await desk.recovery.change_password(ada.id, PASSWORD, "Better horse 8", None, SYSTEM)


VOIDING: dict[str, Act] = {**WITHDRAWING, "password changed": with_another_password}


async def refused(desk: Desk, account: Account) -> bool:
    """Whether somebody who has proven to be this account is told of a conflict and gets no session of it."""
    with pytest.raises(Refused) as refusal:
        await desk.sessions.sign_in(account, SYSTEM)
    left = await desk.sessions.store.standing(account.id, desk.clock.now())
    return refusal.value.errors[0].code is UserErrorCode.CONFLICT and left == []


class Interrupted:
    """A store on which something else is done at one of its calls."""

    def __init__(self, store: object, name: str, call: Callable[..., Awaitable[object]]) -> None:
        self._store = store
        self._name, self._call = name, call

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        return partial(self._call, found) if name == self._name else found


@pytest.mark.parametrize("how", VOIDING)
async def test_a_password_that_was_checked_before_starts_no_session(
    desk: Desk, ada: Account, how: str
) -> None:
    proven = await desk.service.sign_in("ada@example.org", PASSWORD, SYSTEM)
    await VOIDING[how](desk, ada)

    assert await refused(desk, proven)


async def test_a_password_that_changes_while_it_is_checked_starts_no_session(
    desk: Desk, ada: Account
) -> None:
    async def read_before(credentials: Callable[..., Awaitable[object]], email: str) -> object:
        found = await credentials(email)
        await reset(desk, ada)
        return found

    store: Any = Interrupted(desk.service.store, "credentials", read_before)

    proven = await replace(desk.service, store=store).sign_in("ada@example.org", PASSWORD, SYSTEM)
    assert await refused(desk, proven)


async def test_a_session_that_is_started_meanwhile_is_ended(
    desk: Desk, ada: Account, database_url: str
) -> None:
    """The other way round: the session is there, and not committed yet, when the others are looked for."""
    proven = await desk.service.sign_in("ada@example.org", PASSWORD, SYSTEM)
    watching = await asyncpg.connect(database_url)

    async with desk.service.audit.writing():
        await desk.sessions.sign_in(proven, SYSTEM)
        ending = asyncio.create_task(desk.sessions.end_all(ada.id, SessionEnd.SIGNED_OUT, SYSTEM))
        async with asyncio.timeout(10):
            while not await watching.fetchval(WAITING):  # noqa: ASYNC110 - the server has no event for it
                await asyncio.sleep(0.005)
    await watching.close()

    assert len(await ending) == 1
    assert await desk.sessions.store.standing(ada.id, desk.clock.now()) == []


@pytest.mark.parametrize("how", VOIDING)
async def test_a_first_step_of_before_is_asked_for_no_second(desk: Desk, ada: Account, how: str) -> None:
    await with_app(desk, ada)
    proven = await desk.service.sign_in("ada@example.org", PASSWORD, SYSTEM)
    await VOIDING[how](desk, ada)

    if how == "password reset":  # which proves the address for the first time, and takes factors away
        assert await desk.sign_ins.second_step(proven) is None
    else:
        with pytest.raises(Refused):
            await desk.sign_ins.second_step(proven)
    assert await refused(desk, proven)


@pytest.mark.parametrize("how", [*VOIDING, "app removed"])
async def test_a_second_step_of_before_starts_no_session(desk: Desk, ada: Account, how: str) -> None:
    app, _ = await with_app(desk, ada)
    asked = await desk.sign_ins.second_step(await desk.service.sign_in("ada@example.org", PASSWORD, SYSTEM))
    assert asked is not None
    proven, _ = await desk.sign_ins.complete(asked.token, Given(code=app.at(desk.clock.at)), SYSTEM)
    await (VOIDING | {"app removed": without_its_app})[how](desk, ada)

    assert await refused(desk, proven)


async def test_a_backup_code_of_before_starts_no_session(desk: Desk, ada: Account) -> None:
    _, codes = await with_app(desk, ada)
    asked = await desk.sign_ins.second_step(await desk.service.sign_in("ada@example.org", PASSWORD, SYSTEM))
    assert asked is not None
    proven, _ = await desk.sign_ins.complete(asked.token, Given(backup_code=codes[0]), SYSTEM)
    await desk.factors.renew_backup_codes(ada, 10, SYSTEM)

    assert await refused(desk, proven)


@pytest.mark.parametrize("how", [*VOIDING, "passkey removed"])
async def test_a_passkey_of_before_starts_no_session(desk: Desk, ada: Account, how: str) -> None:
    device = await with_passkey(desk, ada)
    asked = await desk.sign_ins.begin_passkey()
    proven, _ = await desk.sign_ins.complete_passkey(asked.token, device.get(options(asked)), SYSTEM)
    await (VOIDING | {"passkey removed": without_its_passkey})[how](desk, ada)

    assert await refused(desk, proven)


async def test_a_passkey_that_is_removed_as_it_is_checked_signs_nobody_in(desk: Desk, ada: Account) -> None:
    device = await with_passkey(desk, ada)
    asked = await desk.sign_ins.begin_passkey()

    async def removed_before(passkey_used: Callable[..., Awaitable[object]], *arguments: Any) -> object:
        await without_its_passkey(desk, ada)
        return await passkey_used(*arguments)

    store: Any = Interrupted(desk.factors.store, "passkey_used", removed_before)
    sign_ins = replace(desk.sign_ins, factors=replace(desk.factors, store=store))

    with pytest.raises(Refused) as refusal:
        await sign_ins.complete_passkey(asked.token, device.get(options(asked)), SYSTEM)
    assert refusal.value.errors[0].code is UserErrorCode.CREDENTIALS


@pytest.mark.parametrize("how", [*WITHDRAWING, "unlinked"])
async def test_an_account_of_another_provider_of_before_starts_no_session(
    desk: Desk, database: Database, how: str
) -> None:
    federation = Federation(PostgresLinks(database), desk.service.audit, "GB", desk.clock.now, new_id)
    await federation.account(OUTSIDER, SYSTEM)
    proven = await federation.account(OUTSIDER, SYSTEM)
    await (VOIDING | {"unlinked": without_its_link})[how](desk, proven)

    assert await refused(desk, proven)


async def test_what_is_done_to_others_voids_nothing(desk: Desk, ada: Account) -> None:
    eve = await desk.service.register("eve@example.org", PASSWORD, Profile("Eve", "GB"), SYSTEM)
    proven = await desk.service.sign_in("ada@example.org", PASSWORD, SYSTEM)
    await desk.sessions.end_all(eve.id, SessionEnd.SIGNED_OUT, SYSTEM)

    assert (await desk.sessions.sign_in(proven, SYSTEM)).session.account_id == ada.id
