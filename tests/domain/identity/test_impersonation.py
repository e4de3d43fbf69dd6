"""Administrators who act as an account: who may, as whom, how far, and until when."""

from dataclasses import replace

import pytest

from domain.identity.audit import SYSTEM, Actor
from domain.identity.impersonation import Impersonation
from domain.identity.model import Account, Caller, IssuedTokens, Role, SessionEnd, Terms
from domain.identity.policy import Policy, Scope, granted
from domain.identity.profile import Profile
from domain.identity.sessions import InvalidGrant, Sessions
from domain.platform.errors import Unauthenticated
from domain.platform.postgres import Database
from tests.accounts import ISSUER, PASSWORD, Desk, sessions_on

CLIENT = "support"


@pytest.fixture
def impersonation(desk: Desk) -> Impersonation:
    return Impersonation(desk.sessions, Policy(), desk.service.audit)


@pytest.fixture
async def ada(desk: Desk) -> Account:
    return await somebody(desk, "ada")


@pytest.fixture
async def boss(desk: Desk) -> Account:
    return await somebody(desk, "boss", Role.ADMIN)


async def somebody(desk: Desk, name: str, *roles: Role) -> Account:
    opened = await desk.service.register(f"{name}@example.org", PASSWORD, Profile(name, "GB"), SYSTEM)
    return await desk.administration.set_roles(opened.id, roles, SYSTEM) if roles else opened


async def caller_of(desk: Desk, account: Account) -> Caller:
    return await desk.sessions.identify(await desk.token(account))


async def acting(desk: Desk, impersonation: Impersonation, boss: Account, ada: Account) -> IssuedTokens:
    return await impersonation.start(await caller_of(desk, boss), ada.id, CLIENT, SYSTEM)


async def stands(sessions: Sessions, token: str) -> bool:
    try:
        await sessions.identify(token)
    except Unauthenticated:
        return False
    return True


async def test_an_administrator_acts_for_a_quarter_of_an_hour_and_only_as_owners_do_every_day(
    desk: Desk, impersonation: Impersonation, boss: Account, ada: Account
) -> None:
    tokens = await acting(desk, impersonation, boss, ada)

    caller = await desk.sessions.identify(tokens.access.value)
    assert (caller.account_id, caller.acting_id) == (ada.id, boss.id)
    assert caller.roles == {Role.VIEWER}
    assert Scope.WRITE_WATCHLIST in caller.scopes
    beyond = {Scope.PLAYBACK_CONTROL, Scope.READ_SECURITY, Scope.WRITE_SECURITY, Scope.ADMIN_READ}
    assert caller.scopes.isdisjoint(beyond)
    desk.clock.turn(900)
    with pytest.raises(InvalidGrant):
        await desk.sessions.refresh(tokens.refresh_token, SYSTEM, CLIENT)


async def test_it_grants_no_more_than_a_viewer_whoever_is_acted_as(
    desk: Desk, impersonation: Impersonation, boss: Account, ada: Account
) -> None:
    editor = await desk.administration.set_roles(ada.id, [Role.EDITOR], SYSTEM)

    tokens = await acting(desk, impersonation, boss, editor)

    caller = await desk.sessions.identify(tokens.access.value)
    assert Scope.WRITE_CONTENT not in caller.scopes
    assert caller.scopes <= granted([Role.VIEWER])


async def test_it_grants_what_was_asked_for_and_never_more(
    desk: Desk, impersonation: Impersonation, boss: Account, ada: Account
) -> None:
    wanted = Terms(frozenset({Scope.READ_WATCHLIST, Scope.WRITE_SECURITY}), resources=(ISSUER,))

    tokens = await impersonation.start(await caller_of(desk, boss), ada.id, CLIENT, SYSTEM, wanted)

    caller = await desk.sessions.identify(tokens.access.value)
    assert caller.scopes == {Scope.READ_WATCHLIST}
    assert caller.audience == {ISSUER}
    assert caller.methods == ()


