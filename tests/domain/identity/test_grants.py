"""What is granted lapses: codes, requests that were pushed ahead, and devices that wait."""

from datetime import timedelta

import pytest

from domain.identity.attempts import LocalAttempts
from domain.identity.audit import SYSTEM
from domain.identity.clients import OAuthClient, fingerprint
from domain.identity.grants import CODE_LIFETIME, DEVICE_CODE_LIFETIME, Code, Grants
from domain.identity.model import Account, Terms
from domain.identity.postgres_grants import PostgresGrants
from domain.identity.profile import Profile
from domain.identity.registrations import Registration
from domain.platform.postgres import Database
from tests.accounts import PASSWORD, Desk

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
    await grants.authorize("a code", code, SYSTEM)

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


async def test_nobody_lets_a_device_in_that_has_waited_too_long(
    desk: Desk, grants: Grants, ada: Account, client: OAuthClient
) -> None:
    started = await grants.start_device(client, frozenset(["read:watchlist"]), (), None, SYSTEM)

    desk.clock.turn(DEVICE_CODE_LIFETIME.total_seconds() - MOMENT)
    waiting = await grants.waiting(started.user_code, ada.id)
    desk.clock.turn(MOMENT)

    assert waiting is not None
    assert await grants.waiting(started.user_code, ada.id) is None
    assert not await grants.allow(waiting, ada.id, Terms(), SYSTEM)
