"""Sessions: who is signed in where, and what becomes of refresh tokens that come twice."""

import asyncio
from datetime import timedelta

import pytest

from domain.identity import refreshing
from domain.identity.audit import Actor
from domain.identity.model import FIRST_PARTY, Account, IssuedTokens, Method, SessionEnd, Terms
from domain.identity.postgres_sessions import PostgresRevocations, PostgresSessions
from domain.identity.profile import Profile
from domain.identity.revocations import REASONS, Revocations
from domain.identity.sessions import InvalidGrant, Sessions
from domain.platform.errors import Unauthenticated
from domain.platform.postgres import Database
from tests.accounts import ABSOLUTE, GRACE, IDLE, PASSWORD, Desk, sessions_on
from tests.servers import StatementCounter

PHONE = Actor(address="192.0.2.1", user_agent="Phone/1.0")
NOWHERE = Actor()


async def somebody(desk: Desk, email: str = "ada@example.org") -> Account:
    return await desk.service.register(email, PASSWORD, Profile("Ada", "GB"), NOWHERE)


async def signed_in(desk: Desk) -> IssuedTokens:
    return await desk.sessions.start(await somebody(desk), PHONE)


async def is_refused(sessions: Sessions, token: str, client_id: str = FIRST_PARTY) -> bool:
    try:
        await sessions.refresh(token, NOWHERE, client_id)
    except InvalidGrant:
        return True
    return False


async def stands(sessions: Sessions, tokens: IssuedTokens) -> bool:
    try:
        await sessions.identify(tokens.access.value)
    except Unauthenticated:
        return False
    return True


async def test_a_session_tells_whose_it_is_and_how_they_proved_it(desk: Desk) -> None:
    account = await somebody(desk)

    tokens = await desk.sessions.start(account, PHONE, Terms(methods=(Method.PASSWORD, Method.ONE_TIME_CODE)))

    caller = await desk.sessions.identify(tokens.access.value)
    assert (caller.account_id, caller.session_id) == (account.id, tokens.session.id)
    assert (caller.client_id, caller.family_id) == (FIRST_PARTY, tokens.session.family_id)
    assert caller.methods == ("pwd", "otp")
    assert caller.authenticated_at == desk.clock.at
    assert await desk.sessions.store.standing(account.id, desk.clock.at) == [tokens.session]


async def test_no_token_lies_in_the_database(desk: Desk, database: Database) -> None:
    tokens = await signed_in(desk)
    following = await desk.sessions.refresh(tokens.refresh_token, NOWHERE)

    kept = str(await database.rows("SELECT hash, salt FROM refresh_token"))
    secrets = [token.refresh_token.removeprefix(refreshing.PREFIX) for token in (tokens, following)]
    assert all(secret not in kept for secret in secrets)
    assert len({*secrets}) == 2
    assert all(len(secret) == 43 for secret in secrets)


async def test_a_refresh_token_gets_the_next_and_is_used_up(desk: Desk, statements: StatementCounter) -> None:
    tokens = await signed_in(desk)
    desk.clock.turn(600)
    statements.clear()

    following = await desk.sessions.refresh(
        tokens.refresh_token, Actor(address="192.0.2.9", user_agent="Phone/2.0")
    )

    assert len(statements.seen) == 2  # the rotation, and the account
    assert following.refresh_token != tokens.refresh_token
    assert following.session.id == tokens.session.id
    assert following.session.last_used_at == desk.clock.at
    assert (following.session.address, following.session.user_agent) == ("192.0.2.9", "Phone/2.0")
    caller = await desk.sessions.identify(following.access.value)
    assert caller.authenticated_at == tokens.session.authenticated_at
    assert not await is_refused(desk.sessions, following.refresh_token)


async def test_of_fifty_refreshes_at_once_one_rotates_and_all_get_what_it_made(
    desk: Desk, database: Database
) -> None:
    tokens = await signed_in(desk)

    answers = await asyncio.gather(*(desk.sessions.refresh(tokens.refresh_token, NOWHERE) for _ in range(50)))

    assert len({answer.refresh_token for answer in answers}) == 1
    assert await database.value("SELECT count(*) FROM refresh_token") == 2
    assert await database.value("SELECT count(*) FROM refresh_token WHERE used_at IS NULL") == 1
    assert await stands(desk.sessions, tokens)
    assert not await is_refused(desk.sessions, answers[0].refresh_token)


async def test_whoever_lost_the_answer_gets_it_again_within_the_grace_period(desk: Desk) -> None:
    tokens = await signed_in(desk)
    lost = await desk.sessions.refresh(tokens.refresh_token, NOWHERE)
    desk.clock.turn(GRACE.total_seconds())

    again = await desk.sessions.refresh(tokens.refresh_token, NOWHERE)

    assert again.refresh_token == lost.refresh_token
    assert not await is_refused(desk.sessions, again.refresh_token)