@pytest.mark.parametrize(
    "change",
    [
        {"account_id": None},
        {"acting_id": "0b0e7a5c-0000-4000-8000-000000000000"},
        {"roles": frozenset({Role.VIEWER, Role.EDITOR})},
        {"scopes": frozenset({Scope.ADMIN_READ})},
    ],
    ids=["a service", "who acts already", "no administrator", "who may only look"],
)
async def test_nobody_else_acts_as_an_account(
    desk: Desk,
    database: Database,
    impersonation: Impersonation,
    boss: Account,
    ada: Account,
    change: dict[str, object],
) -> None:
    administrator = replace(await caller_of(desk, boss), **change)  # type: ignore[arg-type]

    with pytest.raises(InvalidGrant):
        await impersonation.start(administrator, ada.id, CLIENT, SYSTEM)

    assert await database.value("SELECT count(*) FROM login_session WHERE acting_id IS NOT NULL") == 0
    assert await database.value("SELECT count(*) FROM audit_entry WHERE action = 'account.impersonated'") == 0


@pytest.mark.parametrize("whom", ["oneself", "an administrator", "who is suspended", "nobody"])
async def test_not_everybody_is_acted_as(
    desk: Desk, database: Database, impersonation: Impersonation, boss: Account, ada: Account, whom: str
) -> None:
    administrator, subject = await caller_of(desk, boss), ada.id
    match whom:
        case "oneself":
            subject = boss.id
        case "an administrator":
            await desk.administration.set_roles(ada.id, [Role.ADMIN], SYSTEM)
        case "who is suspended":
            await desk.administration.suspend(ada.id, "", SYSTEM)
        case _:
            subject = "0b0e7a5c-0000-4000-8000-000000000000"

    with pytest.raises(InvalidGrant):
        await impersonation.start(administrator, subject, CLIENT, SYSTEM)

    assert await database.value("SELECT count(*) FROM login_session WHERE acting_id IS NOT NULL") == 0


async def test_it_is_on_record_as_the_administrators_act(
    desk: Desk, database: Database, impersonation: Impersonation, boss: Account, ada: Account
) -> None:
    caller = await caller_of(desk, boss)

    tokens = await impersonation.start(caller, ada.id, CLIENT, Actor(address="192.0.2.1"))

    entry = await database.row(
        """SELECT account_id, resource_id, after, host(address::inet) FROM audit_entry
            WHERE action = 'account.impersonated'"""
    )
    told = {"client": CLIENT, "session": tokens.session.id}
    assert entry is not None
    assert list(entry) == [boss.id, ada.id, told, "192.0.2.1"]


@pytest.mark.parametrize("what", ["suspended", "demoted", "signed out everywhere", "closed"])
async def test_it_ends_with_what_lets_the_administrator_do_it(
    desk: Desk, database: Database, impersonation: Impersonation, boss: Account, ada: Account, what: str
) -> None:
    token = (await acting(desk, impersonation, boss, ada)).access.value
    elsewhere = sessions_on(database, desk.clock, desk.sessions.recent, desk.sessions.tokens.keys)
    ends: list[SessionEnd] = []
    assert await stands(elsewhere, token)

    with elsewhere.revocations.watching(str((await elsewhere.identify(token)).session_id), ends.append):
        match what:
            case "suspended":
                await desk.administration.suspend(boss.id, "", SYSTEM)
            case "demoted":
                await desk.administration.set_roles(boss.id, [], SYSTEM)
            case "signed out everywhere":
                await desk.sessions.end_all(boss.id, SessionEnd.PASSWORD_CHANGED, SYSTEM)
            case _:
                await desk.closing.close(boss.id, SYSTEM)
        await elsewhere.revocations.look()

    assert len(ends) == 1
    assert not await stands(elsewhere, token)
    assert not await stands(desk.sessions, token)
    assert await desk.sessions.store.standing(ada.id, desk.clock.now()) == []


async def test_a_session_that_began_while_its_administrator_was_suspended_counts_for_nothing(
    desk: Desk, database: Database, impersonation: Impersonation, boss: Account, ada: Account
) -> None:
    token = (await acting(desk, impersonation, boss, ada)).access.value
    # As another process would begin it that does not know yet.
    await database.execute("UPDATE account SET suspended_at = now() WHERE id = $1", boss.id)

    before = await stands(desk.sessions, token)
    desk.clock.turn(5)

    assert (before, await stands(desk.sessions, token)) == (True, False)


async def test_who_signs_out_everywhere_is_not_acted_as_either(
    desk: Desk, impersonation: Impersonation, boss: Account, ada: Account
) -> None:
    token = (await acting(desk, impersonation, boss, ada)).access.value

    await desk.sessions.end_all(ada.id, SessionEnd.SIGNED_OUT, SYSTEM)

    assert not await stands(desk.sessions, token)
    assert await stands(desk.sessions, await desk.token(boss))
