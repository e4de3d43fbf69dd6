"""Accounts that are closed, taken back, erased and copied."""

import io
import zipfile
from datetime import timedelta

import orjson
import pytest

from domain.identity.api_keys import Wanted
from domain.identity.audit import SYSTEM
from domain.identity.model import Account, Caller, SessionEnd
from domain.identity.policy import Scope, granted
from domain.identity.profile import Profile
from domain.identity.viewing import Controls
from domain.platform.errors import Forbidden, Unauthenticated, UserErrorCode
from domain.platform.postgres import Database
from domain.sync.operations import Origin
from migrations.metadata import metadata
from tests.accounts import PASSWORD, Desk, keys_on, sessions_on
from tests.domain.identity.test_factors import with_app, with_passkey
from tests.viewers import living, refusal

ADA = "ada@example.org"
OF_NOBODY = {
    "announcement", "artwork", "availability", "catalog_change", "content", "cost_budget", "credit",
    "external_id", "field_usage", "news", "news_state", "oauth_client", "offer", "operation_usage", "person",
    "process", "rate_limit", "rating", "search_word", "signing_keys", "trusted_document",
}  # fmt: skip
"""Tables that hold nothing of anybody."""
BY_HAND = {
    "letter": "by its address",
    "outbox": "by the account in its events",
    "audit_entry": "values, addresses and user agents are blanked; that somebody acted stays",
    "revocation": "names sessions and keys that are gone, and lapses within an hour",
    "pushed_request": "what an application asked for before anybody signed in; lapses within minutes",
}
"""Tables that refer to no account and hold something of one, and what becomes of that."""
COPIED = {
    "account", "api_key", "authorization_code", "avatar", "backup_code", "challenge", "change",
    "change_sequence", "device", "device_code", "device_command", "forgotten_title", "history_limit",
    "import", "incognito_time", "link_token", "linked_identity", "login_session",
    "parental_pin", "passkey", "playback_session", "progress", "reaction", "sync_conflict", "sync_operation",
    "title_mark", "totp_factor", "viewing_profile", "watchlist_tag",
    "import_item", "refresh_token", "session_proof", "viewing_choice", "viewing_unlock",
}  # fmt: skip
"""Tables whose rows an owner is given a copy of."""


async def somebody(desk: Desk, email: str = ADA) -> Account:
    account = await desk.service.register(email, PASSWORD, Profile("Ada Lovelace", "GB", "en"), SYSTEM)
    await desk.postman.run()
    return account


async def recovery_token(desk: Desk) -> str:
    while await desk.postman.run():
        pass
    assert desk.postbox.subjects[-1] == "Your account is going to be deleted"
    return desk.postbox.token()


def test_every_table_is_of_an_account_or_of_nobody() -> None:
    """A new table that holds something of an account has to refer to it, or to be erased by hand."""
    tables = metadata().tables
    goes = {"account"}
    while True:
        more = {
            name
            for name, table in tables.items()
            for key in table.foreign_keys
            if key.column.table.name in goes and key.ondelete == "CASCADE"
        }
        if more <= goes:
            break
        goes |= more

    assert set(tables) - goes == OF_NOBODY | set(BY_HAND)
    assert not goes & (OF_NOBODY | set(BY_HAND))


async def test_a_closed_account_is_out_of_use_at_once(desk: Desk) -> None:
    account = await somebody(desk)
    token = await desk.token(account)

    erased_at = await desk.closing.close(account.id, SYSTEM)

    assert erased_at == desk.clock.at + timedelta(days=30)
    with pytest.raises(Unauthenticated):
        await desk.sessions.identify(token)
    with pytest.raises(Forbidden, match="closed"):
        await desk.service.sign_in(ADA, PASSWORD, SYSTEM)
    assert await refusal(desk.closing.close(account.id, SYSTEM)) is UserErrorCode.CONFLICT