async def test_a_straggler_whose_successor_was_used_is_refused_and_signs_nobody_out(desk: Desk) -> None:
    tokens = await signed_in(desk)
    second = await desk.sessions.refresh(tokens.refresh_token, NOWHERE)
    third = await desk.sessions.refresh(second.refresh_token, NOWHERE)

    assert await is_refused(desk.sessions, tokens.refresh_token)

    assert await stands(desk.sessions, third)
    assert not await is_refused(desk.sessions, third.refresh_token)


async def test_within_the_grace_period_only_its_client_with_its_key_gets_the_successor(desk: Desk) -> None:
    account = await somebody(desk)
    bound = await desk.sessions.start(account, PHONE, Terms(key_thumbprint="k1"), client_id="tv")

    async def asked(client_id: str, key: str | None) -> str | None:
        try:
            found = await desk.sessions.refresh(bound.refresh_token, NOWHERE, client_id, key_thumbprint=key)
        except InvalidGrant:
            return None
        return found.refresh_token

    others = [("phone", "k1"), ("tv", "k2"), ("tv", None)]
    before = [await asked(*other) for other in others]
    following = await asked("tv", "k1")
    meanwhile = [await asked(*other) for other in others]
    again = await asked("tv", "k1")
    desk.clock.turn(GRACE.total_seconds() + 1)
    later = [await asked(*other) for other in others]

    assert before == meanwhile == later == [None] * 3
    assert following == again is not None
    # They have signed nobody out either: whoever has the token alone cannot end the session with it.
    assert await stands(desk.sessions, bound)


async def test_within_the_grace_period_nobody_gets_the_successor_of_a_session_that_ended(desk: Desk) -> None:
    tokens = await signed_in(desk)
    await desk.sessions.refresh(tokens.refresh_token, NOWHERE)
    session = tokens.session

    await desk.sessions.end(session.account_id, [session.id], SessionEnd.SIGNED_OUT, NOWHERE)

    assert await is_refused(desk.sessions, tokens.refresh_token)


async def test_a_token_shown_after_the_grace_period_ends_the_session(desk: Desk) -> None:
    tokens = await signed_in(desk)
    following = await desk.sessions.refresh(tokens.refresh_token, NOWHERE)
    desk.clock.turn(GRACE.total_seconds() + 1)

    assert await is_refused(desk.sessions, tokens.refresh_token)

    assert await is_refused(desk.sessions, following.refresh_token)
    with pytest.raises(Unauthenticated) as refusal:
        await desk.sessions.identify(following.access.value)
    assert refusal.value.message == REASONS[SessionEnd.REPLAYED]
    assert refusal.value.extensions == {"error": "invalid_token", "reason": "REPLAYED"}


async def test_an_old_token_of_the_family_ends_it_as_well(desk: Desk) -> None:
    tokens = await signed_in(desk)
    latest = tokens
    for _ in range(5):
        desk.clock.turn(60)
        latest = await desk.sessions.refresh(latest.refresh_token, NOWHERE)

    assert await is_refused(desk.sessions, tokens.refresh_token)

    assert not await stands(desk.sessions, latest)


async def test_a_session_lapses_when_it_is_not_refreshed(desk: Desk) -> None:
    tokens = await signed_in(desk)
    desk.clock.turn(IDLE.total_seconds())

    assert await is_refused(desk.sessions, tokens.refresh_token)
    assert await desk.sessions.store.standing(tokens.session.account_id, desk.clock.at) == []


async def test_a_session_lapses_after_thirty_days_however_often_it_is_refreshed(desk: Desk) -> None:
    tokens = await signed_in(desk)
    began = desk.clock.at
    while desk.clock.at - began < ABSOLUTE - timedelta(days=6):
        desk.clock.turn(timedelta(days=6).total_seconds())
        tokens = await desk.sessions.refresh(tokens.refresh_token, NOWHERE)
    assert tokens.session.expires_at == tokens.session.final_at == began + ABSOLUTE
    desk.clock.turn(timedelta(days=6).total_seconds())

    assert await is_refused(desk.sessions, tokens.refresh_token)


async def test_another_client_cannot_use_the_token_nor_end_the_session_with_it(desk: Desk) -> None:
    tokens = await signed_in(desk)

    assert await is_refused(desk.sessions, tokens.refresh_token, "tv")

    assert not await is_refused(desk.sessions, tokens.refresh_token)


@pytest.mark.parametrize("token", ["", "mg_rt_", "mg_rt_" + "A" * 43, "x" * 100_000, "\ud800", "a\0b"])
async def test_what_is_no_refresh_token_is_refused(desk: Desk, token: str) -> None:
    await signed_in(desk)

    assert await is_refused(desk.sessions, token)


