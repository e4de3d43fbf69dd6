"""API keys: shown once, known by their fingerprint, gone everywhere within a second."""

import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from domain.identity import api_keys
from domain.identity.api_keys import MARK, MOST_KEYS, PREFIX_CHARACTERS, ApiKeys, NewKey, Wanted
from domain.identity.audit import Actor
from domain.identity.model import Account, Caller, Role
from domain.identity.policy import Scope, granted
from domain.identity.profile import Profile
from domain.identity.revocations import ANSWER_SECONDS, LOOK_EVERY_SECONDS
from domain.platform.errors import Refused, Unauthenticated, UserErrorCode
from domain.platform.postgres import Database
from tests.accounts import NOBODY, PASSWORD, Desk, keys_on, new_id, sessions_on
from tests.servers import StatementCounter

WANTED = Wanted("Backup", (Scope.READ_WATCHLIST,))


async def registered(desk: Desk, email: str = "ada@example.org") -> Account:
    return await desk.service.register(email, PASSWORD, Profile("Ada", "GB"), NOBODY)


def holder(account: Account, *roles: Role) -> Caller:
    return Caller(account.id, frozenset(roles), granted(roles))


async def made(desk: Desk, account: Account, wanted: Wanted = WANTED) -> NewKey:
    return await desk.keys.create(holder(account), wanted, Actor(account.id))


def elsewhere(desk: Desk, database: Database) -> ApiKeys:
    """Another process."""
    return keys_on(database, sessions_on(database, desk.clock, desk.sessions.recent))


async def test_a_key_signs_in_with_what_it_grants_and_no_more(desk: Desk) -> None:
    ada = await registered(desk)
    key, text = await made(desk, ada, Wanted("Sync", (Scope.WRITE_WATCHLIST,), per_minute=7))

    caller = await desk.keys.identify(text)

    assert caller == Caller(
        account_id=ada.id,
        roles=frozenset({Role.VIEWER}),
        scopes=frozenset({Scope.WRITE_WATCHLIST, Scope.READ_WATCHLIST}),
        region="GB",
        key_id=key.id,
        per_minute=7,
    )


async def test_neither_the_database_nor_the_audit_log_nor_a_list_holds_the_key(
    desk: Desk, database: Database
) -> None:
    ada = await registered(desk)
    key, text = await made(desk, ada)

    assert text.startswith(MARK)
    assert len(text) == len(MARK) + 32
    assert key.prefix == text[:PREFIX_CHARACTERS]
    dump = str(await database.rows("SELECT row_to_json(k) FROM api_key k"))
    dump += str(await database.rows("SELECT row_to_json(e) FROM audit_entry e"))
    dump += repr(await desk.keys.store.of(ada.id)) + repr(key)
    assert text[PREFIX_CHARACTERS:] not in dump
    assert key.prefix in dump


def test_keys_are_all_different_and_their_characters_are_evenly_drawn() -> None:
    texts = [api_keys.new_text() for _ in range(2_000)]

    assert len(set(texts)) == 2_000
    assert all(map(api_keys.is_well_formed, texts))
    counts = Counter("".join(text[len(MARK) : -6] for text in texts))
    assert len(counts) == 62
    assert max(counts.values()) < 1.3 * min(counts.values())


async def test_what_is_no_key_costs_no_look_up(desk: Desk, statements: StatementCounter) -> None:
    _, text = await made(desk, await registered(desk))
    swapped = text[:-1] + ("a" if text[-1] != "a" else "b")
    statements.clear()

    for wrong in (swapped, text[:-1], text + "a", MARK, "", "mg_live_" + "a" * 32, text.upper(), f"{text}\n"):
        with pytest.raises(Unauthenticated):
            await desk.keys.identify(wrong)

    assert statements.seen == []


async def test_a_key_with_the_prefix_of_another_is_refused(desk: Desk) -> None:
    _, text = await made(desk, await registered(desk))
    body = text[:PREFIX_CHARACTERS] + "a" * 14
    forged = body + api_keys._checksum(body)

    assert api_keys.is_well_formed(forged)
    with pytest.raises(Unauthenticated):
        await desk.keys.identify(forged)


async def test_a_key_asked_for_often_asks_the_database_once(desk: Desk, statements: StatementCounter) -> None:
    _, text = await made(desk, await registered(desk))
    await desk.keys.identify(text)
    statements.clear()

    for _ in range(50):
        await desk.keys.identify(text)

    assert statements.seen == []