async def test_what_a_key_of_a_closed_account_opened_ends_on_every_process(
    desk: Desk, database: Database
) -> None:
    account = await somebody(desk)
    holder = Caller(account.id, scopes=granted(account.roles))
    key = await desk.keys.create(holder, Wanted("k", (Scope.READ_WATCHLIST,)), SYSTEM)
    elsewhere = sessions_on(database, desk.clock, desk.sessions.recent)
    keys, here, there = keys_on(database, elsewhere), list[SessionEnd](), list[SessionEnd]()
    assert (await keys.identify(key.text)).account_id == account.id

    with (
        desk.sessions.revocations.watching(account.id, here.append),
        elsewhere.revocations.watching(account.id, there.append),
    ):
        await desk.closing.close(account.id, SYSTEM)
        at_once = list(here)
        await elsewhere.revocations.look()

    assert at_once == there == [SessionEnd.CLOSED]
    with pytest.raises(Unauthenticated):
        await keys.identify(key.text)
    with pytest.raises(Unauthenticated):
        await desk.keys.identify(key.text)


async def test_an_account_that_is_closed_for_the_second_time_is_told_again(
    desk: Desk, database: Database
) -> None:
    account = await somebody(desk)
    await desk.closing.close(account.id, SYSTEM)
    await desk.closing.reopen(await recovery_token(desk), SYSTEM)
    desk.clock.turn(3_600)
    await database.execute("UPDATE revocation SET at = at - interval '1 hour'")
    elsewhere = sessions_on(database, desk.clock, desk.sessions.recent)
    await elsewhere.revocations.look()
    ends = list[SessionEnd]()

    with elsewhere.revocations.watching(account.id, ends.append):
        told_before = list(ends)
        await desk.closing.close(account.id, SYSTEM)
        await elsewhere.revocations.look()

    assert (told_before, ends) == ([], [SessionEnd.CLOSED])


@pytest.mark.parametrize(("days", "there"), [(29, True), (31, False)])
async def test_it_is_taken_back_on_day_29_and_not_on_day_31(desk: Desk, *, days: int, there: bool) -> None:
    account = await somebody(desk)
    await desk.closing.close(account.id, SYSTEM)
    token = await recovery_token(desk)
    desk.clock.at += timedelta(days=days)
    await desk.closing.erase_due()

    reopening = desk.closing.reopen(token, SYSTEM)

    if there:
        assert (await reopening).closed_at is None
        assert (await desk.service.sign_in(ADA, PASSWORD, SYSTEM)).id == account.id
        assert await refusal(desk.closing.reopen(token, SYSTEM)) is UserErrorCode.NOT_FOUND
        await desk.postman.run()
        assert desk.postbox.subjects[-1] == "Your account is open again"
    else:
        assert await refusal(reopening) is UserErrorCode.NOT_FOUND
        assert await desk.service.store.accounts([account.id]) == {}


async def test_an_account_that_was_taken_back_is_not_erased(desk: Desk) -> None:
    account = await somebody(desk)
    await desk.closing.close(account.id, SYSTEM)
    await desk.closing.reopen(await recovery_token(desk), SYSTEM)
    desk.clock.at += timedelta(days=31)

    assert await desk.closing.erase_due() == 0
    assert account.id in await desk.service.store.accounts([account.id])


async def with_everything(desk: Desk, database: Database, account: Account) -> None:
    """Something of the account in most tables."""
    caller: Caller = await desk.sessions.identify(await desk.token(account))
    await with_app(desk, account)
    await with_passkey(desk, account)
    await desk.viewing.set_pin(account.id, "4711", SYSTEM)
    await desk.viewing.verify_pin(caller, "4711", SYSTEM)
    profile = await desk.viewing.create(caller, "Child of Ada", Controls(max_rating="PG"), SYSTEM)
    await desk.viewing.choose(caller, profile.id)
    await desk.sign_ins.second_step(account)
    await desk.recovery.request_reset(ADA)
    while await desk.postman.run():
        pass
    house = living(database)
    device = await house.device(account.id, "Ada's television")
    content = await database.value(
        """INSERT INTO content (kind, title, title_key, runtime_seconds)
           VALUES ('movie', 'Solaris', 'solaris', 9960) RETURNING id"""
    )
    await house.sync.add_to_watchlist(account.id, content, None, Origin(device.id))
    await house.playback.start(account.id, content, device.id)
    await desk.recovery.resend_verification(ADA)


