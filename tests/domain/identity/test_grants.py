"""What is granted lapses, and ends with the sessions: codes, requests pushed ahead, devices that wait."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.identity.attempts import LocalAttempts
from domain.identity.audit import SYSTEM
from domain.identity.clients import OAuthClient, fingerprint
from domain.identity.factors import Given
from domain.identity.grants import CODE_LIFETIME, DEVICE_CODE_LIFETIME, Code, Grants
from domain.identity.model import BROWSER, Account, LoginSession, SessionEnd, Terms
from domain.identity.postgres_grants import PostgresGrants
from domain.identity.profile import Profile
from domain.identity.registrations import Changes, Registration
from domain.identity.sessions import InvalidGrant
from domain.platform.errors import Refused, UserErrorCode
from domain.platform.postgres import Database
from tests.accounts import PASSWORD, Desk
from tests.domain.identity.test_factors import with_app

MOMENT = timedelta(milliseconds=1).total_seconds()
APP = Registration("App", ["https://app.example/"], ["authorization_code"], ["read:watchlist"])


@pytest.fixture
def grants(desk: Desk, database: Database) -> Grants:
    attempts = LocalAttempts(desk.clock.seconds)
    return Grants(PostgresGrants(database), desk.sessions, attempts, desk.service.audit, desk.clock.now)


@pytest.fixture
async def ada(desk: Desk) -> Account:
    return await desk.service.register("ada@example.org", PASSWORD, Profile("Ada", "GB"), SYSTEM)


@pytest.fixture
async def client(desk: Desk) -> OAuthClient:
    return (await desk.registrations.register(APP, SYSTEM)).client


async def test_a_code_lapses_after_five_minutes(
    desk: Desk, grants: Grants, ada: Account, client: OAuthClient
) -> None:
    terms, until = Terms(frozenset(["read:watchlist"])), desk.clock.now() + CODE_LIFETIME
    code = Code(client.id, ada.id, "https://app.example/", "x" * 43, terms, until)
    await grants.authorize("a code", code, (await browser(desk, ada)).id, SYSTEM)

    desk.clock.turn(CODE_LIFETIME.total_seconds() - MOMENT)
    assert await grants.code("a code", client.id, SYSTEM) == code
    desk.clock.turn(MOMENT)
    assert await grants.code("a code", client.id, SYSTEM) is None


async def test_a_pushed_request_lapses_when_it_says(desk: Desk, grants: Grants, client: OAuthClient) -> None:
    reference = fingerprint("a reference")
    await grants.push(reference, client.id, [("scope", "read:watchlist")], 90)

    desk.clock.turn(90 - MOMENT)
    assert await grants.pushed(reference)
    desk.clock.turn(MOMENT)
    assert await grants.pushed(reference) is None


async def test_a_device_that_asks_too_soon_has_to_wait_five_seconds_longer_each_time(
    desk: Desk, grants: Grants, client: OAuthClient
) -> None:
    code = (await grants.start_device(client, frozenset(["read:watchlist"]), (), None, SYSTEM)).device_code
    found = []

    for pause in (0, 5, 4.9, 9.9, 15, 15):
        desk.clock.turn(pause)
        polled = await grants.poll(code)
        assert polled is not None
        found.append((polled.too_soon, polled.interval_seconds))

    assert found == [(False, 5), (False, 5), (True, 10), (True, 15), (False, 15), (False, 15)]


async def test_nobody_lets_a_device_in_that_has_waited_too_long(
    desk: Desk, grants: Grants, ada: Account, client: OAuthClient
) -> None:
    started = await grants.start_device(client, frozenset(["read:watchlist"]), (), None, SYSTEM)

    desk.clock.turn(DEVICE_CODE_LIFETIME.total_seconds() - MOMENT)
    waiting = await grants.waiting(started.user_code, ada.id)
    desk.clock.turn(MOMENT)

    assert waiting is not None
    assert await grants.waiting(started.user_code, ada.id) is None
    assert not await grants.allow(waiting, await browser(desk, ada), SYSTEM)


# ── what was granted, and not used yet, ends with the sessions ────────────────────────────────────────────

Withdraw = Callable[[Desk, Account], Awaitable[object]]


async def reset(desk: Desk, ada: Account) -> None:
    await desk.postman.run()
    await desk.recovery.request_reset(str(ada.email))
    await desk.postman.run()
    await desk.recovery.reset_password(desk.postbox.token(), "Better horse 8", SYSTEM)


async def suspended_for_a_moment(desk: Desk, ada: Account) -> None:
    await desk.administration.suspend(ada.id, "", SYSTEM)
    await desk.administration.restore(ada.id, SYSTEM)


WITHDRAWING: dict[str, Withdraw] = {
    "password reset": reset,
    "signed out everywhere": lambda desk, ada: desk.sessions.end_all(ada.id, SessionEnd.SIGNED_OUT, SYSTEM),
    "suspended and restored": suspended_for_a_moment,
}


@pytest.mark.parametrize("how", WITHDRAWING)
async def test_a_code_that_nobody_has_used_is_void_once_its_owner_is_signed_out(
    desk: Desk, grants: Grants, ada: Account, client: OAuthClient, how: str
) -> None:
    code = await coded(desk, grants, ada, client)
    await WITHDRAWING[how](desk, ada)

    assert await grants.code("a code", client.id, SYSTEM) is None
    with pytest.raises(InvalidGrant):
        await grants.redeem("a code", code, ada, SYSTEM, refreshable=True)

    assert await desk.sessions.store.standing(ada.id, desk.clock.now()) == []


@pytest.mark.parametrize("how", WITHDRAWING)
async def test_a_device_that_was_let_in_and_has_not_asked_stays_out_once_its_owner_is_signed_out(
    desk: Desk, grants: Grants, ada: Account, client: OAuthClient, how: str
) -> None:
    let_in = await device(desk, grants, ada, client)
    await WITHDRAWING[how](desk, ada)

    polled = await grants.poll(let_in)
    assert polled is not None
    assert (polled.account_id, polled.denied_at) == (None, desk.clock.now())
    with pytest.raises(InvalidGrant):
        await grants.admit(let_in, replace(polled, account_id=ada.id), ada, SYSTEM, refreshable=True)


async def test_what_others_granted_goes_on(
    desk: Desk, grants: Grants, ada: Account, client: OAuthClient
) -> None:
    eve = await desk.service.register("eve@example.org", PASSWORD, Profile("Eve", "GB"), SYSTEM)
    code, let_in = await coded(desk, grants, ada, client), await device(desk, grants, ada, client)

    await desk.sessions.end_all(eve.id, SessionEnd.SIGNED_OUT, SYSTEM)

    polled = await grants.poll(let_in)
    assert await grants.code("a code", client.id, SYSTEM) == code
    assert polled is not None
    assert await grants.admit(let_in, polled, ada, SYSTEM, refreshable=True)


async def test_what_a_client_was_granted_is_void_once_it_may_do_less(
    desk: Desk, grants: Grants, ada: Account, client: OAuthClient
) -> None:
    await coded(desk, grants, ada, client)
    let_in = await device(desk, grants, ada, client)
    waiting = await grants.start_device(client, frozenset(["read:watchlist"]), (), None, SYSTEM)

    await desk.registrations.update(client.id, Changes(scopes=[]), SYSTEM)

    polled = await grants.poll(let_in)
    assert polled is not None
    assert polled.denied_at is not None
    assert await grants.code("a code", client.id, SYSTEM) is None
    assert await grants.waiting(waiting.user_code, ada.id) is None


async def test_who_uses_a_code_while_its_owner_is_signed_out_is_signed_out_as_well(
    desk: Desk, grants: Grants, ada: Account, client: OAuthClient
) -> None:
    """Whichever of the two is first: nothing stands in the end."""
    for turn in range(8):
        code = await coded(desk, grants, ada, client, f"code {turn}")
        await asyncio.gather(
            grants.redeem(f"code {turn}", code, ada, SYSTEM, refreshable=True),
            desk.sessions.end_all(ada.id, SessionEnd.SIGNED_OUT, SYSTEM),
            return_exceptions=True,
        )

        assert await desk.sessions.store.standing(ada.id, desk.clock.now()) == []


async def test_the_second_step_of_a_password_that_is_not_one_any_more_signs_nobody_in(
    desk: Desk, ada: Account
) -> None:
    app, _ = await with_app(desk, ada)
    asked = await desk.sign_ins.second_step(ada)
    assert asked is not None
    await desk.recovery.change_password(ada.id, PASSWORD, "Better horse 8", None, SYSTEM)

    with pytest.raises(Refused) as refusal:
        await desk.sign_ins.complete(asked.token, Given(code=app.at(desk.clock.at)), SYSTEM)

    assert refusal.value.errors[0].code is UserErrorCode.NOT_FOUND


async def browser(desk: Desk, ada: Account) -> LoginSession:
    """Where the owner is signed in on our pages."""
    return (await desk.sessions.start(ada, SYSTEM, client_id=BROWSER)).session


async def coded(desk: Desk, grants: Grants, ada: Account, client: OAuthClient, text: str = "a code") -> Code:
    terms, until = Terms(frozenset(["read:watchlist"])), desk.clock.now() + CODE_LIFETIME
    code = Code(client.id, ada.id, "https://app.example/", "x" * 43, terms, until)
    await grants.authorize(text, code, (await browser(desk, ada)).id, SYSTEM)
    return code


async def device(desk: Desk, grants: Grants, ada: Account, client: OAuthClient) -> str:
    """The code of a device that was let in and has not asked since."""
    started = await grants.start_device(client, frozenset(["read:watchlist"]), (), None, SYSTEM)
    waiting = await grants.waiting(started.user_code, ada.id)
    assert waiting is not None
    assert await grants.allow(waiting, await browser(desk, ada), SYSTEM)
    return started.device_code
