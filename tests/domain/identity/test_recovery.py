"""Proving an address, and passwords that are reset or changed."""

import asyncio
from datetime import timedelta
from typing import Any

import pyotp
import pytest

from domain.identity.api_keys import Wanted
from domain.identity.audit import SYSTEM
from domain.identity.model import Account, Caller
from domain.identity.policy import Scope
from domain.identity.profile import Profile
from domain.platform.errors import Refused, TooManyRequests, Unauthenticated, UserErrorCode
from domain.platform.postgres import Database
from tests.accounts import ISSUER, PASSWORD, Desk
from tests.passkeys import SoftAuthenticator
from tests.servers import StatementCounter
from tests.viewers import refusal

ADA = "ada@example.org"
BETTER = "Better horse 8"


async def opened(desk: Desk, email: str = ADA) -> Account:
    account = await desk.service.register(email, PASSWORD, Profile("Ada", "GB", "en"), SYSTEM)
    await desk.postman.run()
    desk.hasher.calls.clear()
    return account


async def reset_token(desk: Desk) -> str:
    await desk.recovery.request_reset(ADA)
    await desk.postman.run()
    return desk.postbox.token()


async def signs_in(desk: Desk, password: str) -> bool:
    try:
        await desk.service.sign_in(ADA, password, SYSTEM)
    except Refused:
        return False
    return True


async def is_signed_in(desk: Desk, token: str) -> bool:
    try:
        await desk.sessions.identify(token)
    except Unauthenticated:
        return False
    return True


async def told(database: Database) -> list[tuple[str, str, dict[str, Any]]]:
    rows = await database.rows("SELECT topic, key, payload FROM outbox ORDER BY id")
    return [(row[0], row[1], row[2]) for row in rows]


async def actions(database: Database) -> list[str]:
    return [row[0] for row in await database.rows("SELECT action FROM audit_entry ORDER BY id")]


async def test_a_letter_proves_the_address_of_a_new_account(desk: Desk, database: Database) -> None:
    account = await opened(desk)
    assert account.email_verified_at is None

    proven = await desk.recovery.verify_email(desk.postbox.token(), SYSTEM)

    assert (proven.id, proven.email_verified_at) == (account.id, desk.clock.at)
    assert desk.postbox.subjects == ["Confirm your e-mail address"]
    assert "account.email_verified" in await actions(database)


async def test_only_the_hash_of_a_token_is_kept(desk: Desk, database: Database) -> None:
    await opened(desk)
    token = desk.postbox.token()

    kept = await database.rows(
        "SELECT link_token::text FROM link_token UNION ALL SELECT letter::text FROM letter"
    )

    assert len(kept) == 1
    assert token not in kept[0][0]
    assert len(token) == 43


async def test_a_token_works_once(desk: Desk) -> None:
    await opened(desk)
    token = desk.postbox.token()
    await desk.recovery.verify_email(token, SYSTEM)

    assert await refusal(desk.recovery.verify_email(token, SYSTEM)) is UserErrorCode.NOT_FOUND


async def test_of_many_who_use_a_token_at_once_one_does(desk: Desk, database: Database) -> None:
    await opened(desk)
    token = await reset_token(desk)

    outcomes = await asyncio.gather(
        *(desk.recovery.reset_password(token, f"Better horse {n}", SYSTEM) for n in range(8)),
        return_exceptions=True,
    )

    assert sum(not isinstance(outcome, BaseException) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, Refused) for outcome in outcomes) == 7
    assert len(await told(database)) == 1


@pytest.mark.parametrize(("hours", "works"), [(23.9, True), (24.1, False)])
async def test_a_link_to_prove_an_address_holds_for_a_day(desk: Desk, *, hours: float, works: bool) -> None:
    await opened(desk)
    desk.clock.at += timedelta(hours=hours)

    try:
        await desk.recovery.verify_email(desk.postbox.token(), SYSTEM)
    except Refused:
        assert not works
    else:
        assert works


@pytest.mark.parametrize(("minutes", "works"), [(59, True), (61, False)])
async def test_a_link_to_reset_a_password_holds_for_an_hour(
    desk: Desk, *, minutes: float, works: bool
) -> None:
    await opened(desk)
    token = await reset_token(desk)
    desk.clock.at += timedelta(minutes=minutes)

    assert await desk.recovery.address_to_reset(token) == (ADA if works else None)
    if not works:
        assert await refusal(desk.recovery.reset_password(token, BETTER, SYSTEM)) is UserErrorCode.NOT_FOUND
        assert await signs_in(desk, PASSWORD)


