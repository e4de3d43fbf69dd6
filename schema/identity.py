"""What the graph shows of accounts."""

from datetime import datetime

from domain.identity import model
from domain.identity.policy import BY_RESOLVER, PUBLIC, SIGNED_IN, Scope, needs, own
from resolvers import identity
from schema.caching import PRIVATE
from schema.errors import UserError
from schema.node import Node
from schema.views import choices, edge, plain, view

choices(model.Tier)


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
    created_at: datetime
    """When it was opened."""


@view(model.Viewer, cache=PRIVATE, access=SIGNED_IN)
class Viewer:
    """The signed-in caller and everything that is theirs."""

    account: Account = edge(identity.account, cost=60, access=SIGNED_IN)
    """Their account."""


@view(identity.RegisterAccountPayload, access=PUBLIC)
class RegisterAccountPayload:
    """What came of opening an account."""

    account: Account | None = plain(by_resolver=True)
    """The new account; null where it was refused."""
    access_token: str | None
    """Signs its bearer in: send it as `Authorization: Bearer …`."""
    expires_at: datetime | None
    """When the token lapses."""
    user_errors: list[UserError] = plain(list_size=2)
    """Why it was refused, every reason."""


@view(identity.SignInPayload, access=PUBLIC)
class SignInPayload:
    """What came of signing in."""

    account: Account | None = plain(by_resolver=True)
    """Who is signed in; null where it was refused."""
    access_token: str | None
    """Signs its bearer in: send it as `Authorization: Bearer …`."""
    expires_at: datetime | None
    """When the token lapses."""
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
    """Opens an account and signs in to it."""
    sign_in: SignInPayload = edge(identity.sign_in, cost=4000, access=PUBLIC)
    """Exchanges address and password for an access token; ten attempts a minute."""
    update_profile: UpdateProfilePayload = edge(
        identity.update_profile, cost=400, access=needs(Scope.WRITE_PREFERENCES)
    )
    """Changes the caller's own account."""
