"""What the graph shows to administrators."""

from datetime import datetime

from strawberry import ID
from strawberry.scalars import JSON

from domain.identity import administration as use_cases
from domain.identity import clients, limits, model, spending
from domain.identity.policy import BY_RESOLVER, Scope, needs
from resolvers import administering, administration, registering
from schema.caching import PRIVATE
from schema.errors import UserError
from schema.identity import Account, ApiKey, LoginSession
from schema.paging import Connection, page
from schema.views import choices, edge, plain, view

SEEING = needs(Scope.ADMIN_READ)
CHANGING = needs(Scope.ADMIN_FULL)

choices(model.Role, limits.Asking, use_cases.AccountStatus, use_cases.AccountOrder)


@view(use_cases.AuditEntry, cache=PRIVATE, access=SEEING)
class AuditEntry:
    """Something that somebody did. Entries are only added: the database refuses to change or drop one."""

    id: ID = edge(administration.entry_id)
    """Its place in the log; later entries have higher numbers, nearly always."""
    occurred_at: datetime
    """When it was done."""
    action: str
    """What was done, such as `account.suspended`."""
    actor_id: ID | None = edge(administration.actor_id)
    """The account that did it; null for the system, and for whoever was not signed in."""
    actor: Account | None = edge(administration.actor, cost=3, access=BY_RESOLVER)
    """The same account, if it is still there."""
    on_behalf_of_id: ID | None = edge(administration.on_behalf_of_id)
    """The account in whose name an administrator acted; null where everybody acted for themselves."""
    resource_type: str
    """What it was done to: an `account`, a `session`, an `api_key` and so on."""
    resource_id: ID | None = edge(administration.resource_id)
    """Which one, as the log has it; null where it was none."""
    before: JSON | None = edge(administration.before)
    """What changed, as it was; null where nothing was to be kept, or its account was erased."""
    after: JSON | None = edge(administration.after)
    """What changed, as it became, or what else is worth knowing."""
    address: str | None
    """The network address it came from."""
    user_agent: str | None
    """What the client called itself."""
    request_id: ID | None = edge(administration.request_id)
    """The request it came in, as `X-Request-Id` and our logs have it."""


@view(model.Account, cache=PRIVATE, access=SEEING)
class AdministeredAccount:
    """An account and what only administrators see of it."""

    account: Account = edge(administration.itself, access=BY_RESOLVER)
    """The account."""
    roles: list[model.Role] = edge(administration.roles, list_size=3)
    """What it may do."""
    suspended_at: datetime | None
    """When it was taken out of use; null while it can be used."""
    email_verified_at: datetime | None
    """When its address was confirmed; null while it is not."""
    sessions: list[LoginSession] = edge(administration.sessions, cost=5, list_size=20, access=BY_RESOLVER)
    """Where it is signed in, used last first."""
    api_keys: list[ApiKey] = edge(administration.api_keys, cost=5, list_size=50, access=BY_RESOLVER)
    """Its API keys, newest first, with those that were revoked."""
    activity: list[AuditEntry] = edge(administration.activity, cost=10, list_size=use_cases.ACTIVITY)
    """The last twenty things it did, latest first."""


@view(limits.Limit, access=SEEING)
class RequestLimit:
    """How often something may be asked."""

    per_minute: int
    """How many in a minute."""
    per_hour: int
    """How many in an hour."""
    burst: int
    """How many at once."""


@view(limits.RateLimitSetting, cache=PRIVATE, access=SEEING)
class RateLimitSetting:
    """An entry of the table of rate limits."""

    endpoint: str
    """What may be asked: a name such as `oauth.token`; `oauth.*` for all that begin so, `*` for all."""
    asking: limits.Asking
    """Whose requests."""
    limit: RequestLimit = edge(administration.limit_of)
    """How often."""
    changed_at: datetime | None
    """When an administrator set it; null for a default."""


@view(spending.CostBudgetSetting, cache=PRIVATE, access=SEEING)
class CostBudgetSetting:
    """What each caller of a kind may spend on operations: a budget that refills as time goes by."""

    asking: limits.Asking
    """Whose budget: each address that nobody signed in from, or each account or service of a tier."""
    capacity: float | None = edge(administration.capacity)
    """The most it holds; null where there is no budget to keep to."""
    per_second: float | None = edge(administration.per_second)
    """How much comes back in a second."""
    changed_at: datetime | None
    """When an administrator set it; null where it is a setting of the server."""