async def test_a_token_is_for_its_purpose_alone(desk: Desk) -> None:
    await opened(desk)
    proving = desk.postbox.token()
    resetting = await reset_token(desk)

    assert await refusal(desk.recovery.reset_password(proving, BETTER, SYSTEM)) is UserErrorCode.NOT_FOUND
    assert await refusal(desk.recovery.verify_email(resetting, SYSTEM)) is UserErrorCode.NOT_FOUND


@pytest.mark.parametrize("token", ["", "x", "\0" * 43, "é" * 43, "A" * 43, "A" * 100_000])
async def test_what_is_no_token_is_refused_in_the_same_words(desk: Desk, token: str) -> None:
    await opened(desk)

    with pytest.raises(Refused, match="expired or was used already"):
        await desk.recovery.reset_password(token, BETTER, SYSTEM)
    assert desk.hasher.calls == []


async def test_the_letter_can_be_asked_for_again_after_a_minute(desk: Desk) -> None:
    await opened(desk)
    await desk.recovery.resend_verification(ADA)

    with pytest.raises(TooManyRequests):
        await desk.recovery.resend_verification(" ADA@example.org ")
    desk.clock.turn(60)
    await desk.recovery.resend_verification(ADA)
    while await desk.postman.run():
        pass

    assert len(desk.postbox.sent) == 3


async def test_who_has_proven_an_address_gets_no_letter_for_it(desk: Desk) -> None:
    await opened(desk)
    await desk.recovery.verify_email(desk.postbox.token(), SYSTEM)

    await desk.recovery.resend_verification(ADA)
    await desk.postman.run()

    assert len(desk.postbox.sent) == 1


async def test_a_reset_sets_the_password_and_signs_out_everywhere(desk: Desk, database: Database) -> None:
    account = await opened(desk)
    tokens = [await desk.token(account) for _ in range(2)]

    ended = await desk.recovery.reset_password(await reset_token(desk), BETTER, SYSTEM)
    await desk.postman.run()

    assert ended == (2, 2)
    assert [await is_signed_in(desk, token) for token in tokens] == [False, False]
    assert (await signs_in(desk, BETTER), await signs_in(desk, PASSWORD)) == (True, False)
    assert desk.postbox.subjects[-2:] == ["Choose another password", "Your password was changed"]
    assert await told(database) == [
        (
            "auth.sessions_invalidated",
            account.id,
            {"account": account.id, "sessions": 2, "tokens": 2, "reason": "account.password_reset"},
        )
    ]
    assert "account.password_reset" in await actions(database)


async def test_a_reset_proves_the_address_it_was_sent_to(desk: Desk) -> None:
    account = await opened(desk)

    await desk.recovery.reset_password(await reset_token(desk), BETTER, SYSTEM)

    found = await desk.service.store.accounts([account.id])
    assert found[account.id].email_verified_at == desk.clock.at


async def test_a_weak_password_leaves_the_token_for_a_better_one(desk: Desk, database: Database) -> None:
    await opened(desk)
    token = await reset_token(desk)

    assert await refusal(desk.recovery.reset_password(token, "weak", SYSTEM)) is UserErrorCode.INVALID
    assert await told(database) == []
    await desk.recovery.reset_password(token, BETTER, SYSTEM)

    assert await signs_in(desk, BETTER)


async def test_a_reset_takes_all_other_links_to_reset_with_it(desk: Desk) -> None:
    await opened(desk)
    first, second = await reset_token(desk), await reset_token(desk)

    await desk.recovery.reset_password(second, BETTER, SYSTEM)

    assert await refusal(desk.recovery.reset_password(first, PASSWORD, SYSTEM)) is UserErrorCode.NOT_FOUND


async def test_asking_for_a_reset_is_the_same_whoever_has_the_address(
    desk: Desk, statements: StatementCounter
) -> None:
    await opened(desk)
    seen: list[Any] = []
    for email in (ADA, "nobody@example.org"):
        statements.clear()
        seen.append((await desk.recovery.request_reset(email), tuple(statements.seen)))  # type: ignore[func-returns-value]

    assert seen[0] == seen[1]
    assert len(seen[0][1]) == 1


