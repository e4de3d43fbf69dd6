"""What the graph shows of forgetting."""

from domain.identity.policy import Scope, needs
from resolvers import history
from schema.errors import UserError
from schema.identity import Viewer
from schema.views import edge, extends, plain, view


@extends(Viewer)
class ViewerHistoryLimit:
    """For how long the viewer's history is kept."""

    history_days: int | None = edge(history.history_days, cost=60, access=needs(Scope.READ_PROGRESS))
    """After how many days what was watched is forgotten; null where it is kept for good."""


@view(history.ForgetTitlePayload)
class ForgetTitlePayload:
    """What became of forgetting a title."""

    viewings: int | None
    """How many viewings were in the history until then; null where it was refused."""
    user_errors: list[UserError] = plain(list_size=2)
    """Why it was refused."""


@view(history.KeepHistoryPayload)
class KeepHistoryPayload:
    """For how long the history is kept from then on."""

    days: int | None
    """So many days; null for good, and where it was refused."""
    user_errors: list[UserError] = plain(list_size=2)
    """Why it was refused."""


@view()
class HistoryMutation:
    """Has history forgotten."""

    forget_title: ForgetTitlePayload = edge(
        history.forget_title, cost=1000, access=needs(Scope.WRITE_PROGRESS)
    )
    """Forgets everything that was watched of a title, on every device, also what a device tells of it later.
    What plays of it is stopped. The watchlist, reactions and notes stay.
    """
    keep_history: KeepHistoryPayload = edge(
        history.keep_history, cost=400, access=needs(Scope.WRITE_PROGRESS)
    )
    """Says for how long the history is kept; what is older goes within the hour, on every device."""
