"""Second factors: an authenticator app, backup codes, passkeys, and signing in by them."""

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import pytest

from domain.identity import totp
from domain.identity.audit import SYSTEM
from domain.identity.factors import Asked, Factor, Given
from domain.identity.model import Account, Caller, Method, Terms
from domain.identity.profile import Profile
from domain.platform.errors import Forbidden, Refused, StepUpRequired, TooManyRequests, UserErrorCode
from domain.platform.postgres import Database
from tests.accounts import ISSUER, PASSWORD, Desk
from tests.passkeys import SoftAuthenticator, flipped
from tests.viewers import refusal

WITH_CODE = (Method.PASSWORD, Method.ONE_TIME_CODE, Method.MULTIPLE)
WITH_PASSKEY = (Method.HARDWARE_KEY, Method.MULTIPLE)


async def somebody(desk: Desk, email: str = "ada@example.org") -> Account:
    return await desk.service.register(email, PASSWORD, Profile("Ada", "GB", "en"), SYSTEM)


async def with_app(desk: Desk, account: Account) -> tuple[pyotp.TOTP, list[str]]:
    """An authenticator app that is set up, and the backup codes; the code it showed is past."""
    made = await desk.factors.enrol_totp(account)
    app = pyotp.TOTP(made.secret)
    codes = await desk.factors.confirm_totp(account, app.at(desk.clock.at), SYSTEM)
    desk.clock.turn(60)
    assert codes
    return app, codes


async def with_passkey(desk: Desk, account: Account, name: str = "Laptop") -> SoftAuthenticator:
    device = SoftAuthenticator(ISSUER, name.encode())
    asked = await desk.factors.begin_passkey(account)
    await desk.factors.add_passkey(account, asked.token, device.create(options(asked)), name, SYSTEM)
    return device


def options(asked: Asked | None) -> dict[str, Any]:
    assert asked is not None
    assert asked.passkey_options is not None
    return asked.passkey_options


async def second_step(desk: Desk, account: Account) -> Asked:
    """What is asked of whoever has shown the password just now."""
    found = await desk.sign_ins.accounts.accounts([account.id])
    asked = await desk.sign_ins.second_step(found[account.id])
    assert asked is not None
    return asked


async def complete(desk: Desk, account: Account, **given: Any) -> tuple[Method, ...]:
    asked = await second_step(desk, account)
    return (await desk.sign_ins.complete(asked.token, Given(**given), SYSTEM))[1]


async def letters(desk: Desk) -> list[str]:
    while await desk.postman.run():
        pass
    return desk.postbox.subjects


# The vectors of RFC 6238, appendix B, for SHA-1, cut to six digits.
@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_codes_are_those_of_the_rfc(seconds: int, code: str) -> None:
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

    assert totp.step_of(secret, code, datetime.fromtimestamp(seconds, UTC)) == seconds // 30
    assert totp.step_of(secret, f"{code[:3]} {code[3:]}", datetime.fromtimestamp(seconds, UTC)) is not None


async def test_an_app_counts_once_it_has_shown_a_code(desk: Desk, database: Database) -> None:
    account = await somebody(desk)
    made = await desk.factors.enrol_totp(account)

    assert await desk.sign_ins.second_step(account) is None
    code = await refusal(desk.factors.confirm_totp(account, "000000", SYSTEM))
    codes = await desk.factors.confirm_totp(account, pyotp.TOTP(made.secret).at(desk.clock.at), SYSTEM)

    assert code is UserErrorCode.CREDENTIALS
    assert len(set(codes or ())) == 10
    assert (await second_step(desk, account)).factors == (Factor.TOTP, Factor.BACKUP_CODE)
    assert len(made.secret) == 32  # of five bits each
    assert made.uri.startswith("otpauth://totp/MediaGateway:ada%40example.org?")
    kept = await database.value("SELECT sealed FROM totp_factor")
    assert made.secret.encode() not in kept
    assert "Two-step sign-in is on" in await letters(desk)


