"""What is granted in a session at the moment that it ends: what was first wins."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from domain.identity.api_keys import Wanted
from domain.identity.audit import SYSTEM, Actor
from domain.identity.clients import OAuthClient
from domain.identity.grants import CODE_LIFETIME, Code, DeviceCode, Grants
from domain.identity.impersonation import Impersonation
from domain.identity.model import BROWSER, Account, Caller, LoginSession, Method, Role, SessionEnd, Terms
from domain.identity.policy import Policy, Scope
from domain.identity.postgres_clients import PostgresClients
from domain.identity.profile import Profile
from domain.identity.registrations import Changes
from domain.identity.sessions import InvalidGrant
from domain.platform.errors import Forbidden, Refused, Unauthenticated
from domain.platform.postgres import Database
from tests.accounts import PASSWORD, Desk
from tests.domain.identity.conftest import LockAwaited
from tests.domain.identity.test_factors import with_app
from tests.domain.identity.test_grants import APP, client, grants

__all__ = ["client", "grants"]

LEFT = """SELECT (SELECT count(*) FROM authorization_code)
               + (SELECT count(*) FROM device_code WHERE account_id IS NOT NULL)
               + (SELECT count(*) FROM login_session WHERE acting_id IS NOT NULL AND ended_at IS NULL)
               + (SELECT count(*) FROM api_key)"""
"""Of what was granted, how much can be used."""
SCOPES = frozenset(APP.scopes)


@dataclass
class Scene:
    """An administrator, signed in on our pages and elsewhere, and what there is to be granted."""

    desk: Desk
    grants: Grants
    impersonation: Impersonation
    client: OAuthClient
    boss: Account
    ada: Account
    session: LoginSession
    caller: Caller
    device: DeviceCode
    device_code: str

    async def code(self) -> None:
        until = self.desk.clock.now() + CODE_LIFETIME
        code = Code(self.client.id, self.boss.id, APP.redirect_uris[0], "x" * 43, Terms(SCOPES), until)
        await self.grants.authorize("a code", code, self.session.id, SYSTEM)

    async def let_in(self) -> None:
        await self.grants.allow(self.device, self.session, SYSTEM)

    async def act_as_ada(self) -> None:
        await self.impersonation.start(self.caller, self.ada.id, "support", SYSTEM)

    async def key(self) -> None:
        async with self.desk.step_up.proven(self.caller):
            await self.desk.keys.create(self.caller, Wanted("A key", (Scope.READ_WATCHLIST,)), SYSTEM)

    async def its_session(self) -> None:
        await self.desk.sessions.end(self.boss.id, [self.session.id], SessionEnd.REVOKED, SYSTEM)

    async def everywhere(self) -> None:
        await self.desk.sessions.end_all(self.boss.id, SessionEnd.SIGNED_OUT, SYSTEM)

    async def suspended(self) -> None:
        await self.desk.administration.suspend(self.boss.id, "", SYSTEM)

    async def closed(self) -> None:
        await self.desk.closing.close(self.boss.id, SYSTEM)

    async def demoted(self) -> None:
        await self.desk.administration.set_roles(self.boss.id, [], SYSTEM)

    async def ada_suspended(self) -> None:
        await self.desk.administration.suspend(self.ada.id, "", SYSTEM)

    async def ada_promoted(self) -> None:
        await self.desk.administration.set_roles(self.ada.id, [Role.ADMIN], SYSTEM)


Act = Callable[[Scene], Awaitable[None]]
GRANTING: dict[str, Act] = {
    "a code": Scene.code,
    "a device": Scene.let_in,
    "acting as somebody": Scene.act_as_ada,
    "an API key": Scene.key,
}
ENDING: dict[str, Act] = {
    "its session": Scene.its_session,
    "everywhere": Scene.everywhere,
    "suspended": Scene.suspended,
    "closed": Scene.closed,
}
UNSEATING: dict[str, Act] = {
    "demoted": Scene.demoted,
    "who is acted as is suspended": Scene.ada_suspended,
    "who is acted as administers": Scene.ada_promoted,
}


@pytest.fixture
async def scene(desk: Desk, database: Database, grants: Grants, client: OAuthClient) -> Scene:
    boss = await desk.service.register("boss@example.org", PASSWORD, Profile("Boss", "GB"), SYSTEM)
    boss = await desk.administration.set_roles(boss.id, [Role.ADMIN], SYSTEM)
    ada = await desk.service.register("ada@example.org", PASSWORD, Profile("Ada", "GB"), SYSTEM)
    signed_in = await desk.sessions.start(boss, SYSTEM, client_id=BROWSER)
    started = await grants.start_device(client, SCOPES, (), None, SYSTEM)
    waiting = await grants.waiting(started.user_code, boss.id)
    assert waiting is not None
    return Scene(
        desk,
        grants,
        Impersonation(desk.sessions, Policy(), desk.service.audit),
        client,
        boss,
        ada,
        signed_in.session,
        await desk.sessions.identify(signed_in.access.value),
        waiting,
        started.device_code,
    )


@pytest.mark.parametrize(
    ("granting", "ending"),
    [
        *((granting, ending) for granting in GRANTING for ending in ENDING),
        *(("acting as somebody", unseating) for unseating in UNSEATING),
    ],
)
async def test_what_ended_first_grants_nothing(
    scene: Scene, database: Database, lock_awaited: LockAwaited, granting: str, ending: str
) -> None:
    async with scene.desk.service.audit.writing():
        await (ENDING | UNSEATING)[ending](scene)
        granted = asyncio.ensure_future(GRANTING[granting](scene))
        await lock_awaited()

    with pytest.raises((Unauthenticated, InvalidGrant)):
        await granted
    assert await database.value(LEFT) == 0


@pytest.mark.parametrize(
    ("granting", "ending"),
    [
        *((granting, ending) for granting in GRANTING for ending in ENDING if granting != "an API key"),
        ("acting as somebody", "demoted"),
    ],
)
async def test_what_was_granted_first_is_ended_with_what_lets_it_be(
    scene: Scene, database: Database, lock_awaited: LockAwaited, granting: str, ending: str
) -> None:
    async with scene.desk.service.audit.writing():
        await GRANTING[granting](scene)
        ended = asyncio.ensure_future((ENDING | UNSEATING)[ending](scene))
        await lock_awaited()
    await ended

    # An application that was let in by a browser stays so when that alone is signed out.
    stays = ending == "its session" and granting != "acting as somebody"
    assert await database.value(LEFT) == (1 if stays else 0)


async def test_who_stays_signed_in_elsewhere_goes_on_granting_there(
    scene: Scene, database: Database, lock_awaited: LockAwaited
) -> None:
    desk, kept = scene.desk, scene.session.id
    async with desk.service.audit.writing():
        await desk.sessions.end_all(scene.boss.id, SessionEnd.PASSWORD_CHANGED, SYSTEM, but=kept)
        granted = asyncio.ensure_future(scene.code())
        await lock_awaited()
    await granted

    assert await database.value(LEFT) == 1


async def test_a_code_that_is_granted_as_its_client_is_cut_down_gets_no_tokens(
    scene: Scene, lock_awaited: LockAwaited
) -> None:
    desk, grants = scene.desk, scene.grants
    async with desk.service.audit.writing():
        await desk.registrations.update(scene.client.id, Changes(scopes=[]), SYSTEM)
        granting = asyncio.ensure_future(scene.code())
        await lock_awaited()
    await granting
    code = await grants.code("a code", scene.client.id, SYSTEM)
    assert code is not None

    with pytest.raises(InvalidGrant):
        await grants.redeem("a code", code, scene.boss, SYSTEM, refreshable=True)
    standing = await desk.sessions.store.standing_with(scene.client.id, desk.clock.now())
    assert standing == []


@pytest.mark.parametrize("changes", [Changes(scopes=[]), Changes(bound=True)], ids=["scopes", "bound"])
async def test_a_device_that_begins_as_its_client_is_cut_down_gets_no_tokens(
    scene: Scene, lock_awaited: LockAwaited, changes: Changes
) -> None:
    desk, grants = scene.desk, scene.grants
    async with desk.service.audit.writing():
        await desk.registrations.update(scene.client.id, changes, SYSTEM)
        beginning = asyncio.ensure_future(grants.start_device(scene.client, SCOPES, (), None, SYSTEM))
        await lock_awaited()
    started = await beginning
    waiting = await grants.waiting(started.user_code, scene.boss.id)
    assert waiting is not None
    assert await grants.allow(waiting, scene.session, SYSTEM)
    device = await grants.poll(started.device_code)
    assert device is not None

    with pytest.raises(InvalidGrant):
        await grants.admit(started.device_code, device, scene.boss, SYSTEM, refreshable=True)


@pytest.mark.parametrize("how", ["demoted", "suspended", "closed"])
async def test_of_two_administrators_who_do_away_with_each_other_one_stays(
    scene: Scene, lock_awaited: LockAwaited, how: str
) -> None:
    desk = scene.desk
    eve = await desk.administration.set_roles(scene.ada.id, [Role.ADMIN], SYSTEM)

    async def away_with(account: Account, by: Account) -> None:
        match how:
            case "demoted":
                await desk.administration.set_roles(account.id, [], Actor(by.id))
            case "suspended":
                await desk.administration.suspend(account.id, "", Actor(by.id))
            case _:
                await desk.closing.close_any(account.id, Actor(by.id))

    async with desk.service.audit.writing():
        await away_with(eve, by=scene.boss)
        other = asyncio.ensure_future(away_with(scene.boss, by=eve))
        await lock_awaited()

    with pytest.raises(Forbidden):
        await other
    left = (await desk.service.store.accounts([scene.boss.id]))[scene.boss.id]
    assert left.suspended_at is None
    assert Role.ADMIN in left.roles


async def test_of_two_who_renew_backup_codes_at_once_neither_waits_for_ever(
    scene: Scene, lock_awaited: LockAwaited
) -> None:
    desk = scene.desk
    await with_app(desk, scene.boss)
    await desk.sessions.end_all(scene.boss.id, SessionEnd.SIGNED_OUT, SYSTEM)
    boss = (await desk.service.store.accounts([scene.boss.id]))[scene.boss.id]
    signed_in = await desk.sessions.start(boss, SYSTEM, Terms(methods=(Method.PASSWORD, Method.MULTIPLE)))
    caller = await desk.sessions.identify(signed_in.access.value)

    async def renew() -> list[str]:
        async with desk.step_up.proven(caller) as account:
            return await desk.factors.renew_backup_codes(account, 10, SYSTEM)

    async with desk.step_up.proven(caller) as account:
        other = asyncio.ensure_future(renew())
        await lock_awaited()
        codes = await desk.factors.renew_backup_codes(account, 10, SYSTEM)

    assert len(codes) == len(await other) == 10


@pytest.mark.parametrize("what", ["registered", "changed", "given a secret", "disabled"])
async def test_an_administrator_who_is_demoted_meanwhile_does_nothing_to_applications(
    scene: Scene, database: Database, lock_awaited: LockAwaited, what: str
) -> None:
    desk, by = scene.desk, Actor(scene.boss.id)
    (client,) = before = await PostgresClients(database).all()
    match what:
        case "registered":
            act: Awaitable[object] = desk.registrations.register(APP, by)
        case "changed":
            act = desk.registrations.update(client.id, Changes(name="Other"), by)
        case "given a secret":
            act = desk.registrations.rotate_secret(client.id, timedelta(), by)
        case _:
            act = desk.registrations.disable(client.id, by)

    async with desk.service.audit.writing():
        await scene.demoted()
        doing = asyncio.ensure_future(act)
        await lock_awaited()

    with pytest.raises(Forbidden):
        await doing
    assert await PostgresClients(database).all() == before


async def test_of_two_who_change_the_password_at_once_the_first_has(
    scene: Scene, lock_awaited: LockAwaited
) -> None:
    """Whoever knew the old one gets in no more, though it was right when they began."""
    desk, boss = scene.desk, scene.boss
    change = desk.recovery.change_password
    async with desk.service.audit.writing():
        await change(boss.id, PASSWORD, "Better horse 8", scene.session.id, SYSTEM)
        other = asyncio.ensure_future(change(boss.id, PASSWORD, "Thieving horse 9", None, SYSTEM))
        await lock_awaited()

    with pytest.raises(Refused):
        await other
    assert (await desk.service.sign_in("boss@example.org", "Better horse 8", SYSTEM)).id == boss.id
    standing = await desk.sessions.store.standing(boss.id, desk.clock.now())
    assert [session.id for session in standing] == [scene.session.id]
