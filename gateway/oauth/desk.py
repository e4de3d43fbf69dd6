"""What the authorisation server asks of the accounts behind it."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from domain.identity.clients import Clients
from domain.identity.dpop import Proofs
from domain.identity.grants import Grants
from domain.identity.impersonation import Impersonation
from domain.identity.model import Account
from domain.identity.sessions import Sessions

AUTHORIZE: Final = "/oauth/authorize"
TOKEN: Final = "/oauth/token"  # noqa: S105 - a path
DEVICE_AUTHORIZATION: Final = "/oauth/device_authorization"
DEVICE: Final = "/oauth/device"
QR: Final = "/oauth/device/qr.svg"
REVOKE: Final = "/oauth/revoke"
INTROSPECT: Final = "/oauth/introspect"
PUSHED: Final = "/oauth/par"
USERINFO: Final = "/oauth/userinfo"
SIGN_IN: Final = "/oauth/sign-in"
PASSKEY: Final = "/oauth/passkey"
SECOND_STEP: Final = "/oauth/second-step"
WITH: Final = "/oauth/with"
SIGN_OUT: Final = "/oauth/sign-out"


@dataclass(frozen=True)
class OAuthDesk:
    """The use cases behind the protocol, and what the server says of itself."""

    issuer: str
    resources: Mapping[str, str]
    """Whom tokens can be for, by URL, and what each is called."""
    clients: Clients
    grants: Grants
    impersonation: Impersonation
    sessions: Sessions
    proofs: Proofs
    languages: Collection[str]
    now: Callable[[], datetime]

    def url(self, path: str) -> str:
        return self.issuer.rstrip("/") + path

    async def account(self, account_id: str) -> Account | None:
        """The account, if it is in use."""
        return await self.sessions.account(account_id)

    def serves(self, resources: Collection[str]) -> bool:
        """Whether tokens can be for all of these."""
        return all(resource in self.resources for resource in resources)