async def test_a_revoked_key_is_refused_at_once_here_and_within_a_second_elsewhere(
    desk: Desk, database: Database
) -> None:
    ada = await registered(desk)
    key, text = await made(desk, ada)
    other = elsewhere(desk, database)
    assert await other.identify(text)

    revoked = await desk.keys.revoke(ada.id, key.id, Actor(ada.id))
    with pytest.raises(Unauthenticated):
        await desk.keys.identify(text)
    await other.revocations.look()
    with pytest.raises(Unauthenticated):
        await other.identify(text)

    assert revoked.revoked_at == desk.clock.at
    assert LOOK_EVERY_SECONDS + ANSWER_SECONDS < 1


async def test_who_reads_it_anew_finds_it_revoked_whatever_is_on_record(
    desk: Desk, database: Database
) -> None:
    ada = await registered(desk)
    key, text = await made(desk, ada)
    await desk.keys.revoke(ada.id, key.id, NOBODY)
    await database.execute("DELETE FROM revocation")

    with pytest.raises(Unauthenticated):
        await elsewhere(desk, database).identify(text)


async def test_another_s_key_does_not_exist(desk: Desk) -> None:
    ada, eve = await registered(desk), await registered(desk, "eve@example.org")
    key, text = await made(desk, ada)

    for account, wanted in ((eve.id, key.id), (ada.id, new_id())):
        with pytest.raises(Refused) as refusal:
            await desk.keys.revoke(account, wanted, NOBODY)
        assert refusal.value.errors[0].code is UserErrorCode.NOT_FOUND

    assert (await desk.keys.identify(text)).account_id == ada.id


async def test_a_key_lapses(desk: Desk, database: Database) -> None:
    _, text = await made(desk, await registered(desk), replace(WANTED, expires_in_days=1))

    caller = await desk.keys.identify(text)
    desk.clock.turn(86_399)
    assert await desk.keys.identify(text)
    desk.clock.turn(1)

    assert caller.expires_at == desk.clock.at
    with pytest.raises(Unauthenticated):
        await desk.keys.identify(text)


@pytest.mark.parametrize("change", ["UPDATE account SET suspended_at = now()", "DELETE FROM account"])
async def test_keys_of_accounts_not_in_use_are_refused(desk: Desk, database: Database, change: str) -> None:
    _, text = await made(desk, await registered(desk))
    await database.execute(change)

    with pytest.raises(Unauthenticated):
        await elsewhere(desk, database).identify(text)


async def test_a_role_that_was_taken_away_does_not_live_on_in_keys(desk: Desk, database: Database) -> None:
    ada = await registered(desk)
    await database.execute("UPDATE account SET roles = '{viewer,admin}'")
    wanted = Wanted("Admin", (Scope.ADMIN_FULL, Scope.READ_WATCHLIST))
    _, text = await desk.keys.create(holder(ada, Role.ADMIN), wanted, NOBODY)
    before = await desk.keys.identify(text)

    await database.execute("UPDATE account SET roles = '{viewer}'")
    desk.clock.turn(5)
    after = await desk.keys.identify(text)

    assert before.scopes == {Scope.ADMIN_FULL, Scope.ADMIN_READ, Scope.READ_WATCHLIST}
    assert after.scopes == {Scope.READ_WATCHLIST}


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (replace(WANTED, name=" "), "name"),
        (replace(WANTED, name="x" * 101), "name"),
        (replace(WANTED, name="a\x00b"), "name"),
        (replace(WANTED, scopes=()), "scopes"),
        (replace(WANTED, scopes=("read:watchlist", "")), "scopes"),
        (replace(WANTED, scopes=("read:everything",)), "scopes"),
        (replace(WANTED, scopes=("read:watchlist admin:full",)), "scopes"),
        (replace(WANTED, scopes=(Scope.ADMIN_FULL,)), "scopes"),
        (replace(WANTED, scopes=(Scope.WRITE_SECURITY,)), "scopes"),
        (replace(WANTED, per_minute=0), "perMinute"),
        (replace(WANTED, per_minute=6_001), "perMinute"),
        (replace(WANTED, expires_in_days=0), "expiresInDays"),
        (replace(WANTED, expires_in_days=3_651), "expiresInDays"),
    ],
)
async def test_what_a_key_must_not_be_is_refused_and_nothing_is_made(
    desk: Desk, wanted: Wanted, field: str
) -> None:
    ada = await registered(desk)

    with pytest.raises(Refused) as refusal:
        await made(desk, ada, wanted)

    assert {error.field for error in refusal.value.errors} == {(field,)}
    assert await desk.keys.store.of(ada.id) == []