@view(clients.OAuthClient, cache=PRIVATE, access=SEEING)
class Client:
    """An application that acts for accounts, or as a service of its own."""

    id: ID = edge(administration.client_key)
    """Its client id, as OAuth has it."""
    name: str
    """What its users are shown."""
    public: bool
    """Whether it cannot keep a secret: an app, a page, a TV."""
    redirect_uris: list[str] = edge(administration.redirect_uris)
    """Where it may be called back."""
    grants: list[str] = edge(administration.grants)
    """How it gets tokens, by the names of OAuth."""
    scopes: list[str] = edge(administration.client_scopes)
    """The most it can be granted."""
    trusted: bool
    """Whether it is one of our own, so that nobody is asked for consent."""
    bound: bool
    """Whether its tokens must be bound to a key of its own (DPoP)."""
    tier: model.Tier
    """What it may spend where it acts for nobody but itself (client credentials)."""
    old_secret_until: datetime | None
    """Until when the secret before the current one holds; null where none does."""
    created_at: datetime
    """When it was registered."""
    disabled_at: datetime | None
    """When it was disabled; null while it can be used."""


@view(administration.Admin, cache=PRIVATE, access=SEEING)
class Admin:
    """What administrators see."""

    accounts: Connection[AdministeredAccount] = page(administration.accounts, cost=100)
    """The accounts of people, newest first unless told otherwise."""
    account: AdministeredAccount | None = edge(administration.account, cost=60)
    """One account; null where there is none with this id."""
    audit_log: Connection[AuditEntry] = page(administration.audit_log, cost=100)
    """What was done, latest first."""
    rate_limits: list[RateLimitSetting] = edge(administration.rate_limits, cost=10, list_size=40)
    """Every limit that counts, defaults included."""
    cost_budgets: list[CostBudgetSetting] = edge(administration.cost_budgets, cost=10, list_size=4)
    """What callers may spend on operations."""
    clients: Connection[Client] = page(administration.clients, cost=60)
    """The applications that are registered, and those that described themselves, oldest first."""
    client: Client | None = edge(administration.client, cost=60)
    """One application; null where there is none with this id."""


@view(administering.AdministeredPayload)
class AdministeredPayload:
    """What became of an account."""

    account: AdministeredAccount | None
    """The account; null where the change was refused."""
    user_errors: list[UserError] = plain(list_size=2)
    """Why it was refused."""


@view(administering.AdministeredPayload)
class SuspendAccountPayload(AdministeredPayload):
    """What came of a suspension."""


@view(administering.AdministeredPayload)
class RestoreAccountPayload(AdministeredPayload):
    """What came of putting an account back into use."""


@view(administering.AdministeredPayload)
class SetAccountRolesPayload(AdministeredPayload):
    """What came of giving roles."""


@view(administering.AdministeredPayload)
class SetAccountTierPayload(AdministeredPayload):
    """What came of another tier."""


@view(administering.AdministeredPayload)
class ConfirmAccountEmailPayload(AdministeredPayload):
    """What came of confirming an address."""


@view(administering.EndAccountSessionsPayload)
class EndAccountSessionsPayload:
    """What came of signing an account out."""

    ended_sessions: int
    """How many sessions ended."""
    user_errors: list[UserError] = plain(list_size=2)
    """Why it was refused."""


@view(administering.RevokeAnyApiKeyPayload)
class RevokeAnyApiKeyPayload:
    """What came of revoking a key."""

    api_key: ApiKey | None = plain(by_resolver=True)
    """The revoked key; null where it was refused."""
    user_errors: list[UserError] = plain(list_size=2)
    """Why it was refused."""


@view(administering.RateLimitPayload)
class RateLimitPayload:
    """What became of a limit."""

    rate_limit: RateLimitSetting | None
    """What counts now; null where the change was refused."""
    user_errors: list[UserError] = plain(list_size=2)
    """Why it was refused, every reason."""


@view(administering.RateLimitPayload)
class SetRateLimitPayload(RateLimitPayload):
    """What came of setting a limit."""


@view(administering.RateLimitPayload)
class ResetRateLimitPayload(RateLimitPayload):
    """What came of going back to a default."""


@view(administering.CostBudgetPayload)
class CostBudgetPayload:
    """What became of a budget."""

    cost_budget: CostBudgetSetting | None
    """What counts now; null where the change was refused."""
    user_errors: list[UserError] = plain(list_size=2)
    """Why it was refused, every reason."""


@view(administering.CostBudgetPayload)
class SetCostBudgetPayload(CostBudgetPayload):
    """What came of setting a budget."""


@view(administering.CostBudgetPayload)
class ResetCostBudgetPayload(CostBudgetPayload):
    """What came of going back to the setting of the server."""


