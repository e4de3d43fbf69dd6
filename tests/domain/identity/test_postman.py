"""Letters: none is lost, none is sent twice by our own doing, and a slow server holds up nobody."""

import asyncio
from contextlib import suppress
from datetime import timedelta

import pytest

from domain.identity.audit import SYSTEM
from domain.identity.letters import ATTEMPTS, Letter, LetterKind
from domain.identity.profile import Profile
from domain.platform.mail import Mail, MailFailed, MailRefused
from domain.platform.postgres import Database
from tests.accounts import PASSWORD, Desk, new_id
from tests.postbox import Postbox, postman


async def registered(desk: Desk, email: str = "ada@example.org", language: str = "en") -> None:
    await desk.service.register(email, PASSWORD, Profile("Ada", "GB", language), SYSTEM)


async def waiting(database: Database) -> int:
    return int(await database.value("SELECT count(*) FROM letter"))


async def test_a_letter_that_was_sent_is_forgotten(desk: Desk, database: Database) -> None:
    await registered(desk)

    assert await desk.postman.run() == 1
    assert (await desk.postman.run(), await waiting(database), len(desk.postbox.sent)) == (0, 0, 1)


async def test_a_letter_is_not_posted_where_what_it_tells_of_did_not_happen(
    desk: Desk, database: Database
) -> None:
    letter = Letter(new_id(), LetterKind.VERIFY_EMAIL, "ada@example.org", desk.clock.at)

    async def fail() -> None:
        async with database.transaction():
            await desk.postman.letters.post(letter)
            letter.details["what went wrong"]

    with pytest.raises(KeyError):
        await fail()

    assert await waiting(database) == 0


async def test_a_server_that_is_away_gets_the_letter_later(desk: Desk) -> None:
    await registered(desk)
    desk.postbox.failures = [MailFailed("away")]

    await desk.postman.run()
    assert (await desk.postman.run(), desk.postbox.sent) == (0, [])
    desk.clock.turn(30)
    await desk.postman.run()

    assert len(desk.postbox.sent) == 1


async def test_tries_get_rarer_and_end(desk: Desk, database: Database) -> None:
    await registered(desk)
    desk.postbox.failures = [MailFailed("away")] * 20
    began, tries = desk.clock.at, []

    while (due := await database.value("SELECT due_at FROM letter")) is not None:
        desk.clock.at = max(due, desk.clock.at)
        tries.append((desk.clock.at - began).total_seconds())
        await desk.postman.run()

    assert tries == [0, 30, 90, 210, 450, 930, 1890, 3810]
    assert len(tries) == ATTEMPTS
    assert await database.value("SELECT failure FROM letter") == "away"


async def test_an_address_that_takes_no_mail_is_not_tried_again(desk: Desk, database: Database) -> None:
    await registered(desk)
    desk.postbox.failures = [MailRefused("no such box")]

    await desk.postman.run()
    desk.clock.at += timedelta(days=1)

    assert await desk.postman.run() == 0
    assert await database.value("SELECT failure FROM letter") == "no such box"
    desk.clock.at += timedelta(days=3)
    await desk.postman.tidy()
    assert await waiting(database) == 0


async def test_a_letter_whose_sender_died_is_sent_by_another(desk: Desk, database: Database) -> None:
    await registered(desk)

    async def die(_mail: Mail) -> None:
        raise asyncio.CancelledError

    dying = postman(database, Postbox(), desk.clock.now)
    object.__setattr__(dying, "mailer", die)
    with suppress(asyncio.CancelledError):
        await dying.run()
    assert await desk.postman.run() == 0
    desk.clock.at += timedelta(minutes=2)
    await desk.postman.run()

    assert len(desk.postbox.sent) == 1


async def test_two_senders_share_the_letters(desk: Desk, database: Database) -> None:
    for number in range(8):
        await registered(desk, f"ada{number}@example.org")
    other = postman(database, desk.postbox, desk.clock.now)

    await asyncio.gather(desk.postman.run(), other.run())

    assert sorted(mail.to for mail in desk.postbox.sent) == [f"ada{n}@example.org" for n in range(8)]


async def test_one_slow_letter_does_not_hold_up_another(desk: Desk, database: Database) -> None:
    await registered(desk, "slow@example.org")
    await registered(desk, "fast@example.org")
    arrived = asyncio.Event()

    async def mailer(mail: Mail) -> None:
        if mail.to == "slow@example.org":
            await asyncio.wait_for(arrived.wait(), 5)
        else:
            arrived.set()

    both = postman(database, Postbox(), desk.clock.now)
    object.__setattr__(both, "mailer", mailer)

    assert await both.run() == 2


async def test_a_letter_speaks_the_language_of_its_reader(desk: Desk) -> None:
    await registered(desk, language="de-AT")

    await desk.postman.run()

    (mail,) = desk.postbox.sent
    assert (mail.language, mail.subject) == ("de", "Bestätige deine E-Mail-Adresse")
    assert "Hallo Ada," in mail.text
    assert '<html lang="de">' in mail.html


async def test_a_name_is_no_markup(desk: Desk) -> None:
    await desk.service.register("a@example.org", PASSWORD, Profile("<b>{token}</b>", "GB"), SYSTEM)

    await desk.postman.run()

    (mail,) = desk.postbox.sent
    assert "Hello <b>{token}</b>," in mail.text
    assert "Hello &lt;b&gt;{token}&lt;/b&gt;," in mail.html
