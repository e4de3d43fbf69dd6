"""Accounts that move to another address."""

import asyncio
from dataclasses import replace

import pytest

from domain.identity.audit import SYSTEM
from domain.identity.model import Account
from domain.identity.profile import Profile
from domain.platform.errors import Refused, TooManyRequests, Unauthenticated, UserErrorCode
from domain.platform.postgres import Database
from tests.accounts import PASSWORD, Desk
from tests.viewers import refusal

ADA, NEW = "ada@example.org", "ada@new.example"


async def opened(desk: Desk, email: str = ADA) -> Account:
    account = await desk.service.register(email, PASSWORD, Profile("Ada", "GB", "en"), SYSTEM)
    await desk.postman.run()
    desk.postbox.sent.clear()
    return account


async def asked(desk: Desk, account: Account, email: str = NEW) -> dict[str, str]:
    """The subjects of the letters that were sent, by address."""
    await desk.address_change.request(account, email, SYSTEM)
    await desk.postman.run()
    return {mail.to: mail.subject for mail in desk.postbox.sent}


def token_of(desk: Desk) -> str:
    (mail,) = [mail for mail in desk.postbox.sent if "change-email" in mail.text]
    return mail.text.partition("token=")[2].split()[0]


async def signs_in(desk: Desk, email: str) -> bool:
    try:
        await desk.service.sign_in(email, PASSWORD, SYSTEM)
    except Refused:
        return False
    return True


async def test_the_new_address_is_proven_and_the_old_one_is_told(desk: Desk, database: Database) -> None:
    account = await opened(desk)
    session = await desk.sessions.start(account, SYSTEM)

    letters = await asked(desk, account)
    before = await signs_in(desk, NEW)
    moved, ended = await desk.address_change.change(token_of(desk), SYSTEM)
    await desk.postman.run()

    assert letters == {
        NEW: "Confirm your new e-mail address",
        ADA: "Your account is to have another e-mail address",
    }
    assert not before, "nothing changes before the link is used"
    assert (moved.email, moved.email_verified_at) == (NEW, desk.clock.at)
    assert (await signs_in(desk, NEW), await signs_in(desk, ADA)) == (True, False)
    assert (ended.sessions, ended.tokens) == (1, 1)
    with pytest.raises(Unauthenticated, match="address was changed"):
        await desk.sessions.identify(session.access.value)
    assert (desk.postbox.sent[-1].to, desk.postbox.subjects[-1]) == (ADA, "Your e-mail address was changed")
    entry = await database.row("SELECT before, after FROM audit_entry WHERE action = 'account.email_changed'")
    assert entry is not None
    assert (entry["before"], entry["after"]) == ({"email": ADA}, {"email": NEW, "sessions": 1, "tokens": 1})
    assert await database.value("SELECT payload->>'reason' FROM outbox") == "account.email_changed"


async def test_the_link_works_once_and_for_an_hour(desk: Desk) -> None:
    account = await opened(desk)
    await asked(desk, account)
    token = token_of(desk)

    desk.clock.turn(3_601)
    late = await refusal(desk.address_change.change(token, SYSTEM))
    desk.clock.turn(-10)
    await desk.address_change.change(token, SYSTEM)
    twice = await refusal(desk.address_change.change(token, SYSTEM))

    assert late is twice is UserErrorCode.NOT_FOUND


async def test_an_address_that_somebody_has_gets_no_letter_and_nobody_is_told(desk: Desk) -> None:
    await opened(desk, NEW)
    account = await opened(desk)

    letters = await asked(desk, account)

    assert list(letters) == [ADA]


async def test_an_address_that_somebody_took_meanwhile_stays_theirs(desk: Desk, database: Database) -> None:
    account = await opened(desk)
    await asked(desk, account)
    token = token_of(desk)
    await desk.service.register(NEW, PASSWORD, Profile("Eve", "GB"), SYSTEM)

    refused = await refusal(desk.address_change.change(token, SYSTEM))

    assert refused is UserErrorCode.NOT_FOUND
    assert await database.value("SELECT email FROM account WHERE id = $1", account.id) == ADA


async def test_links_to_the_old_address_end_with_it(desk: Desk) -> None:
    account = await opened(desk)
    await desk.recovery.request_reset(ADA)
    await desk.postman.run()
    reset = desk.postbox.token()
    await asked(desk, account)

    await desk.address_change.change(token_of(desk), SYSTEM)

    assert await desk.recovery.address_to_reset(reset) is None


async def test_another_password_stops_who_would_take_the_account_along(desk: Desk) -> None:
    account = await opened(desk)
    await asked(desk, account)
    token = token_of(desk)
    await desk.recovery.change_password(account.id, PASSWORD, "Better horse 8", None, SYSTEM)

    assert await refusal(desk.address_change.change(token, SYSTEM)) is UserErrorCode.NOT_FOUND
    assert await signs_in(desk, NEW) is False


@pytest.mark.parametrize(
    ("email", "code"), [("nonsense", UserErrorCode.INVALID), (" ADA@example.org ", UserErrorCode.CONFLICT)]
)
async def test_what_is_no_other_address_is_refused(desk: Desk, email: str, code: UserErrorCode) -> None:
    account = await opened(desk)

    assert await refusal(desk.address_change.request(account, email, SYSTEM)) is code
    await desk.postman.run()
    assert desk.postbox.sent == []


async def test_nobody_floods_a_mailbox_by_it(desk: Desk) -> None:
    account = await opened(desk)
    await desk.address_change.request(account, NEW, SYSTEM)

    with pytest.raises(TooManyRequests):
        await desk.address_change.request(account, NEW, SYSTEM)


@pytest.mark.parametrize("taken", [False, True], ids=["it waits", "it is being written"])
async def test_another_password_withdraws_a_letter_that_was_not_sent_yet(desk: Desk, *, taken: bool) -> None:
    """As where the mail server of the new address keeps it waiting."""
    account = await opened(desk)
    desk.postbox.sent.clear()
    await desk.address_change.request(account, NEW, SYSTEM)
    change = desk.recovery.change_password(account.id, PASSWORD, "Better horse 8", None, SYSTEM)
    changing = asyncio.ensure_future(change)

    async def found(account_id: str) -> Account | None:
        await changing
        return (await desk.service.store.accounts([account_id])).get(account_id)

    if not taken:
        await changing
    await replace(desk.postman, by_id=found).run()

    assert {mail.to for mail in desk.postbox.sent} <= {ADA}


async def test_a_suspended_account_goes_nowhere(desk: Desk) -> None:
    account = await opened(desk)
    await asked(desk, account)
    token = token_of(desk)
    await desk.administration.suspend(account.id, "", SYSTEM)

    assert await refusal(desk.address_change.change(token, SYSTEM)) is UserErrorCode.NOT_FOUND
