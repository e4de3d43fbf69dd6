"""What the store of sessions does for them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from domain.identity.audit import Actor
from domain.identity.model import Account, LoginSession, SessionEnd
from domain.identity.revocations import Revocation


class Presented(NamedTuple):
    """A refresh token that a client has shown, as the store knows it."""

    session: LoginSession
    used_at: datetime | None
    salt: bytes | None


class Rotation(NamedTuple):
    """One refresh token that takes the place of another, and until when the session then lasts."""

    old: bytes
    new: bytes
    salt: bytes
    client_id: str
    at: datetime
    idle: timedelta
    by: Actor
    key_thumbprint: str | None

    def fits(self, session: LoginSession) -> bool:
        """Whether the session is this client's, and bound to no other key."""
        return session.client_id == self.client_id and session.key_thumbprint == self.key_thumbprint


class SessionStore(Protocol):
    """Refresh tokens come as fingerprints."""

    async def add(self, session: LoginSession, token: bytes) -> None: ...

    async def rotate(self, rotation: Rotation) -> LoginSession | None:
        """The session after it; nothing, and nothing changed, where the old token is not the standing one of
        a session that stands. Of several at once exactly one succeeds.
        """
        ...

    async def presented(self, token: bytes) -> Presented | None: ...

    async def sessions(self, ids: Sequence[str]) -> Mapping[str, LoginSession]: ...

    async def standing(self, account_id: str, now: datetime) -> list[LoginSession]:
        """Those that have neither ended nor lapsed, used last first."""
        ...

    async def standing_with(self, client_id: str, now: datetime) -> list[LoginSession]:
        """Those with this client that have neither ended nor lapsed."""
        ...

    async def acting(self, administrator_id: str, now: datetime) -> list[LoginSession]:
        """Those that stand in which an administrator acts as somebody else."""
        ...

    async def acting_in(self, ids: Sequence[str], now: datetime) -> list[LoginSession]:
        """Those that stand in which somebody acts who began that in one of these."""
        ...

    async def hold(self, account_id: str, sign_in_epoch: int) -> bool:
        """Whether it is still that epoch of the account; until the transaction ends, it stays that."""
        ...

    async def held(self, account_ids: Sequence[str]) -> Mapping[str, Account]:
        """The accounts as they stay until the transaction ends; always taken in the same order."""
        ...

    async def stands(self, session_id: str, account_id: str, now: datetime) -> bool:
        """Whether this is a session of the account that has neither ended nor lapsed; until the transaction
        ends, it is. The account is `held` before.
        """
        ...

    async def withdraw(self, account_id: str, now: datetime) -> None:
        """Voids what could still become a session of the account: sign-ins that are under way or wait for
        their second step, codes and devices that its owner granted and nobody has used. Whoever is using one
        is waited for.
        """
        ...

    async def withdraw_with(self, client_id: str, now: datetime) -> None:
        """The same of what a client was granted, or has asked for with a device."""
        ...

    async def tie(self, session_id: str, device_id: str) -> None:
        """Says which device a session is on."""
        ...

    async def device_of(self, session_id: str) -> str | None: ...

    async def end(
        self, sessions: Iterable[LoginSession], end: SessionEnd, at: datetime, until: datetime
    ) -> list[str]:
        """Ends those that have not ended yet, puts them on record as revoked, and answers their ids."""
        ...

    async def revoke(self, revoked: Revocation) -> None:
        """Puts a single token, key or account on record, anew where it is there already."""
        ...

    async def forget(self, before: datetime) -> int:
        """Deletes sessions that ended or lapsed before, and revocations that no token needs any more."""
        ...
