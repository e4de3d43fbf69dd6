"""What the graph shows of accounts."""

from datetime import datetime

from strawberry import ID
from strawberry.scalars import JSON

from domain.catalog.taxonomy import MaturityRating
from domain.identity import model, passkeys
from domain.identity.api_keys import ApiKey as ApiKeyValue
from domain.identity.factors import Asked, Factor
from domain.identity.hours import Hours
from domain.identity.policy import BY_RESOLVER, PUBLIC, SIGNED_IN, Scope, needs, own
from domain.identity.viewing import ViewingProfile as ViewingProfileValue
from resolvers import api_keys, closing, identity, login_sessions, second_factors, viewing
from schema.caching import PRIVATE
from schema.errors import UserError
from schema.node import Node
from schema.scalars import URL
from schema.views import choices, edge, plain, view

choices(model.Tier, login_sessions.SessionChoice)


@view(model.Account, cache=PRIVATE, access=BY_RESOLVER)
class Account(Node):
    """A viewer's account."""

    display_name: str
    """What to call the viewer."""
    email: str | None = edge(identity.email, access=BY_RESOLVER)
    """The e-mail address to sign in with; shown to its owner and to administrators."""
    region: str
    """Where they watch, ISO 3166-1 alpha-2."""
    language: str
    """What they read, BCP 47."""
    tier: model.Tier
    """What their subscription covers."""
    avatar_url: URL | None = edge(closing.avatar_url)
    """The viewer's picture, as `PUT /account/avatar` set it; null where there is none."""
    created_at: datetime
    """When it was opened."""


@view(model.LoginSession, cache=PRIVATE, access=needs(Scope.READ_SECURITY))
class LoginSession(Node):
    """A sign-in that has not ended: a browser, a TV, an application."""

    client_id: str
    """The application that was signed in to; `media-gateway` where that was this graph itself."""
    created_at: datetime
    """When the viewer signed in."""
    last_used_at: datetime
    """When it last got an access token."""
    expires_at: datetime
    """When it lapses unless it is used before."""
    address: str | None
    """The network address it was last used from."""
    user_agent: str | None
    """What its client called itself then."""
    current: bool = edge(login_sessions.current)
    """Whether it is the one that asks."""


@view(passkeys.Passkey, cache=PRIVATE, access=needs(Scope.READ_SECURITY))
class Passkey(Node):
    """A passkey of the caller."""

    name: str
    """What its owner calls it."""
    synced: bool
    """Whether a service keeps it on several devices."""
    created_at: datetime
    """When it was added."""
    last_used_at: datetime | None
    """When it last proved who somebody is."""


@view(ApiKeyValue, cache=PRIVATE, access=needs(Scope.READ_SECURITY))
class ApiKey(Node):
    """What scripts and servers sign in with, by `X-API-Key` or as a bearer token."""

    name: str
    """What its owner calls it."""
    prefix: str
    """Its first 20 characters, to recognise it by; the rest is shown once, when it is made."""
    scopes: list[str] = edge(api_keys.scopes)
    """What it grants."""
    per_minute: int
    """How many requests a minute it may make."""
    created_at: datetime
    """When it was made."""
    expires_at: datetime | None
    """When it lapses; null for never."""
    last_used_at: datetime | None
    """When it was used last, known some ten seconds later; null for never."""
    revoked_at: datetime | None
    """When it was revoked; null while it holds."""


@view(Hours, cache=PRIVATE, access=needs(Scope.READ_PREFERENCES))
class ViewingHours:
    """A part of the day, by the clocks of a time zone; past midnight where it ends earlier than it begins."""

    start: str = edge(viewing.start)
    """When it begins, as `07:00`."""
    end: str = edge(viewing.end)
    """When it ends, as `19:30`."""
    time_zone: str
    """Whose clocks count, as `Europe/Berlin`."""
    open_now: bool = edge(viewing.open_now)
    """Whether it is that part of the day."""


@view(ViewingProfileValue, cache=PRIVATE, access=needs(Scope.READ_PREFERENCES))
class ViewingProfile(Node):
    """Somebody who watches in an account, and what limits them."""

    name: str
    """What to call them."""
    is_default: bool
    """Whether sessions that have chosen nobody are theirs."""
    max_rating: MaturityRating | None = edge(viewing.max_rating)
    """Titles rated above are hidden; null where none are."""
    shows_unrated: bool = edge(viewing.shows_unrated)
    """Whether titles that nobody has rated are shown where `maxRating` is given."""
    blocked_genre_ids: list[ID] = edge(viewing.blocked_genre_ids, list_size=5)
    """Titles of these genres are hidden."""
    hours: ViewingHours | None = edge(viewing.hours)
    """When they may watch; null for always."""
    created_at: datetime
    """When it was added."""


@view(model.Viewer, cache=PRIVATE, access=SIGNED_IN)
class Viewer:
    """The signed-in caller and everything that is theirs."""

    account: Account = edge(identity.account, cost=60, access=SIGNED_IN)
    """Their account."""
    sessions: list[LoginSession] = edge(
        login_sessions.sessions, cost=100, list_size=20, access=needs(Scope.READ_SECURITY)
    )
    """Where they are signed in, used last first."""
    impersonated: bool = edge(identity.impersonated, access=SIGNED_IN)
    """Whether an administrator acts as this account just now; a client then shows that on every page."""
    api_keys: list[ApiKey] = edge(api_keys.api_keys, cost=60, list_size=50, access=needs(Scope.READ_SECURITY))
    """Their API keys, newest first, with those that were revoked."""


