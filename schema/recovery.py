"""What the graph shows of proving addresses and setting passwords."""

from domain.identity.policy import PUBLIC, Scope, needs
from resolvers import recovery
from schema.errors import UserError
from schema.identity import Account
from schema.views import edge, plain, view


@view(recovery.VerifyEmailPayload, access=PUBLIC)
class VerifyEmailPayload:
    """What came of proving an address."""

    account: Account | None = plain(by_resolver=True)
    """Whose address is proven; null where it was refused."""
    user_errors: list[UserError] = plain(list_size=1)
    """Why it was refused."""


@view(recovery.ResendVerificationPayload, access=PUBLIC)
class ResendVerificationPayload:
    """Whether a letter is on its way, if somebody has to prove this address; nobody is told whether."""

    accepted: bool
    """Whether the address can be one."""
    user_errors: list[UserError] = plain(list_size=1)
    """Why it was refused."""


@view(recovery.RequestPasswordResetPayload, access=PUBLIC)
class RequestPasswordResetPayload:
    """Whether a letter is on its way, if somebody has this address; nobody is told whether."""

    accepted: bool
    """Whether the address can be one."""
    user_errors: list[UserError] = plain(list_size=1)
    """Why it was refused."""


@view(recovery.ResetPasswordPayload, access=PUBLIC)
class ResetPasswordPayload:
    """What came of choosing another password by a letter."""

    sessions_invalidated: int | None
    """How many sessions ended; null where it was refused."""
    tokens_revoked: int | None
    """How many refresh tokens ended with them; null where it was refused."""
    user_errors: list[UserError] = plain(list_size=2)
    """Why it was refused, every reason."""


@view(recovery.ChangePasswordPayload, access=needs(Scope.WRITE_SECURITY))
class ChangePasswordPayload:
    """What came of choosing another password."""

    sessions_invalidated: int | None
    """How many sessions ended; null where it was refused."""
    tokens_revoked: int | None
    """How many refresh tokens ended with them; null where it was refused."""
    user_errors: list[UserError] = plain(list_size=2)
    """Why it was refused, every reason."""


@view(recovery.ChangeEmailPayload, access=needs(Scope.WRITE_SECURITY))
class ChangeEmailPayload:
    """Whether a letter is on its way to the new address, if nobody has it; nobody is told whether."""

    accepted: bool
    """Whether the address can be one."""
    user_errors: list[UserError] = plain(list_size=1)
    """Why it was refused."""


@view(recovery.ConfirmEmailChangePayload, access=PUBLIC)
class ConfirmEmailChangePayload:
    """What came of moving to another address."""

    sessions_invalidated: int | None
    """How many sessions ended; null where it was refused."""
    tokens_revoked: int | None
    """How many refresh tokens ended with them; null where it was refused."""
    user_errors: list[UserError] = plain(list_size=1)
    """Why it was refused."""


@view()
class RecoveryMutation:
    """Proving addresses, and setting passwords."""

    verify_email: VerifyEmailPayload = edge(recovery.verify_email, cost=400, access=PUBLIC)
    """Proves an address by the token in a letter, which works once, for 24 hours."""
    resend_verification: ResendVerificationPayload = edge(
        recovery.resend_verification, cost=400, access=PUBLIC
    )
    """Sends the letter that proves an address again, at most once a minute."""
    request_password_reset: RequestPasswordResetPayload = edge(
        recovery.request_password_reset, cost=400, access=PUBLIC
    )
    """Sends a letter with a link to choose another password, at most three an hour; the answer is the same
    whether the address has an account or not.
    """
    reset_password: ResetPasswordPayload = edge(recovery.reset_password, cost=4000, access=PUBLIC)
    """Chooses another password by the token in a letter, which works once, for one hour, and signs out
    everywhere.
    """
    change_password: ChangePasswordPayload = edge(
        recovery.change_password, cost=8000, access=needs(Scope.WRITE_SECURITY)
    )
    """Chooses another password, and signs out everywhere else; needs `stepUp` where the account has a second
    factor.
    """
    change_email: ChangeEmailPayload = edge(
        recovery.change_email, cost=400, access=needs(Scope.WRITE_SECURITY)
    )
    """Sends a letter with a link to the new address, and tells the old one; needs `stepUp`. The account moves
    once the link is used.
    """
    confirm_email_change: ConfirmEmailChangePayload = edge(
        recovery.confirm_email_change, cost=400, access=PUBLIC
    )
    """Moves the account by the token in the letter, which works once, for one hour; signs out everywhere."""
