"""How administrators see and change accounts, clients, limits and the audit log."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import ID, Parent
from strawberry.scalars import JSON

from domain.identity.administration import (
    AccountFilter,
    AccountOrder,
    AccountStatus,
    AuditEntry,
    AuditFilter,
    known_actions,
)
from domain.identity.api_keys import ApiKey
from domain.identity.clients import OAuthClient
from domain.identity.limits import Limit, RateLimitSetting
from domain.identity.model import Account, LoginSession, Role
from domain.identity.spending import CostBudgetSetting
from domain.identity.tokens import UUID
from domain.platform.errors import BadInput
from domain.platform.paging import Cut, Page
from resolvers.arguments import After, Before, First, Last
from resolvers.context import Info
from resolvers.descriptions import entry
from resolvers.ids import decode, encode


@dataclass(frozen=True, slots=True)
class Admin:
    """The door to what administrators see."""


@entry
class AccountsFilter:
    """Which accounts; what is open does not matter."""

    search: str | None = None
    """A part of the e-mail address or the name, in any case."""
    status: AccountStatus | None = None
    """Whether they can be used."""
    role: Role | None = None
    """What they may do."""


@entry
class AuditLogFilter:
    """Which entries; what is open does not matter."""

    occurred_from: datetime | None = None
    """From this moment on."""
    occurred_until: datetime | None = None
    """Before this moment."""
    account_id: ID | None = None
    """The account that acted, or on whose behalf somebody did."""
    actions: list[str] | None = None
    """What was done, such as `account.suspended`."""
    resource_type: str | None = None
    """What it was done to: `account`, `session`, `api_key`, `rate_limit`, `client` and so on."""
    resource_id: ID | None = None
    """Which one, by its id in the graph or as the log has it."""


Accounts = Annotated[AccountsFilter | None, strawberry.argument(description="Which accounts.")]
Entries = Annotated[AuditLogFilter | None, strawberry.argument(description="Which entries.")]
Order = Annotated[AccountOrder, strawberry.argument(description="How they are sorted.")]
Search = Annotated[str | None, strawberry.argument(description="A part of the name, in any case.")]
ClientId = Annotated[ID, strawberry.argument(description="Its client id.")]
AccountId = Annotated[ID, strawberry.argument(description="The account.")]


def admin() -> Admin:
    return Admin()


async def accounts(
    info: Info,
    filter: Accounts = None,
    order_by: Order = AccountOrder.NEWEST,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Page[Account]:
    given = filter or AccountsFilter()
    wanted = AccountFilter(given.search, given.status, given.role)
    cut = Cut.of(first, after, last, before)
    return await info.context.services.administration.store.accounts(wanted, order_by, cut)


async def account(info: Info, id: AccountId) -> Account | None:
    found = decode(id)
    if found is None or found.type != "Account" or not UUID.fullmatch(found.key):
        return None
    return await info.context.identity.account.load(found.key)


async def audit_log(
    info: Info,
    filter: Entries = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Page[AuditEntry]:
    cut = Cut.of(first, after, last, before)
    return await info.context.services.administration.store.entries(_wanted(filter), cut)


def rate_limits(info: Info) -> list[RateLimitSetting]:
    return info.context.services.limits.table()


def cost_budgets(info: Info) -> list[CostBudgetSetting]:
    return info.context.services.spending.table()


async def clients(
    info: Info,
    search: Search = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Page[OAuthClient]:
    cut = Cut.of(first, after, last, before)
    return await info.context.services.administration.store.clients(search, cut)


async def client(info: Info, id: ClientId) -> OAuthClient | None:
    return (await info.context.services.registrations.store.clients([id])).get(id)


# An account, as administrators see it.


def itself(account: Parent[Account]) -> Account:
    return account


def roles(account: Parent[Account]) -> list[Role]:
    return list(account.roles)


async def sessions(account: Parent[Account], info: Info) -> list[LoginSession]:
    return await info.context.administration.sessions.load(account.id)


async def api_keys(account: Parent[Account], info: Info) -> list[ApiKey]:
    return await info.context.administration.keys.load(account.id)


async def activity(account: Parent[Account], info: Info) -> list[AuditEntry]:
    return await info.context.administration.activity.load(account.id)


# An entry of the audit log.


def entry_id(entry: Parent[AuditEntry]) -> ID:
    return ID(str(entry.id))


def actor_id(entry: Parent[AuditEntry]) -> ID | None:
    return None if entry.account_id is None else encode("Account", entry.account_id)


async def actor(entry: Parent[AuditEntry], info: Info) -> Account | None:
    return None if entry.account_id is None else await info.context.identity.account.load(entry.account_id)


def on_behalf_of_id(entry: Parent[AuditEntry]) -> ID | None:
    return None if entry.on_behalf_of is None else encode("Account", entry.on_behalf_of)


def before(entry: Parent[AuditEntry]) -> JSON | None:
    return None if entry.before is None else JSON(entry.before)


def after(entry: Parent[AuditEntry]) -> JSON | None:
    return None if entry.after is None else JSON(entry.after)


def resource_id(entry: Parent[AuditEntry]) -> ID | None:
    return None if entry.resource_id is None else ID(entry.resource_id)


def request_id(entry: Parent[AuditEntry]) -> ID | None:
    return None if entry.request_id is None else ID(entry.request_id)


# A limit.


def limit_of(setting: Parent[RateLimitSetting]) -> Limit:
    return setting.limit


def capacity(setting: Parent[CostBudgetSetting]) -> float | None:
    return None if setting.bucket is None else setting.bucket.capacity


def per_second(setting: Parent[CostBudgetSetting]) -> float | None:
    return None if setting.bucket is None else setting.bucket.per_second


# A client.


def client_key(client: Parent[OAuthClient]) -> ID:
    return ID(client.id)


def redirect_uris(client: Parent[OAuthClient]) -> list[str]:
    return list(client.redirect_uris)


def grants(client: Parent[OAuthClient]) -> list[str]:
    return sorted(grant.value for grant in client.grants)


def client_scopes(client: Parent[OAuthClient]) -> list[str]:
    return sorted(client.scopes)


def _wanted(given: AuditLogFilter | None) -> AuditFilter:
    if given is None:
        return AuditFilter()
    return AuditFilter(
        since=_moment(given.occurred_from, "occurredFrom"),
        until=_moment(given.occurred_until, "occurredUntil"),
        account_id=None if given.account_id is None else _account_key(given.account_id),
        actions=known_actions(given.actions),
        resource_type=given.resource_type,
        resource_id=None if given.resource_id is None else _resource_key(given.resource_id),
    )


def _moment(given: datetime | None, name: str) -> datetime | None:
    if given is not None and given.tzinfo is None:
        raise BadInput(f"`{name}` names no time zone: write 2026-01-31T12:00:00Z or the like.", argument=name)
    return given


def _account_key(text: str) -> str:
    found = decode(text)
    if found is None or found.type != "Account" or not UUID.fullmatch(found.key):
        raise BadInput("`accountId` is not the id of an account.", argument="accountId")
    return found.key


def _resource_key(text: str) -> str:
    """The key in an id of the graph, or the text as it is."""
    found = decode(text)
    return text if found is None else found.key
