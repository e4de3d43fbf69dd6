"""The audit log: every act leaves its entry in the same transaction, and nothing takes it out again."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from domain.identity.audit import MAX_USER_AGENT_CHARACTERS, SYSTEM, Action, Actor, Audit
from domain.identity.model import Account
from domain.identity.postgres_audit import PostgresAudit
from domain.identity.profile import Profile
from domain.platform.errors import Forbidden, Refused
from domain.platform.postgres import Database
from migrations import run
from tests.accounts import PASSWORD, Clock, Desk, new_id

ADA = Profile("Ada", "GB")
PHONE = Actor(address="192.0.2.1", user_agent="Phone/1.0", request_id="r1")
ADA_ID, EVE_ID = new_id(), new_id()
ROW = "SELECT action, account_id, resource_type, resource_id, before, after FROM audit_entry ORDER BY id"


async def entries(database: Database) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await database.rows(ROW)]


async def registered(desk: Desk) -> Account:
    return await desk.service.register("ada@example.org", PASSWORD, ADA, PHONE)


@pytest.mark.parametrize("action", Action)
def test_an_action_names_what_it_acts_on_and_what_happened_to_it(action: Action) -> None:
    kind, _, verb = action.value.partition(".")

    assert action.resource_type == kind
    assert verb.replace("_", "").isalpha()


async def test_registration_and_sign_in_tell_who_when_and_from_where(desk: Desk, database: Database) -> None:
    ada = await registered(desk)
    desk.clock.turn(60)
    await desk.service.sign_in("ada@example.org", PASSWORD, PHONE)

    assert await entries(database) == [
        ("account.registered", ada.id, "account", ada.id, None, None),
        ("account.signed_in", ada.id, "account", ada.id, None, None),
    ]
    rows = await database.rows("SELECT at, address, user_agent, request_id FROM audit_entry ORDER BY id")
    assert [tuple(row[1:]) for row in rows] == [("192.0.2.1", "Phone/1.0", "r1")] * 2
    assert (rows[1]["at"] - rows[0]["at"]).total_seconds() == 60


async def test_failed_sign_ins_are_told_without_naming_who_asked(desk: Desk, database: Database) -> None:
    ada = await registered(desk)
    for email, password in (("ada@example.org", "Wrong horse 7"), ("eve@example.org", PASSWORD)):
        with pytest.raises(Refused):
            await desk.service.sign_in(email, password, PHONE)
    await database.execute("UPDATE account SET suspended_at = now()")
    with pytest.raises(Forbidden):
        await desk.service.sign_in("ada@example.org", PASSWORD, PHONE)

    failed = (await entries(database))[1:]
    assert failed == [
        ("account.sign_in_failed", None, "account", ada.id, None, {"reason": "credentials"}),
        ("account.sign_in_failed", None, "account", None, None, {"reason": "credentials"}),
        ("account.sign_in_failed", None, "account", ada.id, None, {"reason": "suspended"}),
    ]


async def test_a_changed_profile_tells_what_differs(desk: Desk, database: Database) -> None:
    ada = await registered(desk)

    await desk.service.update_profile(
        ada.id, Profile("Countess", "GB", "fr"), replace(PHONE, account_id=ada.id)
    )
    await desk.service.update_profile(ada.id, Profile("Countess"), PHONE)

    assert (await entries(database))[1:] == [
        (
            "account.profile_changed",
            ada.id,
            "account",
            ada.id,
            {"display_name": "Ada", "language": "en"},
            {"display_name": "Countess", "language": "fr"},
        )
    ]


async def test_a_refused_act_leaves_no_entry(desk: Desk, database: Database) -> None:
    ada = await registered(desk)

    with pytest.raises(Refused):
        await registered(desk)
    with pytest.raises(Refused):
        await desk.service.update_profile(ada.id, Profile(""), PHONE)
    with pytest.raises(Refused):
        await desk.service.update_profile(new_id(), Profile("Eve"), PHONE)

    assert [action for action, *_ in await entries(database)] == ["account.registered"]


class Broken(PostgresAudit):
    """A log that cannot be written to."""

    async def add(self, entry: object) -> None:
        raise OSError(f"disk full: {entry}")


async def test_an_act_that_cannot_be_recorded_does_not_happen(desk: Desk, database: Database) -> None:
    ada = await registered(desk)
    unable = replace(desk.service, audit=Audit(Broken(database), desk.clock.now))

    with pytest.raises(OSError, match="disk full"):
        await unable.update_profile(ada.id, Profile("Eve"), PHONE)
    with pytest.raises(OSError, match="disk full"):
        await unable.register("eve@example.org", PASSWORD, ADA, PHONE)

    assert await desk.service.store.accounts([ada.id]) == {ada.id: ada}
    assert await database.value("SELECT count(*) FROM account") == 1


@pytest.mark.parametrize(
    "name", ["password", "password_hash", "accessToken", "pin", "backup_code", "clientSecret", "apiKey"]
)
async def test_secrets_are_not_taken(database: Database, name: str) -> None:
    audit = Audit(PostgresAudit(database), Clock().now)

    with pytest.raises(ValueError, match="looks like a secret"):
        await audit.record(SYSTEM, Action.PROFILE_CHANGED, after={name: "x"})
    with pytest.raises(ValueError, match="looks like a secret"):
        await audit.record(SYSTEM, Action.PROFILE_CHANGED, before={"kept": {name: "x"}})

    assert await entries(database) == []


async def test_names_that_only_look_alike_are_taken(database: Database) -> None:
    audit = Audit(PostgresAudit(database), Clock().now)

    await audit.record(SYSTEM, Action.PROFILE_CHANGED, after={"tokens_revoked": 2, "typing": True})

    assert len(await entries(database)) == 1


async def test_user_agents_of_any_length_are_cut(database: Database) -> None:
    audit = Audit(PostgresAudit(database), Clock().now)

    await audit.record(Actor(user_agent="x" * 10_000), Action.SIGNED_IN)

    kept = await database.value("SELECT user_agent FROM audit_entry")
    assert kept == "x" * MAX_USER_AGENT_CHARACTERS


async def test_impersonation_names_both(database: Database) -> None:
    audit = Audit(PostgresAudit(database), Clock().now)
    admin, ada = new_id(), new_id()

    await audit.record(Actor(admin, on_behalf_of=ada), Action.PROFILE_CHANGED, ada)

    row = await database.row("SELECT account_id, on_behalf_of FROM audit_entry")
    assert row is not None
    assert tuple(row) == (admin, ada)


@pytest.fixture
async def owner(postgres_url: str) -> AsyncIterator[Database]:
    """The owner of a migrated database, who is no superuser; one act is in its audit log."""
    name = "media_gateway_audit"
    server = await asyncpg.connect(postgres_url)
    await server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    await server.execute("DROP ROLE IF EXISTS audit_owner")
    await server.execute("CREATE ROLE audit_owner")
    await server.execute(f'CREATE DATABASE "{name}" OWNER audit_owner')
    head, _, tail = postgres_url.partition("?")
    url = f"{head.rsplit('/', 1)[0]}/{name}?role=audit_owner{tail and f'&{tail}'}"
    await run.up(url)
    async with Database.open(url) as database:
        yield database
    await server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await server.execute("DROP ROLE audit_owner")
    await server.close()


CHANGES = [
    "UPDATE audit_entry SET action = 'account.registered'",
    "UPDATE audit_entry SET at = now()",
    "UPDATE audit_entry SET address = '192.0.2.9'",
    "UPDATE audit_entry SET before = NULL, after = NULL, address = NULL, user_agent = NULL",
    "DELETE FROM audit_entry",
    "TRUNCATE audit_entry",
]


@pytest.mark.parametrize("rights", ["as migrated", "all"])
async def test_the_database_refuses_to_change_what_was_recorded(owner: Database, rights: str) -> None:
    await owner.execute("INSERT INTO account (id, email, display_name) VALUES ($1, 'a@b.c', 'A')", ADA_ID)
    audit = Audit(PostgresAudit(owner), Clock().now)
    await audit.record(replace(PHONE, account_id=ADA_ID), Action.PROFILE_CHANGED, ADA_ID, after={"name": "A"})
    if rights == "all":
        await owner.execute("GRANT ALL ON audit_entry TO audit_owner")
    before = await owner.rows("TABLE audit_entry")

    for change in CHANGES:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await owner.execute(change)

    assert await owner.rows("TABLE audit_entry") == before
    assert len(before) == 1


async def test_what_was_personal_of_an_erased_account_is_blanked_and_the_act_stays(owner: Database) -> None:
    for account_id in (ADA_ID, EVE_ID):
        await owner.execute("INSERT INTO account (id, display_name) VALUES ($1, 'A')", account_id)
    log = PostgresAudit(owner)
    audit = Audit(log, Clock().now)
    for account_id in (ADA_ID, EVE_ID):
        by = replace(PHONE, account_id=account_id)
        await audit.record(by, Action.PROFILE_CHANGED, account_id, {"name": "A"}, {"name": "B"})
    assert await log.forget(ADA_ID) == 0
    await owner.execute("DELETE FROM account WHERE id = $1", ADA_ID)

    assert await log.forget(ADA_ID) == 1

    rows = await owner.rows(
        "SELECT account_id, resource_id, before, after, address, user_agent, request_id FROM audit_entry"
        " ORDER BY id"
    )
    assert [tuple(row) for row in rows] == [
        (ADA_ID, ADA_ID, None, None, None, None, "r1"),
        (EVE_ID, EVE_ID, {"name": "A"}, {"name": "B"}, "192.0.2.1", "Phone/1.0", "r1"),
    ]