@view(identity.RegisterAccountPayload, access=PUBLIC)
class RegisterAccountPayload:
    """What came of opening an account."""

    account: Account | None = plain(by_resolver=True)
    """The new account; null where it was refused."""
    access_token: str | None
    """Signs its bearer in: send it as `Authorization: Bearer …`."""
    expires_at: datetime | None
    """When the access token lapses."""
    refresh_token: str | None
    """Gets the next access token, once: see `refreshSession`. Keep it where no other application reads it."""
    user_errors: list[UserError] = plain(list_size=2)
    """Why it was refused, every reason."""


choices(Factor)


@view(Asked, access=PUBLIC)
class Challenge:
    """A question that a client has to answer within five minutes."""

    token: str
    """Names it in the answer."""
    expires_at: datetime
    """Until when it stands."""
    factors: list[Factor] = edge(second_factors.factors, list_size=3)
    """What may be the answer."""
    passkey_options: JSON | None
    """What to hand to `navigator.credentials`, by `parseRequestOptionsFromJSON` or
    `parseCreationOptionsFromJSON`; null where no passkey may be the answer.
    """


@view(identity.SignInPayload, access=PUBLIC)
class SignInPayload:
    """What came of signing in."""

    account: Account | None = plain(by_resolver=True)
    """Who is signed in; null where it was refused."""
    access_token: str | None
    """Signs its bearer in: send it as `Authorization: Bearer …`."""
    expires_at: datetime | None
    """When the access token lapses."""
    refresh_token: str | None
    """Gets the next access token, once: see `refreshSession`. Keep it where no other application reads it."""
    challenge: Challenge | None
    """What is asked for beside the password, by `completeSignIn`; there are no tokens then."""
    user_errors: list[UserError] = plain(list_size=2)
    """Why it was refused."""


@view(login_sessions.RefreshSessionPayload, access=PUBLIC)
class RefreshSessionPayload:
    """What came of refreshing a session."""

    access_token: str | None
    """Signs its bearer in: send it as `Authorization: Bearer …`; null where it was refused."""
    expires_at: datetime | None
    """When the access token lapses."""
    refresh_token: str | None
    """Takes the place of the one that was sent."""
    user_errors: list[UserError] = plain(list_size=2)
    """Why it was refused."""


@view(login_sessions.SignOutPayload)
class SignOutPayload:
    """What came of signing out."""

    ended_sessions: int
    """How many sessions ended."""
    user_errors: list[UserError] = plain(list_size=2)
    """Why it was refused."""


@view(login_sessions.RevokeSessionPayload)
class RevokeSessionPayload:
    """What came of ending a session."""

    session: LoginSession | None
    """The session that ended; null where it was refused."""
    user_errors: list[UserError] = plain(list_size=2)
    """Why it was refused."""


@view(api_keys.CreateApiKeyPayload)
class CreateApiKeyPayload:
    """What came of making a key."""

    api_key: ApiKey | None
    """The new key; null where it was refused."""
    secret: str | None
    """The key itself. Nobody can be shown it again: keep it where secrets are kept."""
    user_errors: list[UserError] = plain(list_size=2)
    """Why it was refused, every reason."""


@view(api_keys.RevokeApiKeyPayload)
class RevokeApiKeyPayload:
    """What came of revoking a key."""

    api_key: ApiKey | None
    """The revoked key; null where it was refused."""
    user_errors: list[UserError] = plain(list_size=2)
    """Why it was refused."""


@view(identity.UpdateProfilePayload)
class UpdateProfilePayload:
    """What came of changing a profile."""

    account: Account | None
    """The changed account; null where it was refused."""
    user_errors: list[UserError] = plain(list_size=2)
    """Why it was refused, every reason."""


@view()
class IdentityQuery:
    """Who is asking."""

    viewer: Viewer | None = edge(identity.viewer, access=own())
    """The signed-in caller; null when anonymous."""


@view()
class IdentityMutation:
    """Opening and using accounts."""

    register_account: RegisterAccountPayload = edge(identity.register_account, cost=4000, access=PUBLIC)
    """Opens an account and signs in to it, unless the address has to be confirmed first."""
    sign_in: SignInPayload = edge(identity.sign_in, cost=4000, access=PUBLIC)
    """Exchanges address and password for an access token, or for a question where the account has a second
    factor; ten attempts a minute.
    """
    refresh_session: RefreshSessionPayload = edge(login_sessions.refresh_session, cost=400, access=PUBLIC)
    """Exchanges a refresh token for a new access token and the next refresh token.

    A refresh token works once. Sent again within ten seconds it gets the same answer, in case that was lost;
    sent later it ends the session, as somebody else may have it.
    """
    sign_out: SignOutPayload = edge(login_sessions.sign_out, cost=400, access=SIGNED_IN)
    """Ends the caller's session, all others, or all: their tokens and open streams end within a second."""
    revoke_session: RevokeSessionPayload = edge(
        login_sessions.revoke_session, cost=400, access=needs(Scope.WRITE_SECURITY)
    )
    """Ends one of the caller's sessions, which its tokens and open streams learn within a second."""
    create_api_key: CreateApiKeyPayload = edge(
        api_keys.create_api_key, cost=400, access=needs(Scope.WRITE_SECURITY)
    )
    """Makes an API key and shows it, this once; asks for `stepUp` where the sign-in is not recent."""
    revoke_api_key: RevokeApiKeyPayload = edge(
        api_keys.revoke_api_key, cost=400, access=needs(Scope.WRITE_SECURITY)
    )
    """Revokes one of the caller's API keys, which every server knows within a second."""
    update_profile: UpdateProfilePayload = edge(
        identity.update_profile, cost=400, access=needs(Scope.WRITE_PREFERENCES)
    )
    """Changes the caller's own account."""