async def test_a_confirmed_app_is_not_replaced_by_another(desk: Desk) -> None:
    account = await somebody(desk)
    await with_app(desk, account)

    assert await refusal(desk.factors.enrol_totp(account)) is UserErrorCode.CONFLICT


@pytest.mark.parametrize(("steps", "works"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
async def test_a_code_counts_one_step_before_and_behind_its_own(
    desk: Desk, *, steps: int, works: bool
) -> None:
    account = await somebody(desk)
    app, _ = await with_app(desk, account)
    desk.clock.turn(300)

    asked = complete(desk, account, code=app.at(desk.clock.at + timedelta(seconds=30 * steps)))

    if works:
        assert await asked == WITH_CODE
    else:
        assert await refusal(asked) is UserErrorCode.CREDENTIALS


async def test_a_code_works_once_also_when_it_comes_twice_at_once(desk: Desk) -> None:
    account = await somebody(desk)
    app, _ = await with_app(desk, account)
    code = app.at(desk.clock.at)

    outcomes = await asyncio.gather(
        *(complete(desk, account, code=code) for _ in range(4)), return_exceptions=True
    )

    assert sorted(isinstance(outcome, Refused) for outcome in outcomes) == [False, True, True, True]
    desk.clock.turn(60)
    assert await refusal(complete(desk, account, code=code)) is UserErrorCode.CREDENTIALS


async def test_a_code_before_a_used_one_does_not_work_any_more(desk: Desk) -> None:
    account = await somebody(desk)
    app, _ = await with_app(desk, account)
    await complete(desk, account, code=app.at(desk.clock.at))

    assert (
        await refusal(complete(desk, account, code=app.at(desk.clock.at - timedelta(seconds=30))))
        is UserErrorCode.CREDENTIALS
    )


async def test_the_sixth_try_within_a_minute_waits(desk: Desk) -> None:
    account = await somebody(desk)
    app, _ = await with_app(desk, account)
    for _ in range(5):
        assert await refusal(complete(desk, account, code="000000")) is UserErrorCode.CREDENTIALS

    with pytest.raises(TooManyRequests):
        await complete(desk, account, code=app.at(desk.clock.at))
    desk.clock.turn(60)

    assert await complete(desk, account, code=app.at(desk.clock.at)) == WITH_CODE


async def test_codes_cannot_be_guessed_all_day_long(desk: Desk) -> None:
    account = await somebody(desk)
    app, codes = await with_app(desk, account)
    for _ in range(10):
        for _ in range(5):
            assert await refusal(complete(desk, account, code="000000")) is UserErrorCode.CREDENTIALS
        desk.clock.turn(60)

    with pytest.raises(TooManyRequests):
        await complete(desk, account, code=app.at(desk.clock.at))
    desk.clock.turn(86_400)
    assert await complete(desk, account, code=app.at(desk.clock.at)) == WITH_CODE

    for _ in range(10):
        for _ in range(5):
            await refusal(complete(desk, account, code="000000"))
        desk.clock.turn(60)
    assert await complete(desk, account, backup_code=codes[0]) == WITH_CODE
    assert await complete(desk, account, code=app.at(desk.clock.at)) == WITH_CODE


async def test_what_went_well_forgives_what_did_not(desk: Desk) -> None:
    account = await somebody(desk)
    _, codes = await with_app(desk, account)

    for code in codes[:3]:
        for _ in range(4):
            assert await refusal(complete(desk, account, code="000000")) is UserErrorCode.CREDENTIALS
        assert await complete(desk, account, backup_code=code) == WITH_CODE


async def test_a_backup_code_works_once_and_nine_are_left(desk: Desk, database: Database) -> None:
    account = await somebody(desk)
    _, codes = await with_app(desk, account)

    methods = await complete(desk, account, backup_code=f" {codes[3].lower()} ")

    assert methods == WITH_CODE
    assert await refusal(complete(desk, account, backup_code=codes[3])) is UserErrorCode.CREDENTIALS
    assert (await desk.factors.store.enrolled(account.id)).backup_codes_left == 9
    kept = await database.rows("SELECT digest FROM backup_code")
    assert all(len(row[0]) == 32 and codes[0].encode() not in row[0] for row in kept)
    assert "A backup code was used" in await letters(desk)


async def test_a_backup_code_is_its_owners_alone(desk: Desk) -> None:
    ada, eve = await somebody(desk), await somebody(desk, "eve@example.org")
    _, codes = await with_app(desk, ada)
    await with_app(desk, eve)

    assert await refusal(complete(desk, eve, backup_code=codes[0])) is UserErrorCode.CREDENTIALS


async def test_new_backup_codes_take_the_place_of_the_old(desk: Desk) -> None:
    account = await somebody(desk)
    _, old = await with_app(desk, account)

    new = await desk.factors.renew_backup_codes(account, 10, SYSTEM)

    assert await refusal(complete(desk, account, backup_code=old[0])) is UserErrorCode.CREDENTIALS
    assert await complete(desk, account, backup_code=new[0]) == WITH_CODE


async def test_without_its_last_factor_an_account_is_asked_for_none(desk: Desk) -> None:
    account = await somebody(desk)
    await with_app(desk, account)

    await desk.factors.remove_totp(account, SYSTEM)

    assert await desk.sign_ins.second_step(account) is None
    assert (await desk.factors.store.enrolled(account.id)).backup_codes_left == 0
    assert "Two-step sign-in is off" in await letters(desk)


async def test_a_question_stands_for_five_minutes_and_is_answered_once(desk: Desk) -> None:
    account = await somebody(desk)
    app, codes = await with_app(desk, account)
    late, once = await second_step(desk, account), await second_step(desk, account)
    await desk.sign_ins.complete(once.token, Given(backup_code=codes[0]), SYSTEM)

    again = desk.sign_ins.complete(once.token, Given(backup_code=codes[1]), SYSTEM)
    assert await refusal(again) is UserErrorCode.NOT_FOUND
    desk.clock.turn(301)
    assert (
        await refusal(desk.sign_ins.complete(late.token, Given(code=app.at(desk.clock.at)), SYSTEM))
        is UserErrorCode.NOT_FOUND
    )
    assert (await desk.factors.store.enrolled(account.id)).backup_codes_left == 9


async def test_a_passkey_is_a_second_factor(desk: Desk) -> None:
    account = await somebody(desk)
    device = await with_passkey(desk, account)
    asked = await second_step(desk, account)

    signed = device.get(options(asked))
    _, methods = await desk.sign_ins.complete(asked.token, Given(passkey=signed), SYSTEM)

    assert methods == (Method.PASSWORD, *WITH_PASSKEY)
    (passkey,) = (await desk.factors.store.enrolled(account.id)).passkeys
    assert (passkey.name, passkey.sign_count, passkey.last_used_at) == ("Laptop", 1, desk.clock.at)
    assert passkey.transports == ("internal",)
    assert "A passkey was added" in await letters(desk)


async def test_a_passkey_signs_in_alone(desk: Desk) -> None:
    account = await somebody(desk)
    device = await with_passkey(desk, account)
    asked = await desk.sign_ins.begin_passkey()

    found, methods = await desk.sign_ins.complete_passkey(asked.token, device.get(options(asked)), SYSTEM)

    assert (found.id, methods) == (account.id, WITH_PASSKEY)
    again = desk.sign_ins.complete_passkey(asked.token, device.get(options(asked)), SYSTEM)
    assert await refusal(again) is UserErrorCode.NOT_FOUND


async def test_where_addresses_have_to_be_confirmed_a_passkey_does_not_get_round_it(desk: Desk) -> None:
    account = await somebody(desk)
    device = await with_passkey(desk, account)
    strict = replace(desk.sign_ins, verified_only=True)
    asked = await strict.begin_passkey()

    refused = strict.complete_passkey(asked.token, device.get(options(asked)), SYSTEM)

    assert await refusal(refused) is UserErrorCode.NOT_VERIFIED


async def test_the_first_step_is_named_as_what_it_was(desk: Desk) -> None:
    account = await somebody(desk)
    device = await with_passkey(desk, account)
    asked = await desk.sign_ins.second_step(account)
    assert asked is not None
    given = Given(passkey=device.get(options(asked)))

    _, methods = await desk.sign_ins.complete(asked.token, given, SYSTEM, Method.FEDERATED)

    assert methods == (Method.FEDERATED, *WITH_PASSKEY)


def spoiled(desk: Desk, device: SoftAuthenticator, how: str, asked: dict[str, Any]) -> dict[str, Any]:
    match how:
        case "signature":
            signed = device.get(asked)
            signed["response"]["signature"] = flipped(signed["response"]["signature"])
        case "challenge":
            signed = device.get(asked | {"challenge": "AAAA"})
        case "origin":
            signed = replace(device, origin="https://gateway.example.evil").get(asked)
        case "domain":
            signed = device.get(asked, domain="evil.example")
        case "nobody looked":
            signed = replace(device, verifies=False).get(asked)
        case "another key":
            signed = SoftAuthenticator(ISSUER, device.credential_id).get(asked)
        case "an older copy":
            signed = replace(device, count=0).get(asked)
        case _:
            signed = {"id": 7, "response": None}
    return signed


@pytest.mark.parametrize(
    "how",
    [
        "signature",
        "challenge",
        "origin",
        "domain",
        "nobody looked",
        "another key",
        "an older copy",
        "nonsense",
    ],
)
async def test_what_is_wrong_with_a_passkeys_answer_is_noticed(desk: Desk, how: str) -> None:
    account = await somebody(desk)
    device = await with_passkey(desk, account)
    device.count = 7
    asked = await desk.sign_ins.begin_passkey()
    await desk.sign_ins.complete_passkey(asked.token, device.get(options(asked)), SYSTEM)
    asked = await desk.sign_ins.begin_passkey()

    signed = spoiled(desk, device, how, options(asked))

    code = await refusal(desk.sign_ins.complete_passkey(asked.token, signed, SYSTEM))
    assert code is UserErrorCode.CREDENTIALS


async def test_anothers_passkey_is_no_second_factor(desk: Desk) -> None:
    ada, eve = await somebody(desk), await somebody(desk, "eve@example.org")
    await with_passkey(desk, ada, "Adas")
    theirs = await with_passkey(desk, eve, "Eves")
    asked = await second_step(desk, ada)

    answer = desk.sign_ins.complete(asked.token, Given(passkey=theirs.get(options(asked))), SYSTEM)

    assert await refusal(answer) is UserErrorCode.CREDENTIALS


async def test_an_answer_to_one_question_is_none_to_another(desk: Desk) -> None:
    account = await somebody(desk)
    device = await with_passkey(desk, account)
    first, other = await second_step(desk, account), await second_step(desk, account)

    answer = desk.sign_ins.complete(other.token, Given(passkey=device.get(options(first))), SYSTEM)

    assert await refusal(answer) is UserErrorCode.CREDENTIALS


async def test_a_question_to_one_account_is_none_to_another(desk: Desk) -> None:
    ada, eve = await somebody(desk), await somebody(desk, "eve@example.org")
    asked = await desk.factors.begin_passkey(ada)
    made = SoftAuthenticator(ISSUER, b"Hers").create(options(asked))

    taken = desk.factors.add_passkey(eve, asked.token, made, "Hers", SYSTEM)

    assert await refusal(taken) is UserErrorCode.NOT_FOUND
    assert not (await desk.factors.store.enrolled(eve.id)).passkeys


async def test_a_passkey_is_known_once(desk: Desk) -> None:
    ada, eve = await somebody(desk), await somebody(desk, "eve@example.org")
    device = await with_passkey(desk, ada)
    asked = await desk.factors.begin_passkey(eve)

    again = desk.factors.add_passkey(eve, asked.token, device.create(options(asked)), "Hers", SYSTEM)

    assert await refusal(again) is UserErrorCode.CONFLICT
    known = options(await desk.factors.begin_passkey(ada))["excludeCredentials"]
    assert len(known) == 1


async def test_a_removed_passkey_does_not_sign_in(desk: Desk) -> None:
    account = await somebody(desk)
    device = await with_passkey(desk, account)
    (passkey,) = (await desk.factors.store.enrolled(account.id)).passkeys
    eve = await somebody(desk, "eve@example.org")

    assert await refusal(desk.factors.remove_passkey(eve, passkey.id, SYSTEM)) is UserErrorCode.NOT_FOUND
    await desk.factors.remove_passkey(account, passkey.id, SYSTEM)

    asked = await desk.sign_ins.begin_passkey()
    answer = desk.sign_ins.complete_passkey(asked.token, device.get(options(asked)), SYSTEM)
    assert await refusal(answer) is UserErrorCode.CREDENTIALS
    assert await desk.sign_ins.second_step(account) is None


# Confirming who one is.


async def caller_of(desk: Desk, account: Account, methods: tuple[Method, ...] = (Method.PASSWORD,)) -> Caller:
    issued = await desk.sessions.start(account, SYSTEM, Terms(methods=methods))
    return await desk.sessions.identify(issued.access.value)


async def required(asking: Awaitable[None]) -> list[str]:
    with pytest.raises(StepUpRequired) as refused:
        await asking
    return list(refused.value.extensions["accepted"])


async def test_who_has_just_signed_in_need_not_confirm_it(desk: Desk) -> None:
    caller = await caller_of(desk, await somebody(desk))

    await desk.step_up.require(caller)
    desk.clock.turn(601)

    assert await required(desk.step_up.require(caller)) == ["PASSWORD"]


async def test_a_password_confirms_it_for_ten_minutes_in_this_session(desk: Desk) -> None:
    account = await somebody(desk)
    caller, other = await caller_of(desk, account), await caller_of(desk, account)
    desk.clock.turn(700)

    wrong = desk.step_up.by_password(caller, "Wrong horse 7", SYSTEM)
    assert await refusal(wrong) is UserErrorCode.CREDENTIALS
    await desk.step_up.by_password(caller, PASSWORD, SYSTEM)

    await desk.step_up.require(caller)
    assert await required(desk.step_up.require(other)) == ["PASSWORD"]
    desk.clock.turn(601)
    assert await required(desk.step_up.require(caller)) == ["PASSWORD"]


async def test_where_there_is_a_second_factor_a_password_does_not_do(desk: Desk) -> None:
    account = await somebody(desk)
    caller = await caller_of(desk, account)
    app, codes = await with_app(desk, account)
    device = await with_passkey(desk, account)
    desk.clock.turn(700)

    assert await required(desk.step_up.require(caller)) == ["TOTP", "BACKUP_CODE", "PASSKEY"]
    assert await refusal(desk.step_up.by_password(caller, PASSWORD, SYSTEM)) is UserErrorCode.INVALID
    for given in (Given(code=app.at(desk.clock.at)), Given(backup_code=codes[0])):
        await desk.step_up.by_factor(caller, account, given, None, SYSTEM)
        await desk.step_up.require(caller)
        desk.clock.turn(700)
    asked = await desk.step_up.begin(caller)
    signed = Given(passkey=device.get(options(asked)))
    await desk.step_up.by_factor(caller, account, signed, asked.token, SYSTEM)
    await desk.step_up.require(caller)


async def test_having_signed_in_before_there_was_a_second_factor_confirms_nothing(desk: Desk) -> None:
    account = await somebody(desk)
    caller = await caller_of(desk, account)
    await with_app(desk, account)

    assert await required(desk.step_up.require(caller)) == ["TOTP", "BACKUP_CODE"]
    await desk.step_up.require(await caller_of(desk, account, WITH_CODE))


async def test_only_the_owner_confirms_it_in_person(desk: Desk) -> None:
    account = await somebody(desk)
    caller = await caller_of(desk, account)

    for somebody_else in (replace(caller, session_id=None), replace(caller, acting_id=account.id)):
        with pytest.raises(Forbidden):
            await desk.step_up.require(somebody_else)
