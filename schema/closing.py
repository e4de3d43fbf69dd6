"""What the graph shows of closing an account, and of copying what is in it."""

from datetime import datetime

from domain.identity.policy import PUBLIC, Scope, needs
from resolvers import closing
from schema.errors import UserError
from schema.identity import Account
from schema.scalars import URL
from schema.views import edge, plain, view

WRITE = needs(Scope.WRITE_SECURITY)


@view(closing.CloseAccountPayload, access=WRITE)
class CloseAccountPayload:
    """What came of closing an account."""

    erased_at: datetime | None
    """When all of it is erased, unless it is taken back before; null where it was refused."""
    user_errors: list[UserError] = plain(list_size=1)
    """Why it was refused."""


@view(closing.ReopenAccountPayload, access=PUBLIC)
class ReopenAccountPayload:
    """What came of taking an account back."""

    account: Account | None = plain(by_resolver=True)
    """The account; null where it was refused."""
    user_errors: list[UserError] = plain(list_size=1)
    """Why it was refused."""


@view(closing.ExportDataPayload, access=WRITE)
class ExportDataPayload:
    """Where a copy of all that is kept of the account is."""

    url: URL | None
    """A ZIP archive, once; null where it was refused."""
    expires_at: datetime | None
    """Until when."""
    user_errors: list[UserError] = plain(list_size=1)
    """Why it was refused."""


@view()
class ClosingMutation:
    """Closing an account, and copying what is in it."""

    close_account: CloseAccountPayload = edge(closing.close_account, cost=400, access=WRITE)
    """Takes the account out of use at once; a letter lets its owner take it back for 30 days, and then all of
    it is erased. Needs `stepUp`.
    """
    reopen_account: ReopenAccountPayload = edge(closing.reopen_account, cost=400, access=PUBLIC)
    """Takes an account back by the token in a letter."""
    export_data: ExportDataPayload = edge(closing.export_data, cost=4000, access=WRITE)
    """A copy of all that is kept of the account, at an address that works once, for ten minutes; needs
    `stepUp`.
    """
