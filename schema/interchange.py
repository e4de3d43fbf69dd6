"""What the graph shows of imports of other services' files."""

from datetime import datetime

from strawberry import ID

from domain.identity.policy import Scope, needs
from domain.interchange import model, service
from resolvers import interchange
from schema.caching import PRIVATE
from schema.errors import UserError
from schema.identity import Viewer
from schema.paging import Connection, page
from schema.views import choices, edge, extends, plain, view

choices(model.Source, service.ImportState)

READS_ALL = needs(Scope.READ_PROGRESS, Scope.READ_WATCHLIST, Scope.READ_RATINGS)
WRITES_ALL = needs(Scope.WRITE_PROGRESS, Scope.WRITE_WATCHLIST, Scope.WRITE_RATINGS)


@view(service.Import, cache=PRIVATE, access=READS_ALL)
class HistoryImport:
    """A file of another service that was brought to the account, by `POST /account/imports`."""

    import_id: ID
    """By which it is taken back."""
    source: model.Source
    """Where the file came from."""
    name: str
    """What the file was called."""
    state: service.ImportState
    """How far it came."""
    begun_at: datetime
    """When it was sent."""
    brought: int
    """How many viewings, ratings, additions to the watchlist and notes it brought."""
    left: int
    """Of those, how many were changed since and stayed when the import was undone."""


@extends(Viewer)
class ViewerImports:
    """What the viewer brought from other services."""

    imports: Connection[HistoryImport] = page(interchange.imports, cost=60, access=READS_ALL)
    """Files of other services that were brought along, latest first."""


@view(interchange.UndoImportPayload)
class UndoImportPayload:
    """What became of taking an import back."""

    undone: HistoryImport | None
    """The import; null where it was refused."""
    user_errors: list[UserError] = plain(list_size=2)
    """Why it was refused."""


@view()
class InterchangeMutation:
    """Changes of what was brought along."""

    undo_import: UndoImportPayload = edge(interchange.undo_import, cost=2000, access=WRITES_ALL)
    """Takes back what an import brought, and leaves what was changed since; again, it changes nothing."""
