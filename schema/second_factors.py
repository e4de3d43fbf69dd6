"""What the graph shows of second factors."""

from datetime import datetime

from domain.identity import factors
from domain.identity.policy import PUBLIC, SIGNED_IN, Scope, needs
from resolvers import second_factors
from schema.caching import PRIVATE
from schema.errors import UserError
from schema.identity import Account, Challenge, Passkey, Viewer
from schema.views import choices, edge, extends, plain, view

choices(second_factors.ChallengePurpose)

READ = needs(Scope.READ_SECURITY)
WRITE = needs(Scope.WRITE_SECURITY)


@view(factors.Enrolled, cache=PRIVATE, access=READ)
class SecondFactors:
    """What the account asks for beside its password."""

    totp_confirmed_at: datetime | None
    """When the authenticator app was set up; null where there is none."""
    backup_codes_left: int
    """How many backup codes were not used yet."""
    required: bool
    """Whether signing in asks for a second factor."""
    passkeys: list[Passkey] = edge(second_factors.passkeys, list_size=5, access=READ)
    """Passkeys, oldest first."""


@extends(Viewer)
class ViewerSecondFactors:
    """The viewer's second factors."""

    second_factors: SecondFactors = edge(second_factors.second_factors, cost=60, access=READ)
    """What signing in asks for beside the password."""


@view(second_factors.SignedInPayload, access=PUBLIC)
class SignedInPayload:
    """What came of signing in by more than a password."""

    account: Account | None = plain(by_resolver=True)
    """Who is signed in; null where it was refused."""
    access_token: str | None
    """Signs its bearer in: send it as `Authorization: Bearer …`."""
    expires_at: datetime | None
    """When the access token lapses."""
    refresh_token: str | None
    """Gets the next access token, once: see `refreshSession`. Keep it where no other application reads it."""
    user_errors: list[UserError] = plain(list_size=1)
    """Why it was refused."""


@view(second_factors.SignedInPayload, access=PUBLIC)
class CompleteSignInPayload(SignedInPayload):
    """What came of the second step."""


@view(second_factors.SignedInPayload, access=PUBLIC)
class CompletePasskeySignInPayload(SignedInPayload):
    """What came of signing in with a passkey."""


@view(second_factors.ChallengePayload, access=PUBLIC)
class BeginChallengePayload:
    """A question to the client."""

    challenge: Challenge | None
    """The question; null where it was refused."""
    user_errors: list[UserError] = plain(list_size=1)
    """Why it was refused."""


@view(second_factors.EnrolTotpPayload, access=WRITE)
class EnrolTotpPayload:
    """What an authenticator app is set up with; shown once."""

    secret: str | None
    """The secret, to be typed, in base32."""
    uri: str | None
    """The same as `otpauth://`."""
    qr_code: str | None
    """The same as a QR code for the app's camera, in SVG: `<img src="data:image/svg+xml,…">` shows it."""
    user_errors: list[UserError] = plain(list_size=1)
    """Why it was refused."""


@view(second_factors.SecondFactorPayload, access=WRITE)
class SecondFactorPayload:
    """What came of a change to the second factors."""

    second_factors: SecondFactors | None
    """All there are now; null where it was refused."""
    backup_codes: list[str] = plain(list_size=10)
    """New backup codes, shown once; empty where none were made."""
    user_errors: list[UserError] = plain(list_size=1)
    """Why it was refused."""


@view(second_factors.SecondFactorPayload, access=WRITE)
class ConfirmTotpPayload(SecondFactorPayload):
    """What came of setting up an authenticator app."""


@view(second_factors.SecondFactorPayload, access=WRITE)
class RenewBackupCodesPayload(SecondFactorPayload):
    """What came of renewing the backup codes."""


@view(second_factors.SecondFactorPayload, access=WRITE)
class AddPasskeyPayload(SecondFactorPayload):
    """What came of adding a passkey."""


@view(second_factors.SecondFactorPayload, access=WRITE)
class RemoveSecondFactorPayload(SecondFactorPayload):
    """What came of removing a second factor."""


@view(second_factors.StepUpPayload, access=SIGNED_IN)
class StepUpPayload:
    """What came of confirming who one is."""

    holds_until: datetime | None
    """Until when this session may do what needs it; null where it was refused."""
    user_errors: list[UserError] = plain(list_size=1)
    """Why it was refused."""


@view()
class SecondFactorMutation:
    """Signing in by more than a password, and setting that up."""

    complete_sign_in: CompleteSignInPayload = edge(second_factors.complete_sign_in, cost=400, access=PUBLIC)
    """Answers the question of `signIn` with a second factor; five attempts a minute."""
    begin_challenge: BeginChallengePayload = edge(second_factors.begin_challenge, cost=100, access=PUBLIC)
    """Asks for a passkey: to sign in with, to add, or to confirm who one is."""
    complete_passkey_sign_in: CompletePasskeySignInPayload = edge(
        second_factors.complete_passkey_sign_in, cost=400, access=PUBLIC
    )
    """Signs in with a passkey alone."""
    enrol_totp: EnrolTotpPayload = edge(second_factors.enrol_totp, cost=400, access=WRITE)
    """Begins to set up an authenticator app; needs `stepUp`. It counts once `confirmTotp` has seen a code."""
    confirm_totp: ConfirmTotpPayload = edge(second_factors.confirm_totp, cost=400, access=WRITE)
    """Turns the authenticator app on; needs `stepUp`."""
    renew_backup_codes: RenewBackupCodesPayload = edge(
        second_factors.renew_backup_codes, cost=400, access=WRITE
    )
    """New backup codes in place of all there were; needs `stepUp`."""
    add_passkey: AddPasskeyPayload = edge(second_factors.add_passkey, cost=400, access=WRITE)
    """Adds the passkey that was made; needs `stepUp`."""
    remove_second_factor: RemoveSecondFactorPayload = edge(
        second_factors.remove_second_factor, cost=400, access=WRITE
    )
    """Removes the authenticator app or a passkey; needs `stepUp`."""
    step_up: StepUpPayload = edge(second_factors.step_up, cost=4000, access=SIGNED_IN)
    """Confirms who the caller is, for ten minutes in this session.

    Sensitive mutations ask for it by an error with the code `STEP_UP_REQUIRED`, whose `extensions.accepted`
    says by what.
    """
