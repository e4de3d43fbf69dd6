"""What the graph shows of viewing profiles."""

from datetime import datetime

from domain.identity.policy import Scope, needs
from resolvers import viewing
from schema.caching import PRIVATE
from schema.errors import UserError
from schema.identity import Viewer, ViewingProfile
from schema.views import edge, extends, plain, view

READ = needs(Scope.READ_PREFERENCES)
WRITE = needs(Scope.WRITE_PREFERENCES)


@view(viewing.ParentalControls, cache=PRIVATE, access=READ)
class ParentalControls:
    """What keeps limited profiles as they are."""

    has_pin: bool
    """Whether the account has a PIN."""
    unlocked_until: datetime | None
    """Until when the PIN has lifted what limits this session; null where it has not."""


@extends(Viewer)
class ViewerViewing:
    """Who watches in the viewer's account."""

    viewing_profiles: list[ViewingProfile] = edge(
        viewing.viewing_profiles, cost=60, list_size=10, access=READ
    )
    """All profiles, oldest first."""
    viewing_profile: ViewingProfile | None = edge(viewing.viewing_profile, cost=60, access=READ)
    """Whose profile this session has; null where nobody's, and nothing is limited."""
    parental_controls: ParentalControls = edge(viewing.parental_controls, cost=60, access=READ)
    """What keeps limited profiles as they are."""


@view(viewing.ViewingProfilePayload, access=WRITE)
class ViewingProfilePayload:
    """What came of a change to a profile."""

    profile: ViewingProfile | None
    """The profile; null where it was refused, and where there is none."""
    user_errors: list[UserError] = plain(list_size=1)
    """Why it was refused."""


@view(viewing.ViewingProfilePayload, access=WRITE)
class CreateViewingProfilePayload(ViewingProfilePayload):
    """What came of a new profile."""


@view(viewing.ViewingProfilePayload, access=WRITE)
class UpdateViewingProfilePayload(ViewingProfilePayload):
    """What came of changing a profile."""


@view(viewing.ViewingProfilePayload, access=WRITE)
class DeleteViewingProfilePayload(ViewingProfilePayload):
    """What came of deleting a profile."""


@view(viewing.ViewingProfilePayload, access=WRITE)
class SelectViewingProfilePayload(ViewingProfilePayload):
    """What came of choosing who watches."""


@view(viewing.ParentalPinPayload, access=WRITE)
class ParentalPinPayload:
    """What came of a PIN."""

    parental_controls: ParentalControls | None
    """How it is now; null where it was refused."""
    user_errors: list[UserError] = plain(list_size=1)
    """Why it was refused."""


@view(viewing.ParentalPinPayload, access=WRITE)
class SetParentalPinPayload(ParentalPinPayload):
    """What came of a new PIN."""


@view(viewing.ParentalPinPayload, access=WRITE)
class VerifyParentalPinPayload(ParentalPinPayload):
    """What came of entering the PIN."""


@view()
class ViewingMutation:
    """Who watches, and what they may see."""

    create_viewing_profile: CreateViewingProfilePayload = edge(
        viewing.create_viewing_profile, cost=400, access=WRITE
    )
    """Adds somebody who watches; needs the PIN where there is one."""
    update_viewing_profile: UpdateViewingProfilePayload = edge(
        viewing.update_viewing_profile, cost=400, access=WRITE
    )
    """Changes a profile; needs the PIN where there is one."""
    delete_viewing_profile: DeleteViewingProfilePayload = edge(
        viewing.delete_viewing_profile, cost=400, access=WRITE
    )
    """Deletes a profile, and signs out sessions that had it; needs the PIN where there is one."""
    select_viewing_profile: SelectViewingProfilePayload = edge(
        viewing.select_viewing_profile, cost=400, access=WRITE
    )
    """Says who watches in this session; leaving a limited profile needs the PIN."""
    set_parental_pin: SetParentalPinPayload = edge(viewing.set_parental_pin, cost=4000, access=WRITE)
    """Sets the PIN of the account; needs `stepUp`."""
    verify_parental_pin: VerifyParentalPinPayload = edge(viewing.verify_parental_pin, cost=4000, access=WRITE)
    """Lifts what limits this session for five minutes; five tries within a quarter of an hour."""
