"""Accounts: registration, sign-in that tells nothing, tokens that follow the account."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.identity.audit import Actor
from domain.identity.model import Account, Role, Tier
from domain.identity.policy import Scope, granted
from domain.identity.postgres import PostgresAccounts
from domain.identity.profile import Profile
from domain.platform.errors import (
    Forbidden,
    Refused,
    TooManyRequests,
    Unauthenticated,
    UserError,
    UserErrorCode,
)
from domain.platform.postgres import Database
from tests.accounts import (
    LIFETIME_SECONDS,
    NOBODY,
    PASSWORD,
    CountingHasher,
    Desk,
    a_session,
    an_account,
    new_id,
)
from tests.servers import StatementCounter

ADA = Profile("Ada", "GB")
FIRST = Actor(address="192.0.2.1")
SECOND = Actor(address="192.0.2.2")
WRONG = UserError("E-mail address and password do not belong together.", UserErrorCode.CREDENTIALS)


async def registered(desk: Desk, email: str = "ada@example.org") -> Account:
    account = await desk.service.register(email, PASSWORD, ADA, NOBODY)
    desk.hasher.calls.clear()
    return account


async def kept_hash(database: Database) -> str:
    return str(await database.value("SELECT password_hash FROM account"))


async def test_a_registered_account_can_be_read_and_signed_in_to(desk: Desk, database: Database) -> None:
    account = await desk.service.register(
        " Ada@Example.org ", PASSWORD, Profile(" Ada ", "gb", "en-gb"), NOBODY
    )

    assert account == Account(
        id=account.id,
        email="ada@example.org",
        display_name="Ada",
        region="GB",
        language="en-GB",
        roles=(Role.VIEWER,),
        tier=Tier.FREE,
        created_at=desk.clock.at,
        suspended_at=None,
    )
    assert await desk.service.store.accounts([account.id, new_id()]) == {account.id: account}
    assert await desk.service.sign_in("ADA@example.org", PASSWORD, NOBODY) == account
    assert PASSWORD not in await kept_hash(database)


async def test_a_taken_address_is_refused_and_its_account_stays_as_it_was(desk: Desk) -> None:
    account = await registered(desk)

    with pytest.raises(Refused) as refusal:
        await desk.service.register("ADA@example.org", "Another horse 8", Profile("Eve", "US"), NOBODY)

    assert [(error.code, error.field) for error in refusal.value.errors] == [
        (UserErrorCode.CONFLICT, ("email",))
    ]
    assert await desk.service.store.accounts([account.id]) == {account.id: account}
    with pytest.raises(Refused):
        await desk.service.sign_in("ada@example.org", "Another horse 8", NOBODY)


async def test_of_many_registrations_of_one_address_one_is_made(desk: Desk, database: Database) -> None:
    outcomes = await asyncio.gather(
        *(desk.service.register("ada@example.org", PASSWORD, ADA, NOBODY) for _ in range(8)),
        return_exceptions=True,
    )

    assert sum(isinstance(outcome, Account) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, Refused) for outcome in outcomes) == 7
    assert await database.value("SELECT count(*) FROM account") == 1


async def test_what_is_wrong_is_refused_before_anything_is_hashed_or_written(
    desk: Desk, database: Database
) -> None:
    with pytest.raises(Refused) as refusal:
        await desk.service.register("ada", "short", Profile("", "GB"), NOBODY)

    assert {error.field for error in refusal.value.errors} == {("email",), ("password",), ("displayName",)}
    assert desk.hasher.calls == []
    assert await database.value("SELECT count(*) FROM account") == 0


async def test_unknown_addresses_and_wrong_passwords_are_told_the_same_after_the_same_work(
    desk: Desk, database: Database, statements: StatementCounter
) -> None:
    await registered(desk)
    await database.execute(
        "INSERT INTO account (id, email, display_name) VALUES ($1, 'pseudonym@example.org', 'P')", new_id()
    )
    seen = []
    for email in ("ada@example.org", "eve@example.org", "pseudonym@example.org", "no address", ""):
        desk.hasher.calls.clear()
        statements.clear()
        with pytest.raises(Refused) as refusal:
            await desk.service.sign_in(email, "Wrong horse 7", NOBODY)
        seen.append((refusal.value.errors, tuple(desk.hasher.calls), tuple(statements.seen)))

    assert len(set(seen)) == 1
    errors, hashes, asked = seen[0]
    assert errors == (WRONG,)
    assert hashes == ("verify",)
    assert len(asked) == 2, "the account is looked for, and the failure recorded"


async def test_the_eleventh_attempt_in_a_minute_waits_and_does_no_work(desk: Desk) -> None:
    await registered(desk)
    for _ in range(10):
        with pytest.raises(Refused):
            await desk.service.sign_in("ada@example.org", "Wrong horse 7", FIRST)
    desk.hasher.calls.clear()

    with pytest.raises(TooManyRequests) as refusal:
        await desk.service.sign_in(" ADA@example.org", PASSWORD, FIRST)

    assert refusal.value.extensions == {"retryAfter": 60}
    assert desk.hasher.calls == []
    assert await desk.service.sign_in("ada@example.org", PASSWORD, SECOND)
    desk.clock.turn(60)
    assert await desk.service.sign_in("ada@example.org", PASSWORD, FIRST)


async def test_unknown_addresses_are_limited_like_known_ones(desk: Desk) -> None:
    for _ in range(10):
        with pytest.raises(Refused):
            await desk.service.sign_in("nobody@example.org", PASSWORD, FIRST)

    with pytest.raises(TooManyRequests):
        await desk.service.sign_in("nobody@example.org", PASSWORD, FIRST)


async def test_signing_in_renews_a_hash_of_old_parameters(desk: Desk, database: Database) -> None:
    await registered(desk)
    await database.execute("UPDATE account SET password_hash = $1", CountingHasher(2).hash(PASSWORD))
    with pytest.raises(Refused):
        await desk.service.sign_in("ada@example.org", "Wrong horse 7", NOBODY)
    assert "t=2" in await kept_hash(database)

    await desk.service.sign_in("ada@example.org", PASSWORD, NOBODY)

    assert "t=1" in await kept_hash(database)
    assert await desk.service.sign_in("ada@example.org", PASSWORD, NOBODY)


async def test_a_password_changed_meanwhile_is_not_overwritten_by_a_renewed_hash(
    desk: Desk, database: Database
) -> None:
    account = await registered(desk)
    store = PostgresAccounts(database)
    await database.execute("UPDATE account SET password_hash = 'changed'")

    await store.renew_password_hash(account.id, "old", "new")

    assert await kept_hash(database) == "changed"


async def test_a_suspended_account_is_told_so_only_with_its_password(desk: Desk, database: Database) -> None:
    await registered(desk)
    await database.execute("UPDATE account SET suspended_at = now()")

    with pytest.raises(Refused) as refusal:
        await desk.service.sign_in("ada@example.org", "Wrong horse 7", NOBODY)
    with pytest.raises(Forbidden):
        await desk.service.sign_in("ada@example.org", PASSWORD, NOBODY)

    assert refusal.value.errors == (WRONG,)


async def test_a_token_of_sign_in_grants_what_the_roles_allow(desk: Desk, database: Database) -> None:
    account = await registered(desk)
    await database.execute("UPDATE account SET roles = '{viewer,admin}', tier = 'premium', region = 'DE'")

    signed_in = await desk.service.sign_in("ada@example.org", PASSWORD, NOBODY)
    token = (await desk.sessions.start(signed_in, NOBODY)).access
    caller = await desk.sessions.identify(token.value)

    assert caller.account_id == signed_in.id == account.id
    assert caller.roles == {Role.VIEWER, Role.ADMIN}
    assert caller.scopes == granted([Role.ADMIN])
    assert (caller.tier, caller.region) == (Tier.PREMIUM, "DE")
    assert caller.expires_at == token.expires_at == desk.clock.at + timedelta(seconds=LIFETIME_SECONDS)


@pytest.mark.parametrize("change", ["UPDATE account SET suspended_at = now()", "DELETE FROM account"])
async def test_tokens_of_suspended_and_deleted_accounts_lapse_within_five_seconds(
    desk: Desk, database: Database, change: str
) -> None:
    account = await registered(desk)
    token = await desk.token(account)
    assert (await desk.sessions.identify(token)).account_id == account.id

    await database.execute(change)
    desk.clock.turn(5)

    with pytest.raises(Unauthenticated) as refusal:
        await desk.sessions.identify(token)
    assert refusal.value.extensions == {"error": "invalid_token"}


async def test_a_role_that_was_taken_away_does_not_live_on_in_tokens(desk: Desk, database: Database) -> None:
    account = await registered(desk)
    token = await desk.token(replace(account, roles=(Role.VIEWER, Role.ADMIN)))

    caller = await desk.sessions.identify(token)

    assert caller.roles == {Role.VIEWER}
    assert Scope.ADMIN_FULL not in caller.scopes


async def test_requests_of_one_caller_ask_the_database_once(
    desk: Desk, database: Database, statements: StatementCounter
) -> None:
    token = await desk.token(await registered(desk))
    statements.clear()

    for _ in range(20):
        await desk.sessions.identify(token)

    assert len(statements.seen) == 1


async def test_a_token_for_an_account_that_never_was_is_refused(desk: Desk) -> None:
    account = an_account()
    token = desk.sessions.tokens.issue(account, a_session(account, desk.clock)).value

    with pytest.raises(Unauthenticated):
        await desk.sessions.identify(token)


async def test_a_profile_is_changed_where_it_is_given(desk: Desk) -> None:
    account = await registered(desk)
    token = await desk.token(account)
    assert (await desk.sessions.identify(token)).region == "GB"

    changed = await desk.service.update_profile(account.id, Profile(region="de"), NOBODY)

    assert changed == replace(account, region="DE")
    assert await desk.service.store.accounts([account.id]) == {account.id: changed}
    assert (await desk.sessions.identify(token)).region == "DE"


async def test_a_profile_that_is_wrong_changes_nothing(desk: Desk) -> None:
    account = await registered(desk)

    with pytest.raises(Refused):
        await desk.service.update_profile(account.id, Profile("Grace", "Germany"), NOBODY)

    assert await desk.service.store.accounts([account.id]) == {account.id: account}


async def test_the_profile_of_an_account_that_is_gone_is_refused(desk: Desk) -> None:
    with pytest.raises(Refused) as refusal:
        await desk.service.update_profile(new_id(), Profile("Grace"), NOBODY)

    assert [error.code for error in refusal.value.errors] == [UserErrorCode.NOT_FOUND]


async def test_developers_name_accounts_by_address_and_demonstrations_by_name(
    desk: Desk, database: Database
) -> None:
    ada = await registered(desk)
    demo = await registered(desk, "demo@example.org")
    await database.execute("UPDATE account SET demonstration = TRUE WHERE id = $1", demo.id)

    found = [
        await desk.service.named(name)
        for name in ("Ada@example.org", "demo", "Demo", "demo@example.org", "ada", "%", "eve@example.org")
    ]

    assert found == [ada, demo, demo, demo, None, None, None]
