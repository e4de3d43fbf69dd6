"""What administrators do: on record, never to themselves, and known to every process within a second."""

import asyncio
from datetime import timedelta

import pytest

from domain.identity.administration import (
    AccountFilter,
    AccountOrder,
    AccountStatus,
    Administration,
    AuditFilter,
    known_actions,
)
from domain.identity.api_keys import Wanted
from domain.identity.audit import Action, Actor
from domain.identity.model import Account, Caller, Role, SessionEnd, Tier
from domain.identity.policy import Scope, granted
from domain.identity.profile import Profile
from domain.identity.sessions import InvalidGrant
from domain.platform.errors import BadInput, Forbidden, Refused, Unauthenticated, UserErrorCode
from domain.platform.paging import Cut
from domain.platform.postgres import Database
from tests.accounts import (
    NOBODY,
    PASSWORD,
    Desk,
    administration_on,
    keys_on,
    new_id,
    sessions_on,
)
from tests.servers import StatementCounter

ROOT = Actor(new_id(), address="192.0.2.9")


@pytest.fixture
async def administration(desk: Desk, database: Database) -> Administration:
    await database.execute(
        "INSERT INTO account (id, display_name, roles) VALUES ($1, 'Root', '{viewer,admin}')", ROOT.account_id
    )
    return administration_on(database, desk.sessions)


async def registered(desk: Desk, name: str = "ada") -> Account:
    return await desk.service.register(f"{name}@example.org", PASSWORD, Profile(name.title(), "GB"), NOBODY)


async def refused(act: object) -> UserErrorCode:
    with pytest.raises(Refused) as refusal:
        await act  # type: ignore[misc]
    return refusal.value.errors[0].code


async def test_suspending_ends_sessions_tokens_keys_and_sign_in(
    desk: Desk, administration: Administration
) -> None:
    ada = await registered(desk)
    issued = await desk.sessions.start(ada, NOBODY)
    holder = Caller(ada.id, scopes=granted(ada.roles))
    key = await desk.keys.create(holder, Wanted("k", (Scope.READ_WATCHLIST,)), NOBODY)
    assert await desk.sessions.identify(issued.access.value)
    assert await desk.keys.identify(key.text)

    suspended = await administration.suspend(ada.id, "Shares its password", ROOT)

    assert suspended.suspended_at == desk.clock.at
    with pytest.raises(Unauthenticated, match="suspended"):
        await desk.sessions.identify(issued.access.value)
    with pytest.raises(InvalidGrant):
        await desk.sessions.refresh(issued.refresh_token, NOBODY)
    with pytest.raises(Unauthenticated):
        await desk.keys.identify(key.text)
    with pytest.raises(Forbidden):
        await desk.service.sign_in("ada@example.org", PASSWORD, NOBODY)


async def test_another_process_knows_of_a_suspension_with_its_next_look(
    desk: Desk, database: Database, administration: Administration
) -> None:
    ada = await registered(desk)
    token = await desk.token(ada)
    holder = Caller(ada.id, scopes=granted(ada.roles))
    key = await desk.keys.create(holder, Wanted("k", (Scope.READ_WATCHLIST,)), NOBODY)
    other = sessions_on(database, desk.clock, type(desk.sessions.recent)(desk.service.store.accounts))
    other = sessions_on(database, desk.clock, other.recent, desk.sessions.tokens.keys)
    other_keys = keys_on(database, other)
    assert await other.identify(token)
    assert await other_keys.identify(key.text)
    ended: list[SessionEnd] = []

    with other.revocations.watching(ada.id, ended.append):
        await administration.suspend(ada.id, "", ROOT)
        await other.revocations.look()

    assert ended == [SessionEnd.SUSPENDED]
    with pytest.raises(Unauthenticated):
        await other.identify(token)
    with pytest.raises(Unauthenticated):
        await other_keys.identify(key.text)


async def test_a_restored_account_is_used_again_and_may_be_suspended_again(
    desk: Desk, database: Database, administration: Administration
) -> None:
    ada = await registered(desk)
    for _ in range(2):
        await administration.suspend(ada.id, "", ROOT)
        await administration.restore(ada.id, ROOT)

    assert (await desk.service.sign_in("ada@example.org", PASSWORD, NOBODY)).suspended_at is None
    actions = [
        row[0]
        for row in await database.rows(
            "SELECT action FROM audit_entry WHERE account_id = $1 ORDER BY id", ROOT.account_id
        )
    ]
    assert actions == ["account.suspended", "account.restored"] * 2


async def test_an_account_that_its_owner_has_closed_can_be_suspended_and_comes_back_so(
    desk: Desk, administration: Administration
) -> None:
    ada = await registered(desk)
    token = await closed(desk, ada)

    await administration.suspend(ada.id, "", ROOT)
    taken_back = await desk.closing.reopen(token, NOBODY)

    assert (taken_back.closed_at, taken_back.suspended_at) == (None, desk.clock.now())
    with pytest.raises(Forbidden, match="suspended"):
        await desk.service.sign_in("ada@example.org", PASSWORD, NOBODY)


