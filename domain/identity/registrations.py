"""Applications as administrators register, change and disable them; every act is on record."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from domain.identity.audit import Action, Actor, Audit, differences
from domain.identity.clients import (
    GRANTABLE,
    MAX_NAME,
    MAX_URIS,
    ClientStore,
    GrantType,
    OAuthClient,
    fingerprint,
    is_redirect_uri,
)
from domain.identity.model import Tier
from domain.identity.sessions import Sessions
from domain.platform.errors import Refused, UserError, UserErrorCode, refuse

SECRET_PREFIX: Final = "mg_cs_"  # noqa: S105 - tells people and scanners of secrets what follows
MAX_OVERLAP: Final = timedelta(days=7)
OWN_GRANTS: Final = frozenset({GrantType.CLIENT_CREDENTIALS, GrantType.TOKEN_EXCHANGE})
"""Those that nobody but the client itself stands behind."""


class Registration(NamedTuple):
    """What an administrator says of a client."""

    name: str
    redirect_uris: Sequence[str] = ()
    grants: Sequence[str] = (GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN)
    scopes: Sequence[str] = ()
    confidential: bool = False
    trusted: bool = False
    bound: bool = False
    tier: Tier = Tier.FREE


class Changes(NamedTuple):
    """What is to be different of a client; what is open stays."""

    name: str | None = None
    redirect_uris: Sequence[str] | None = None
    grants: Sequence[str] | None = None
    scopes: Sequence[str] | None = None
    trusted: bool | None = None
    bound: bool | None = None
    tier: Tier | None = None


class Registered(NamedTuple):
    """A client and the secret that is shown this once; nothing for a public one."""

    client: OAuthClient
    secret: str | None


class Changed(NamedTuple):
    """A client as it is now, and how many of its sessions ended by that."""

    client: OAuthClient
    ended: int


@dataclass(frozen=True)
class Registrations:
    """What administrators do to applications; raises `Forbidden` for who is none any more."""

    store: ClientStore
    sessions: Sessions
    audit: Audit
    now: Callable[[], datetime]
    new_id: Callable[[], str]

    async def register(self, wanted: Registration, by: Actor) -> Registered:
        """A new client; raises `Refused` with everything that is wrong."""
        grants = _checked(wanted)
        secret = _new_secret() if wanted.confidential else None
        client = OAuthClient(
            id=self.new_id(),
            name=wanted.name.strip(),
            secret_hash=None if secret is None else fingerprint(secret),
            redirect_uris=tuple(dict.fromkeys(wanted.redirect_uris)),
            grants=grants,
            scopes=frozenset(wanted.scopes),
            trusted=wanted.trusted,
            bound=wanted.bound,
            created_at=self.now(),
            tier=wanted.tier,
        )
        async with self.audit.writing():
            await self.sessions.hold_administrator(by)
            await self.store.add(client)
            await self.audit.record(by, Action.CLIENT_REGISTERED, client.id, after={"name": client.name})
        return Registered(client, secret)

    async def update(self, client_id: str, changes: Changes, by: Actor) -> Changed:
        """The client with what changed; where that is less than it could do, its sessions end, as they may
        have more. Raises `Refused` with everything that is wrong, and for clients that describe themselves.
        """
        async with self.audit.writing():
            before = await self._locked(client_id, by)
            if client_id.startswith("https://"):
                raise refuse(
                    "This application describes itself, at the address that is its id.",
                    UserErrorCode.CONFLICT,
                    "clientId",
                )
            given = {name: value for name, value in changes._asdict().items() if value is not None}
            wanted = Registration(
                name=before.name,
                redirect_uris=before.redirect_uris,
                grants=sorted(before.grants),
                scopes=sorted(before.scopes),
                confidential=not before.public,
                trusted=before.trusted,
                bound=before.bound,
                tier=before.tier,
            )._replace(**given)
            after = replace(
                before,
                name=wanted.name.strip(),
                redirect_uris=tuple(dict.fromkeys(wanted.redirect_uris)),
                grants=_checked(wanted),
                scopes=frozenset(wanted.scopes),
                trusted=wanted.trusted,
                bound=wanted.bound,
                tier=wanted.tier,
            )
            if after == before:
                return Changed(before, 0)
            await self.store.put(after)
            await self.audit.record(by, Action.CLIENT_CHANGED, client_id, *differences(before, after))
            ended = await self._end_sessions(client_id, by) if _less(before, after) else 0
        return Changed(after, ended)

    async def rotate_secret(self, client_id: str, keep_old: timedelta, by: Actor) -> Registered:
        """Another secret; the one before holds for as long as `keep_old`. Raises `Refused`."""
        if not timedelta() <= keep_old <= MAX_OVERLAP:
            most = int(MAX_OVERLAP.total_seconds())
            raise refuse(f"This is from 0 to {most:,}.", UserErrorCode.INVALID, "keepOldSeconds")
        secret = _new_secret()
        async with self.audit.writing():
            before = await self._locked(client_id, by)
            if before.public:
                raise refuse("A public application has no secret.", UserErrorCode.CONFLICT, "clientId")
            until = self.now() + keep_old if keep_old else None
            client = replace(
                before,
                secret_hash=fingerprint(secret),
                old_secret_hash=None if until is None else before.secret_hash,
                old_secret_until=until,
            )
            await self.store.put(client)
            told = {"keep_old_seconds": int(keep_old.total_seconds())}
            await self.audit.record(by, Action.CLIENT_CREDENTIALS_ROTATED, client_id, after=told)
        return Registered(client, secret)

    async def disable(self, client_id: str, by: Actor) -> Changed:
        """The client can get and use tokens no more, everywhere within a second, those of its own within
        five; raises `Refused` where there is none.
        """
        async with self.audit.writing():
            client = replace(await self._locked(client_id, by), disabled_at=self.now())
            await self.store.put(client)
            await self.audit.record(by, Action.CLIENT_DISABLED, client_id)
            ended = await self._end_sessions(client_id, by)
        self.sessions.clients.forget(client_id)
        return Changed(client, ended)

    async def _end_sessions(self, client_id: str, by: Actor) -> int:
        return len(await self.sessions.end_of_client(client_id, by))

    async def _locked(self, client_id: str, by: Actor) -> OAuthClient:
        await self.sessions.hold_administrator(by)
        client = await self.store.locked(client_id)
        if client is None or client.disabled_at is not None:
            raise refuse("There is no such application in use.", UserErrorCode.NOT_FOUND, "clientId")
        return client


def _new_secret() -> str:
    return SECRET_PREFIX + secrets.token_urlsafe(32)


def _less(before: OAuthClient, after: OAuthClient) -> bool:
    """Whether something that could be granted before cannot be now."""
    narrower = not after.scopes >= before.scopes or not after.grants >= before.grants
    return narrower or (after.bound and not before.bound) or (before.trusted and not after.trusted)


def _checked(wanted: Registration) -> frozenset[GrantType]:
    """Its grants; raises `Refused` with everything that is wrong."""
    grants = frozenset(GrantType(grant) for grant in wanted.grants if grant in set(GrantType))
    if problems := _problems(wanted, grants):
        raise Refused(*problems)
    return grants


def _problems(wanted: Registration, grants: frozenset[GrantType]) -> list[UserError]:
    found = []

    def wrong(message: str, path: str) -> None:
        found.append(UserError(message, UserErrorCode.INVALID, (path,)))

    if not 1 <= len(wanted.name.strip()) <= MAX_NAME or not wanted.name.isprintable():
        wrong(f"A name has 1 to {MAX_NAME} printable characters.", "name")
    found += [_unknown("grant", grant, "grants") for grant in wanted.grants if grant not in set(GrantType)]
    found += [_unknown("scope", scope, "scopes") for scope in wanted.scopes if scope not in GRANTABLE]
    found += [
        UserError(f"{uri} is no redirect URI.", UserErrorCode.INVALID, ("redirectUris",))
        for uri in wanted.redirect_uris
        if not is_redirect_uri(uri)
    ]
    if len(wanted.redirect_uris) > MAX_URIS:
        wrong(f"A client has at most {MAX_URIS} redirect URIs.", "redirectUris")
    if GrantType.AUTHORIZATION_CODE in grants and not wanted.redirect_uris:
        wrong("Authorisation by code needs a redirect URI.", "redirectUris")
    if not wanted.confidential and grants & OWN_GRANTS:
        wrong("A service must be confidential: it proves itself by its secret.", "grants")
    return found


def _unknown(kind: str, name: str, path: str) -> UserError:
    return UserError(f"There is no {kind} {name} that a client may have.", UserErrorCode.INVALID, (path,))