async def test_who_names_no_scope_is_told_what_one_looks_like(desk: Desk) -> None:
    with pytest.raises(Refused) as refusal:
        await made(desk, await registered(desk), replace(WANTED, scopes=(" ", "", "read:everything")))

    assert [error.message for error in refusal.value.errors] == [
        "A scope is a name, such as `read:watchlist`; leave empty ones out.",
        "A key cannot grant read:everything.",
    ]


async def test_a_narrow_token_makes_no_wider_key(desk: Desk) -> None:
    ada = await registered(desk)
    narrow = Caller(ada.id, scopes=frozenset({Scope.WRITE_SECURITY, Scope.READ_SECURITY, Scope.READ_DEVICES}))

    with pytest.raises(Refused):
        await desk.keys.create(narrow, Wanted("Wide", (Scope.READ_DEVICES, Scope.READ_WATCHLIST)), NOBODY)

    assert (await desk.keys.create(narrow, Wanted("Fits", (Scope.READ_DEVICES,)), NOBODY)).text


async def test_an_account_has_a_bounded_number_of_keys_however_many_it_makes_at_once(
    desk: Desk, database: Database
) -> None:
    ada = await registered(desk)
    await asyncio.gather(*(made(desk, ada) for _ in range(MOST_KEYS - 2)))

    outcomes = await asyncio.gather(*(made(desk, ada) for _ in range(8)), return_exceptions=True)

    assert sum(isinstance(outcome, NewKey) for outcome in outcomes) == 2
    assert sum(isinstance(outcome, Refused) for outcome in outcomes) == 6
    some = (await desk.keys.store.of(ada.id))[0]
    await desk.keys.revoke(ada.id, some.id, NOBODY)
    assert await made(desk, ada)


async def test_uses_are_written_down_together_and_never_backwards(
    desk: Desk, database: Database, statements: StatementCounter
) -> None:
    ada = await registered(desk)
    texts = [(await made(desk, ada)).text for _ in range(3)]
    for text in texts[:2]:
        await desk.keys.identify(text)
    desk.clock.turn(3)
    await desk.keys.identify(texts[0])
    statements.clear()

    await desk.keys.note_use()
    await desk.keys.note_use()

    assert len(statements.seen) == 1
    used = {key.prefix: key.last_used_at for key in await desk.keys.store.of(ada.id)}
    now = desk.clock.at
    assert [used[text[:PREFIX_CHARACTERS]] for text in texts] == [
        now,
        now.replace(second=now.second - 3),
        None,
    ]
    earlier = {key.id: now.replace(year=2020) for key in await desk.keys.store.of(ada.id)}
    await desk.keys.store.note_use(earlier)
    assert now in {key.last_used_at for key in await desk.keys.store.of(ada.id)}


async def test_uses_are_written_down_at_the_end(desk: Desk) -> None:
    ada = await registered(desk)
    _, text = await made(desk, ada)

    async with desk.keys.noting_use():
        await desk.keys.identify(text)

    assert (await desk.keys.store.of(ada.id))[0].last_used_at == desk.clock.at


async def test_making_and_revoking_are_on_record(desk: Desk, database: Database) -> None:
    ada = await registered(desk)
    key, _ = await made(desk, ada)
    await desk.keys.revoke(ada.id, key.id, Actor(ada.id))
    await desk.keys.revoke(ada.id, key.id, Actor(ada.id))

    rows = await database.rows("SELECT action, account_id, resource_id, after FROM audit_entry ORDER BY id")
    assert [tuple(row) for row in rows[1:]] == [
        (
            "api_key.created",
            ada.id,
            key.id,
            {"account": ada.id, "prefix": key.prefix, "scopes": ["read:watchlist"]},
        ),
        (
            "api_key.revoked",
            ada.id,
            key.id,
            {"account": ada.id, "prefix": key.prefix, "reason": "revoked"},
        ),
    ]
