"""What the graph shows of the other providers that somebody signs in by."""

from datetime import datetime

from domain.identity import federation
from domain.identity.policy import Scope, needs
from resolvers import linked_providers
from schema.caching import PRIVATE
from schema.errors import UserError
from schema.identity import Viewer
from schema.views import edge, extends, plain, view

READ = needs(Scope.READ_SECURITY)
WRITE = needs(Scope.WRITE_SECURITY)


@view(federation.Link, cache=PRIVATE, access=READ)
class LinkedProvider:
    """A provider that signs in to the account."""

    provider: str
    """Its short name, such as `google`."""
    linked_at: datetime
    """Since when."""


@extends(Viewer)
class ViewerLinkedProviders:
    """How else the viewer signs in."""

    linked_providers: list[LinkedProvider] = edge(
        linked_providers.linked_providers, cost=60, list_size=3, access=READ
    )
    """Other providers that sign in to the account, oldest first."""


@view(linked_providers.UnlinkProviderPayload, access=WRITE)
class UnlinkProviderPayload:
    """What came of ending signing in by a provider."""

    linked_providers: list[LinkedProvider] = plain(list_size=3)
    """Those that are left; empty where it was refused."""
    user_errors: list[UserError] = plain(list_size=1)
    """Why it was refused."""


@view()
class LinkedProvidersMutation:
    """Ending signing in by other providers."""

    unlink_provider: UnlinkProviderPayload = edge(linked_providers.unlink_provider, cost=400, access=WRITE)
    """The provider signs in to the account no more; a password comes by a letter. Needs `stepUp`."""