@view(registering.RegisterClientPayload)
class RegisterClientPayload:
    """What came of registering an application."""

    client: Client | None
    """The application; null where it was refused."""
    secret: str | None
    """What a confidential one proves itself by. Nobody can be shown it again."""
    user_errors: list[UserError] = plain(list_size=2)
    """Why it was refused, every reason."""


@view(registering.RegisterClientPayload)
class RotateClientSecretPayload(RegisterClientPayload):
    """What came of another secret."""


@view(registering.ClientPayload)
class ClientPayload:
    """What became of an application."""

    client: Client | None
    """The application; null where the change was refused."""
    ended_sessions: int
    """How many of its sessions ended by this."""
    user_errors: list[UserError] = plain(list_size=2)
    """Why it was refused, every reason."""


@view(registering.ClientPayload)
class UpdateClientPayload(ClientPayload):
    """What came of changing an application."""


@view(registering.ClientPayload)
class DisableClientPayload(ClientPayload):
    """What came of disabling an application."""


@view(administering.CloseAnyAccountPayload)
class CloseAnyAccountPayload:
    """What came of closing somebody's account."""

    erased_at: datetime | None
    """When all of it is erased, unless it is taken back before; null where it was refused."""
    user_errors: list[UserError] = plain(list_size=1)
    """Why it was refused."""


@view()
class AdministrationQuery:
    """What administrators ask."""

    admin: Admin | None = edge(administration.admin, access=SEEING)
    """What administrators see; null, with an error, for everybody else."""


@view()
class AdministrationMutation:
    """What administrators do; all of it is in the audit log."""

    suspend_account: SuspendAccountPayload = edge(administering.suspend_account, cost=400, access=CHANGING)
    """Takes an account out of use: its sessions, streams and keys end everywhere within a second."""
    close_any_account: CloseAnyAccountPayload = edge(
        administering.close_any_account, cost=400, access=CHANGING
    )
    """Closes somebody's account as `closeAccount` does; suspend it as well if its owner is not to use it
    again. Asks for `stepUp` where the sign-in is not recent."""
    restore_account: RestoreAccountPayload = edge(administering.restore_account, cost=400, access=CHANGING)
    """Puts an account back into use."""
    set_account_roles: SetAccountRolesPayload = edge(
        administering.set_account_roles, cost=400, access=CHANGING
    )
    """Says what an account may do, from within five seconds on; asks for `stepUp` where the sign-in is not
    recent."""
    set_account_tier: SetAccountTierPayload = edge(administering.set_account_tier, cost=400, access=CHANGING)
    """Says what an account's subscription covers."""
    confirm_account_email: ConfirmAccountEmailPayload = edge(
        administering.confirm_account_email, cost=400, access=CHANGING
    )
    """Takes an account's e-mail address for confirmed, so that whoever another provider knows by it signs in
    to the account; asks for `stepUp` where the sign-in is not recent."""
    end_account_sessions: EndAccountSessionsPayload = edge(
        administering.end_account_sessions, cost=400, access=CHANGING
    )
    """Signs an account out everywhere, within a second."""
    revoke_any_api_key: RevokeAnyApiKeyPayload = edge(
        administering.revoke_any_api_key, cost=400, access=CHANGING
    )
    """Revokes somebody's API key, which every server knows within a second."""
    set_rate_limit: SetRateLimitPayload = edge(administering.set_rate_limit, cost=400, access=CHANGING)
    """Says how often something may be asked: at once here, within a second on every server."""
    reset_rate_limit: ResetRateLimitPayload = edge(administering.reset_rate_limit, cost=400, access=CHANGING)
    """Goes back to the default of a limit."""
    set_cost_budget: SetCostBudgetPayload = edge(administering.set_cost_budget, cost=400, access=CHANGING)
    """Says what callers of a kind may spend: at once here, within a second on every server."""
    reset_cost_budget: ResetCostBudgetPayload = edge(
        administering.reset_cost_budget, cost=400, access=CHANGING
    )
    """Goes back to the server's setting of a budget."""
    register_client: RegisterClientPayload = edge(registering.register_client, cost=400, access=CHANGING)
    """Registers an application; asks for `stepUp` where the sign-in is not recent."""
    update_client: UpdateClientPayload = edge(registering.update_client, cost=400, access=CHANGING)
    """Changes an application; asks for `stepUp` where the sign-in is not recent. Where it may do less than
    before, its sessions end."""
    rotate_client_secret: RotateClientSecretPayload = edge(
        registering.rotate_client_secret, cost=400, access=CHANGING
    )
    """Gives an application another secret; asks for `stepUp` where the sign-in is not recent."""
    disable_client: DisableClientPayload = edge(registering.disable_client, cost=400, access=CHANGING)
    """Ends what an application may do, and its sessions, everywhere within a second."""