async def test_nobody_is_written_to_at_an_address_without_account(desk: Desk, database: Database) -> None:
    await desk.recovery.request_reset("nobody@example.org")

    assert await desk.postman.run() == 1
    assert desk.postbox.sent == []
    assert await database.value("SELECT count(*) FROM letter") == 0


@pytest.mark.parametrize("email", [ADA, "nobody@example.org"])
async def test_the_fourth_request_within_an_hour_waits(desk: Desk, email: str) -> None:
    await opened(desk)
    for _ in range(3):
        await desk.recovery.request_reset(email)

    with pytest.raises(TooManyRequests) as refused:
        await desk.recovery.request_reset(email.upper())
    assert refused.value.extensions["retryAfter"] == 3600
    desk.clock.turn(3600)
    await desk.recovery.request_reset(email)


async def test_a_password_is_changed_by_who_knows_it_and_one_session_stays(
    desk: Desk, database: Database
) -> None:
    account = await opened(desk)
    mine, others = await desk.token(account), [await desk.token(account) for _ in range(2)]
    kept = (await desk.sessions.identify(mine)).session_id

    ended = await desk.recovery.change_password(account.id, PASSWORD, BETTER, kept, SYSTEM)
    await desk.postman.run()

    assert ended == (2, 2)
    assert await is_signed_in(desk, mine)
    assert [await is_signed_in(desk, token) for token in others] == [False, False]
    assert (await signs_in(desk, BETTER), await signs_in(desk, PASSWORD)) == (True, False)
    assert desk.postbox.subjects[-1] == "Your password was changed"
    assert (await told(database))[0][2]["reason"] == "account.password_changed"


async def test_who_does_not_know_the_password_changes_nothing(desk: Desk, database: Database) -> None:
    account = await opened(desk)
    before = await database.value("SELECT password_hash FROM account")

    code = await refusal(desk.recovery.change_password(account.id, "Wrong horse 7", BETTER, None, SYSTEM))

    assert code is UserErrorCode.CREDENTIALS
    assert await told(database) == []
    assert await database.value("SELECT password_hash FROM account") == before


async def test_the_eleventh_guess_at_a_password_in_a_minute_waits(desk: Desk) -> None:
    account = await opened(desk)
    for _ in range(10):
        await refusal(desk.recovery.change_password(account.id, "Wrong horse 7", BETTER, None, SYSTEM))
    desk.hasher.calls.clear()

    with pytest.raises(TooManyRequests):
        await desk.recovery.change_password(account.id, PASSWORD, BETTER, None, SYSTEM)

    assert desk.hasher.calls == []


async def with_key_and_app(desk: Desk, account: Account) -> str:
    """The text of an API key; the account also has an authenticator app and a passkey."""
    holder = Caller(account.id, scopes=frozenset({Scope.WRITE_SECURITY, Scope.READ_WATCHLIST}))
    key = await desk.keys.create(holder, Wanted("Script", (Scope.READ_WATCHLIST,)), SYSTEM)
    app = pyotp.TOTP((await desk.factors.enrol_totp(account)).secret)
    await desk.factors.confirm_totp(account, app.at(desk.clock.at), SYSTEM)
    asked = await desk.factors.begin_passkey(account)
    device = SoftAuthenticator(ISSUER)
    options = asked.passkey_options or {}
    await desk.factors.add_passkey(account, asked.token, device.create(options), "Laptop", SYSTEM)
    while await desk.postman.run():
        pass
    return str(key.text)


async def test_who_opened_an_account_with_anothers_address_is_out_once_that_is_proven(desk: Desk) -> None:
    account = await opened(desk)
    key = await with_key_and_app(desk, account)

    await desk.recovery.reset_password(await reset_token(desk), BETTER, SYSTEM)

    with pytest.raises(Unauthenticated):
        await desk.keys.identify(key)
    enrolled = await desk.factors.store.enrolled(account.id)
    assert (enrolled.required, enrolled.passkeys, enrolled.backup_codes_left) == (False, (), 0)
    assert await signs_in(desk, BETTER)


async def test_a_reset_leaves_keys_and_factors_to_whoever_had_proven_the_address(desk: Desk) -> None:
    account = await opened(desk)
    await desk.recovery.verify_email(desk.postbox.token(), SYSTEM)
    key = await with_key_and_app(desk, account)
    desk.clock.turn(1)

    await desk.recovery.reset_password(await reset_token(desk), BETTER, SYSTEM)

    assert (await desk.keys.identify(key)).account_id == account.id
    assert (await desk.factors.store.enrolled(account.id)).required