async def test_of_an_erased_account_nothing_is_left_but_that_somebody_acted(
    desk: Desk, database: Database
) -> None:
    account, other = await somebody(desk), await somebody(desk, "eve@example.org")
    await with_everything(desk, database, account)
    await desk.closing.close(account.id, SYSTEM)
    desk.clock.at += timedelta(days=30)
    before = await traces(database, account)
    assert {
        "account",
        "login_session",
        "passkey",
        "playback_session",
        "watchlist_tag",
        "outbox",
        "letter",
    } <= set(before)

    assert await desk.closing.erase_due() == 1

    left = await traces(database, account)
    assert set(left) <= {"audit_entry", "outbox", "revocation"}
    topics = await database.rows("SELECT topic FROM outbox WHERE key = $1", account.id)
    assert [row[0] for row in topics] == ["account.erased"]
    blanked = await database.rows(
        """SELECT before, after, address, user_agent FROM audit_entry
            WHERE account_id = $1 OR resource_id = $1::text""",
        account.id,
    )
    assert {tuple(row) for row in blanked} == {(None, None, None, None)}
    assert other.id in await desk.service.store.accounts([other.id])


async def traces(database: Database, account: Account) -> dict[str, int]:
    """The tables that hold the account's id, its address or a name it gave, and in how many rows."""
    found = {}
    for name in metadata().tables:
        count = await database.value(
            f"""SELECT count(*) FROM "{name}" AS kept
                 WHERE kept::text LIKE ANY($1::text[])""",
            [f"%{account.id}%", f"%{ADA}%", "%of Ada%", "%Ada's%"],
        )
        if count:
            found[name] = count
    return found


async def test_a_copy_has_all_there_is_and_no_secret(desk: Desk, database: Database) -> None:
    account = await somebody(desk)
    await with_everything(desk, database, account)
    token, _ = await desk.exports.link(account, SYSTEM)

    packed = zipfile.ZipFile(io.BytesIO(await desk.exports.archive(token)))

    files = {name: packed.read(name).decode() for name in packed.namelist()}
    assert orjson.loads(files["account.json"])[0]["email"] == ADA
    assert orjson.loads(files["viewing_profile.json"])[0]["name"] == "Child of Ada"
    assert {
        "playback_session.json",
        "watchlist_tag.json",
        "device.json",
        "passkey.json",
        "login_session.json",
    } <= set(files)
    text = "".join(files.values())
    secrets = await database.rows(
        """SELECT password_hash FROM account WHERE password_hash IS NOT NULL
           UNION ALL SELECT pin_hash FROM parental_pin"""
    )
    assert len(secrets) == 2
    assert not any(row[0] in text for row in secrets)
    assert "$argon2" not in text
    assert all(f"{name}: " in files["README.txt"] for name in files if name.endswith(".json"))
    assert await refusal(desk.exports.archive(token)) is UserErrorCode.NOT_FOUND


async def test_what_is_copied_is_known_and_no_column_of_it_is_secret(desk: Desk) -> None:
    columns = await desk.exports.holdings.columns()

    assert set(columns) <= COPIED
    assert COPIED - set(columns) <= {"authorization_code", "backup_code", "challenge"}
    tables = metadata().tables
    for name, shown in columns.items():
        assert not {"password_hash", "pin_hash", "digest", "sealed", "public_key", "picture"} & set(shown), (
            name
        )
        assert set(shown) <= {column.name for column in tables[name].columns}


async def test_of_others_nothing_is_copied(desk: Desk, database: Database) -> None:
    ada, eve = await somebody(desk), await somebody(desk, "eve@example.org")
    await with_everything(desk, database, ada)
    token, _ = await desk.exports.link(eve, SYSTEM)

    packed = zipfile.ZipFile(io.BytesIO(await desk.exports.archive(token)))

    text = "".join(packed.read(name).decode() for name in packed.namelist())
    assert ada.id not in text
    assert ADA not in text


async def test_a_link_to_a_copy_holds_for_ten_minutes(desk: Desk) -> None:
    token, expires_at = await desk.exports.link(await somebody(desk), SYSTEM)
    assert expires_at == desk.clock.at + timedelta(minutes=10)
    desk.clock.turn(601)

    assert await refusal(desk.exports.archive(token)) is UserErrorCode.NOT_FOUND
