"""What administrators do."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import ID

from domain.identity.api_keys import ApiKey
from domain.identity.limits import Asking, Limit, RateLimitSetting
from domain.identity.model import Account, Role, Tier
from domain.identity.spending import CostBudgetSetting
from domain.identity.tokens import UUID
from domain.platform.errors import UserError, UserErrorCode, refuse
from resolvers.api_keys import api_key_id
from resolvers.context import Info
from resolvers.descriptions import entry
from resolvers.ids import key_of
from resolvers.mutations import refusing


@entry
class SuspendAccountInput:
    """Takes an account out of use."""

    account_id: ID
    """The account; not one's own."""
    reason: str = ""
    """Why, for the audit log."""


@entry
class CloseAnyAccountInput:
    """Closes somebody's account."""

    account_id: ID
    """The account; not one's own."""


@entry
class RestoreAccountInput:
    """Puts an account back into use."""

    account_id: ID
    """The account."""


@entry
class SetAccountRolesInput:
    """Says what an account may do."""

    account_id: ID
    """The account; not one's own."""
    roles: list[Role]
    """All its roles; every account is a viewer's besides."""


@entry
class SetAccountTierInput:
    """Says what an account's subscription covers."""

    account_id: ID
    """The account."""
    tier: Tier
    """What it covers."""


@entry
class ConfirmAccountEmailInput:
    """Takes an account's e-mail address for confirmed."""

    account_id: ID
    """The account."""


@entry
class EndAccountSessionsInput:
    """Signs an account out everywhere."""

    account_id: ID
    """The account."""


@entry
class RevokeAnyApiKeyInput:
    """Ends somebody's API key for good."""

    key_id: ID
    """The key."""


@entry
class SetRateLimitInput:
    """Says how often something may be asked."""

    endpoint: str
    """What: a name such as `oauth.token`; `oauth.*` for all that begin so, `*` for all."""
    asking: Asking
    """Whose requests."""
    per_minute: int
    """How many in a minute."""
    per_hour: int
    """How many in an hour, at least as many as in a minute."""
    burst: int
    """How many at once, at least as many as in a minute."""


@entry
class ResetRateLimitInput:
    """Drops what an administrator set, so that the default counts again."""

    endpoint: str
    """What was limited."""
    asking: Asking
    """Whose requests."""


@entry
class SetCostBudgetInput:
    """Says what each caller of a kind may spend on operations."""

    asking: Asking
    """Whose budget."""
    capacity: float
    """The most it holds: what can be spent at once."""
    per_second: float
    """How much comes back in a second."""


@entry
class ResetCostBudgetInput:
    """Drops what an administrator set, so that the setting of the server counts again."""

    asking: Asking
    """Whose budget."""