async def test_a_suspended_account_gets_no_new_tokens(desk: Desk, database: Database) -> None:
    tokens = await signed_in(desk)
    await database.execute("UPDATE account SET suspended_at = now()")

    assert await is_refused(desk.sessions, tokens.refresh_token)


async def test_ending_one_session_leaves_the_others(desk: Desk, database: Database) -> None:
    account = await somebody(desk)
    first, second = [await desk.sessions.start(account, PHONE) for _ in range(2)]

    ended = await desk.sessions.end(account.id, [first.session.id], SessionEnd.REVOKED, NOWHERE)

    assert ended == [first.session.id]
    entry = await database.row("SELECT action, resource_id, after FROM audit_entry ORDER BY id DESC LIMIT 1")
    assert entry is not None
    assert tuple(entry) == ("session.ended", first.session.id, {"account": account.id, "reason": "revoked"})
    assert not await stands(desk.sessions, first)
    assert await is_refused(desk.sessions, first.refresh_token)
    assert await stands(desk.sessions, second)
    assert await desk.sessions.end(account.id, [first.session.id], SessionEnd.REVOKED, NOWHERE) == []


async def test_ending_all_but_one_leaves_that_one(desk: Desk) -> None:
    account = await somebody(desk)
    sessions = [await desk.sessions.start(account, PHONE) for _ in range(3)]

    ended = await desk.sessions.end_all(
        account.id, SessionEnd.PASSWORD_CHANGED, NOWHERE, but=sessions[1].session.id
    )

    assert set(ended) == {sessions[0].session.id, sessions[2].session.id}
    assert [await stands(desk.sessions, tokens) for tokens in sessions] == [False, True, False]


async def test_nobody_ends_the_sessions_of_others(desk: Desk) -> None:
    ada = await signed_in(desk)
    eve = await somebody(desk, "eve@example.org")

    assert await desk.sessions.end(eve.id, [ada.session.id], SessionEnd.REVOKED, NOWHERE) == []
    assert await desk.sessions.end_all(eve.id, SessionEnd.REVOKED, NOWHERE) == []

    assert await stands(desk.sessions, ada)


async def test_other_processes_learn_of_an_end_from_the_record(desk: Desk, database: Database) -> None:
    tokens = await signed_in(desk)
    elsewhere = sessions_on(database, desk.clock, desk.service.recent, desk.sessions.tokens.keys)
    await elsewhere.revocations.look()
    told: list[SessionEnd] = []

    with elsewhere.revocations.watching(tokens.session.id, told.append):
        await desk.sessions.end(
            tokens.session.account_id, [tokens.session.id], SessionEnd.SIGNED_OUT, NOWHERE
        )
        assert await stands(elsewhere, tokens)
        await elsewhere.revocations.look()
        await elsewhere.revocations.look()

    assert told == [SessionEnd.SIGNED_OUT]
    assert not await stands(elsewhere, tokens)


async def test_a_process_that_starts_knows_what_ended_before(desk: Desk, database: Database) -> None:
    tokens = await signed_in(desk)
    await desk.sessions.end(tokens.session.account_id, [tokens.session.id], SessionEnd.SIGNED_OUT, NOWHERE)
    started = Revocations(PostgresRevocations(database), desk.clock.now)

    await started.look()

    assert started.end_of(tokens.session.id) is SessionEnd.SIGNED_OUT


async def test_what_ended_is_forgotten_when_no_token_can_name_it(desk: Desk, database: Database) -> None:
    tokens = await signed_in(desk)
    await desk.sessions.end(tokens.session.account_id, [tokens.session.id], SessionEnd.SIGNED_OUT, NOWHERE)
    kept = await signed_in_again(desk, tokens)
    desk.clock.turn(timedelta(days=6).total_seconds())
    kept = await desk.sessions.refresh(kept.refresh_token, NOWHERE)
    assert await desk.sessions.forget() == 0
    desk.clock.turn(timedelta(days=2).total_seconds())

    assert await desk.sessions.forget() == 2
    await desk.sessions.revocations.look()

    tables = ("login_session", "refresh_token", "revocation")
    assert [await database.value(f"SELECT count(*) FROM {table}") for table in tables] == [1, 2, 0]
    assert not await is_refused(desk.sessions, kept.refresh_token)


async def signed_in_again(desk: Desk, tokens: IssuedTokens) -> IssuedTokens:
    found = await desk.service.store.accounts([tokens.session.account_id])
    return await desk.sessions.start(found[tokens.session.account_id], PHONE)


async def test_a_session_keeps_no_more_of_a_name_than_anybody_reads(desk: Desk, database: Database) -> None:
    account = await somebody(desk)

    await desk.sessions.start(account, Actor(user_agent="x" * 10_000))

    (session,) = await PostgresSessions(database).standing(account.id, desk.clock.at)
    assert session.user_agent == "x" * 400
