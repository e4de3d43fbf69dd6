"""What a mutation says when a rule refused it."""

from domain.identity.policy import PUBLIC
from domain.platform import errors
from resolvers import mutations
from schema.views import choices, edge, view

choices(errors.UserErrorCode)


@view(errors.UserError, access=PUBLIC)
class UserError:
    """Why a mutation did not do what was asked, for the user to mend."""

    message: str
    """In words for the user."""
    code: errors.UserErrorCode
    """The kind of reason, for programs."""
    field: list[str] = edge(mutations.field_path)
    """The path to the input field, outermost first; empty where no single one is to blame."""