@dataclass(frozen=True, slots=True)
class AdministeredPayload:
    """What became of an account."""

    account: Account | None = None
    user_errors: list[UserError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class CloseAnyAccountPayload:
    """What came of closing somebody's account."""

    erased_at: datetime | None = None
    user_errors: list[UserError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class EndAccountSessionsPayload:
    """What came of signing an account out."""

    ended_sessions: int = 0
    user_errors: list[UserError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RevokeAnyApiKeyPayload:
    """What came of revoking a key."""

    api_key: ApiKey | None = None
    user_errors: list[UserError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RateLimitPayload:
    """What became of a limit."""

    rate_limit: RateLimitSetting | None = None
    user_errors: list[UserError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class CostBudgetPayload:
    """What became of a budget."""

    cost_budget: CostBudgetSetting | None = None
    user_errors: list[UserError] = field(default_factory=list)


@refusing(AdministeredPayload)
async def suspend_account(
    info: Info, input: Annotated[SuspendAccountInput, strawberry.argument(description="Which account.")]
) -> AdministeredPayload:
    account_id = _account(input.account_id)
    administration = info.context.services.administration
    return AdministeredPayload(await administration.suspend(account_id, input.reason, info.context.actor))


@refusing(CloseAnyAccountPayload)
async def close_any_account(
    info: Info, input: Annotated[CloseAnyAccountInput, strawberry.argument(description="Which account.")]
) -> CloseAnyAccountPayload:
    await info.context.services.step_up.require(info.context.caller)
    account_id = _account(input.account_id)
    closing = info.context.services.closing
    return CloseAnyAccountPayload(await closing.close_any(account_id, info.context.actor))


@refusing(AdministeredPayload)
async def restore_account(
    info: Info, input: Annotated[RestoreAccountInput, strawberry.argument(description="Which account.")]
) -> AdministeredPayload:
    account_id = _account(input.account_id)
    return AdministeredPayload(
        await info.context.services.administration.restore(account_id, info.context.actor)
    )


@refusing(AdministeredPayload)
async def set_account_roles(
    info: Info,
    input: Annotated[SetAccountRolesInput, strawberry.argument(description="Which account, and its roles.")],
) -> AdministeredPayload:
    await info.context.services.step_up.require(info.context.caller)
    account_id = _account(input.account_id)
    administration = info.context.services.administration
    return AdministeredPayload(await administration.set_roles(account_id, input.roles, info.context.actor))


@refusing(AdministeredPayload)
async def set_account_tier(
    info: Info,
    input: Annotated[SetAccountTierInput, strawberry.argument(description="Which account, and its tier.")],
) -> AdministeredPayload:
    account_id = _account(input.account_id)
    return AdministeredPayload(
        await info.context.services.administration.set_tier(account_id, input.tier, info.context.actor)
    )


@refusing(AdministeredPayload)
async def confirm_account_email(
    info: Info, input: Annotated[ConfirmAccountEmailInput, strawberry.argument(description="Which account.")]
) -> AdministeredPayload:
    await info.context.services.step_up.require(info.context.caller)
    account_id = _account(input.account_id)
    return AdministeredPayload(
        await info.context.services.administration.verify_email(account_id, info.context.actor)
    )


@refusing(EndAccountSessionsPayload)
async def end_account_sessions(
    info: Info, input: Annotated[EndAccountSessionsInput, strawberry.argument(description="Which account.")]
) -> EndAccountSessionsPayload:
    account_id = _account(input.account_id)
    return EndAccountSessionsPayload(
        await info.context.services.administration.end_sessions(account_id, info.context.actor)
    )


@refusing(RevokeAnyApiKeyPayload)
async def revoke_any_api_key(
    info: Info, input: Annotated[RevokeAnyApiKeyInput, strawberry.argument(description="Which key.")]
) -> RevokeAnyApiKeyPayload:
    key_id = api_key_id(input.key_id)
    return RevokeAnyApiKeyPayload(await info.context.services.keys.revoke_any(key_id, info.context.actor))


@refusing(RateLimitPayload)
async def set_rate_limit(
    info: Info,
    input: Annotated[SetRateLimitInput, strawberry.argument(description="What counts from now on.")],
) -> RateLimitPayload:
    limit = Limit(input.per_minute, input.per_hour, input.burst)
    limits = info.context.services.limits
    return RateLimitPayload(await limits.put(input.endpoint, input.asking, limit, info.context.actor))


@refusing(RateLimitPayload)
async def reset_rate_limit(
    info: Info, input: Annotated[ResetRateLimitInput, strawberry.argument(description="Which limit.")]
) -> RateLimitPayload:
    limits = info.context.services.limits
    if not await limits.reset(input.endpoint, input.asking, info.context.actor):
        raise refuse("No administrator has set this limit.", UserErrorCode.NOT_FOUND, "endpoint")
    counts = limits.limit_of(input.endpoint, input.asking)
    return RateLimitPayload(RateLimitSetting(input.endpoint, input.asking, counts))


@refusing(CostBudgetPayload)
async def set_cost_budget(
    info: Info,
    input: Annotated[SetCostBudgetInput, strawberry.argument(description="What counts from now on.")],
) -> CostBudgetPayload:
    spending = info.context.services.spending
    return CostBudgetPayload(
        await spending.put(input.asking, input.capacity, input.per_second, info.context.actor)
    )


@refusing(CostBudgetPayload)
async def reset_cost_budget(
    info: Info, input: Annotated[ResetCostBudgetInput, strawberry.argument(description="Which budget.")]
) -> CostBudgetPayload:
    found = await info.context.services.spending.reset(input.asking, info.context.actor)
    if found is None:
        raise refuse("No administrator has set this budget.", UserErrorCode.NOT_FOUND, "asking")
    return CostBudgetPayload(found)


def _account(text: ID) -> str:
    """The key of an account; raises `Refused` where the id is none of one."""
    key = key_of(text, "Account", "accountId")
    if not UUID.fullmatch(key):
        raise refuse("There is no such account.", UserErrorCode.NOT_FOUND, "accountId")
    return key