@pytest.mark.parametrize("what", ["restored", "given a tier"])
async def test_whatever_is_done_to_a_closed_account_it_is_its_owners_to_take_back(
    desk: Desk, administration: Administration, what: str
) -> None:
    ada = await registered(desk)
    token = await closed(desk, ada)

    if what == "restored":
        shown = await administration.restore(ada.id, ROOT)
    else:
        shown = await administration.set_tier(ada.id, Tier.PREMIUM, ROOT)

    assert shown.suspended_at is not None
    with pytest.raises(Forbidden, match="closed"):
        await desk.service.sign_in("ada@example.org", PASSWORD, NOBODY)
    assert (await desk.closing.reopen(token, NOBODY)).suspended_at is None
    assert await desk.service.sign_in("ada@example.org", PASSWORD, NOBODY)


async def closed(desk: Desk, account: Account) -> str:
    """The token of the letter that takes it back."""
    await desk.postman.run()
    await desk.closing.close(account.id, NOBODY)
    await desk.postman.run()
    return desk.postbox.token()


async def test_roles_tiers_and_addresses_are_set_and_on_record(
    desk: Desk, database: Database, administration: Administration
) -> None:
    ada = await registered(desk)

    await administration.set_roles(ada.id, [Role.EDITOR], ROOT)
    await administration.set_tier(ada.id, Tier.PREMIUM, ROOT)
    await administration.set_tier(ada.id, Tier.PREMIUM, ROOT)
    changed = await administration.verify_email(ada.id, ROOT)

    assert (changed.roles, changed.tier) == ((Role.VIEWER, Role.EDITOR), Tier.PREMIUM)
    assert changed.email_verified_at == desk.clock.at
    assert await desk.service.store.accounts([ada.id]) == {ada.id: changed}
    rows = await database.rows(
        "SELECT action, before, after, address FROM audit_entry WHERE account_id = $1 ORDER BY id",
        ROOT.account_id,
    )
    assert [tuple(row)[:3] for row in rows] == [
        ("account.roles_changed", {"roles": ["viewer"]}, {"roles": ["viewer", "editor"]}),
        ("account.tier_changed", {"tier": "free"}, {"tier": "premium"}),
        (
            "account.email_verified",
            {"email_verified_at": None},
            {"email_verified_at": desk.clock.at.isoformat()},
        ),
    ]
    assert {row["address"] for row in rows} == {"192.0.2.9"}


async def test_nobody_suspends_or_demotes_themselves(desk: Desk, administration: Administration) -> None:
    ada = await registered(desk)
    by = Actor(ada.id)

    assert await refused(administration.suspend(ada.id, "", by)) is UserErrorCode.CONFLICT
    assert await refused(administration.set_roles(ada.id, [], by)) is UserErrorCode.CONFLICT
    assert await refused(administration.set_roles(ada.id, [Role.ADMIN], by)) is UserErrorCode.CONFLICT
    assert await desk.service.store.accounts([ada.id]) == {ada.id: ada}


async def test_an_account_that_is_not_there_is_refused(administration: Administration) -> None:
    for act in (
        administration.suspend(new_id(), "", ROOT),
        administration.restore(new_id(), ROOT),
        administration.set_roles(new_id(), [], ROOT),
        administration.set_tier(new_id(), Tier.FREE, ROOT),
        administration.verify_email(new_id(), ROOT),
    ):
        assert await refused(act) is UserErrorCode.NOT_FOUND


async def test_changes_at_once_do_not_undo_each_other(desk: Desk, administration: Administration) -> None:
    ada = await registered(desk)

    await asyncio.gather(
        administration.set_roles(ada.id, [Role.EDITOR], ROOT),
        administration.set_tier(ada.id, Tier.ENTERPRISE, ROOT),
        administration.suspend(ada.id, "", ROOT),
        administration.verify_email(ada.id, ROOT),
    )

    now = (await desk.service.store.accounts([ada.id]))[ada.id]
    assert (now.roles, now.tier) == ((Role.VIEWER, Role.EDITOR), Tier.ENTERPRISE)
    assert now.suspended_at is not None
    assert now.email_verified_at is not None


async def names(administration: Administration, wanted: AccountFilter, order: AccountOrder) -> list[str]:
    page = await administration.store.accounts(wanted, order, Cut())
    assert await page.count() == len(page.nodes)
    return [account.display_name for account in page.nodes]


async def test_accounts_are_found_by_name_address_status_and_role(
    desk: Desk, database: Database, administration: Administration
) -> None:
    for name in ("grace", "ada", "barbara"):
        await registered(desk, name)
        desk.clock.turn(1)
    await database.execute("UPDATE account SET display_name = '50% off_' WHERE display_name = 'Barbara'")
    await database.execute("UPDATE account SET suspended_at = now() WHERE display_name = 'Grace'")
    await database.execute("UPDATE account SET roles = '{viewer,admin}' WHERE display_name = 'Ada'")
    await database.execute("INSERT INTO account (id, display_name) VALUES ($1, 'Pseudonym')", new_id())
    everybody, newest = AccountFilter(), AccountOrder.NEWEST

    assert await names(administration, everybody, newest) == ["50% off_", "Ada", "Grace"]
    assert await names(administration, everybody, AccountOrder.EMAIL) == ["Ada", "50% off_", "Grace"]
    assert await names(administration, everybody, AccountOrder.NAME) == ["50% off_", "Ada", "Grace"]
    assert await names(administration, AccountFilter("ADA@"), newest) == ["Ada"]
    assert await names(administration, AccountFilter("rac"), newest) == ["Grace"]
    assert await names(administration, AccountFilter("%"), newest) == ["50% off_"]
    assert await names(administration, AccountFilter("_"), newest) == ["50% off_"]
    assert await names(administration, AccountFilter("\\"), newest) == []
    assert await names(administration, AccountFilter("' OR 1=1 --"), newest) == []
    assert await names(administration, AccountFilter(status=AccountStatus.SUSPENDED), newest) == ["Grace"]
    assert await names(administration, AccountFilter(role=Role.ADMIN), newest) == ["Ada"]
    assert await names(administration, AccountFilter("a", AccountStatus.ACTIVE, Role.EDITOR), newest) == []


@pytest.mark.parametrize("order", AccountOrder)
async def test_accounts_are_paged_without_gap_or_repeat(
    desk: Desk, administration: Administration, order: AccountOrder
) -> None:
    for number in range(5):
        await registered(desk, f"viewer{number}")
    whole = [a.id for a in (await administration.store.accounts(AccountFilter(), order, Cut())).nodes]

    paged, after = [], None
    while True:
        page = await administration.store.accounts(AccountFilter(), order, Cut(2, after))
        paged += [account.id for account in page.nodes]
        after = page.page_info.end_cursor
        if not page.has_next:
            break

    assert paged == whole
    assert len(whole) == 5


async def test_entries_are_found_by_every_filter_together_and_counted_whole(
    desk: Desk, administration: Administration
) -> None:
    begun = desk.clock.at
    ada, eve = await registered(desk), await registered(desk, "eve")
    desk.clock.turn(60)
    for account in (ada, eve, ada):
        await administration.end_sessions(account.id, ROOT)
        await administration.set_tier(account.id, Tier.PREMIUM, ROOT)
        desk.clock.turn(60)
    behalf = Actor(new_id(), on_behalf_of=eve.id)
    await administration.audit.record(behalf, Action.PROFILE_CHANGED, eve.id, {"a": 1}, {"a": 2})

    async def found(wanted: AuditFilter) -> list[str]:
        page = await administration.store.entries(wanted, Cut(size=1))
        everything = await administration.store.entries(wanted, Cut(size=100))
        assert await page.count() == len(everything.nodes)
        return [entry.action for entry in everything.nodes]

    assert await found(AuditFilter(account_id=ROOT.account_id)) == ["account.tier_changed"] * 2
    assert await found(AuditFilter(account_id=eve.id)) == ["account.profile_changed", "account.registered"]
    assert await found(AuditFilter(actions=("account.registered",))) == ["account.registered"] * 2
    assert await found(AuditFilter(actions=())) == []
    assert await found(AuditFilter(resource_type="account", resource_id=ada.id)) == [
        "account.tier_changed",
        "account.registered",
    ]
    assert await found(AuditFilter(until=begun + timedelta(seconds=1))) == ["account.registered"] * 2
    since = AuditFilter(since=begun + timedelta(seconds=100), resource_type="account")
    assert await found(since) == ["account.profile_changed", "account.tier_changed"]
    assert await found(AuditFilter(resource_id="'; DROP TABLE audit_entry; --")) == []


def test_a_filter_names_actions_that_there_are() -> None:
    assert known_actions(None) is None
    assert known_actions(["account.suspended"]) == ("account.suspended",)
    with pytest.raises(BadInput):
        known_actions(["account.suspended", "account.deleted_by_magic"])


async def test_what_belongs_to_many_accounts_is_one_statement_each(
    desk: Desk, administration: Administration, statements: StatementCounter
) -> None:
    accounts = [await registered(desk, f"viewer{number}") for number in range(3)]
    for account in accounts:
        await desk.token(account)
    ids = [account.id for account in accounts]
    statements.clear()

    sessions = await administration.standing(ids)
    keys = await administration.store.keys(ids)
    activity = await administration.store.activity(ids)

    assert len(statements.seen) == 3
    assert {key: len(found) for key, found in sessions.items()} == dict.fromkeys(ids, 1)
    assert keys == {key: [] for key in ids}
    actions = {key: [entry.action for entry in found] for key, found in activity.items()}
    assert actions == {key: ["account.registered"] for key in ids}
