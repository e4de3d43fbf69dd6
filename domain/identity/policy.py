"""The one answer to "may this caller see or do this": ownership, roles, scopes, and what a field needs."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from domain.identity.model import Caller, Role
from domain.platform.errors import Forbidden, Unauthenticated


class Scope(StrEnum):
    """Everything a token or key can be limited to; the only list of them."""

    READ_CONTENT = "read:content"
    """The catalogue; it is public, so it needs no token either."""
    READ_RECOMMENDATIONS = "read:recommendations"
    """What is recommended to the viewer, and why."""
    READ_WATCHLIST = "read:watchlist"
    """What the viewer means to watch."""
    WRITE_WATCHLIST = "write:watchlist"
    """Put titles on the watchlist and take them off."""
    READ_PROGRESS = "read:progress"
    """What the viewer watched and watches, and how far they came."""
    WRITE_PROGRESS = "write:progress"
    """Tell how far the viewer came."""
    READ_RATINGS = "read:ratings"
    """What the viewer thinks of titles."""
    WRITE_RATINGS = "write:ratings"
    """Say what the viewer thinks of titles."""
    READ_PREFERENCES = "read:preferences"
    """The viewer's address and settings."""
    WRITE_PREFERENCES = "write:preferences"
    """Change the viewer's profile and settings."""
    READ_DEVICES = "read:devices"
    """The viewer's devices, and the commands for them."""
    WRITE_DEVICES = "write:devices"
    """Register, rename and remove devices, and act as one."""
    READ_SECURITY = "read:security"
    """Where the viewer is signed in, and their API keys."""
    WRITE_SECURITY = "write:security"
    """End sessions; make and revoke API keys; change what signs in."""
    PLAYBACK_CONTROL = "playback:control"
    """Start and end playback, and command devices."""
    WRITE_CONTENT = "write:content"
    """Keep the catalogue."""
    READ_SCHEMA = "read:schema"
    """Ask the graph for its schema where that is not open to all."""
    ADMIN_READ = "admin:read"
    """See accounts, their sessions and keys, limits and the audit log."""
    ADMIN_FULL = "admin:full"
    """Change them."""


_IMPLIED = {
    Scope.WRITE_WATCHLIST: {Scope.READ_WATCHLIST},
    Scope.WRITE_PROGRESS: {Scope.READ_PROGRESS},
    Scope.WRITE_RATINGS: {Scope.READ_RATINGS},
    Scope.WRITE_PREFERENCES: {Scope.READ_PREFERENCES},
    Scope.WRITE_DEVICES: {Scope.READ_DEVICES},
    Scope.WRITE_SECURITY: {Scope.READ_SECURITY},
    Scope.PLAYBACK_CONTROL: {Scope.READ_DEVICES, Scope.READ_PROGRESS},
    Scope.WRITE_CONTENT: {Scope.READ_CONTENT},
    Scope.ADMIN_FULL: {Scope.ADMIN_READ},
}
"""Who may write something may read it; who controls playback sees what plays where."""

_SPECIAL = frozenset({Scope.WRITE_CONTENT, Scope.READ_SCHEMA, Scope.ADMIN_READ, Scope.ADMIN_FULL})
_BY_ROLE = {
    Role.VIEWER: frozenset(Scope) - _SPECIAL,
    Role.EDITOR: frozenset({Scope.WRITE_CONTENT, Scope.READ_SCHEMA}),
    Role.ADMIN: _SPECIAL,
}
_ANONYMOUSLY = frozenset({Scope.READ_CONTENT, Scope.READ_RECOMMENDATIONS})

NEEDS_CONSENT = frozenset({Scope.PLAYBACK_CONTROL, Scope.READ_SECURITY, Scope.WRITE_SECURITY, *_SPECIAL})
"""What an application never gets without its user being asked, even one that is trusted otherwise."""
NOT_ON_REQUEST = frozenset({Scope.WRITE_SECURITY, Scope.ADMIN_FULL})
"""What no application gets by asking for it."""


def granted(roles: Iterable[Role]) -> frozenset[Scope]:
    """The most that somebody with these roles may be given; every account is a viewer's."""
    return _granted(frozenset(roles))


@lru_cache
def _granted(roles: frozenset[Role]) -> frozenset[Scope]:
    return _BY_ROLE[Role.VIEWER].union(*(_BY_ROLE[role] for role in roles))


def implied(scopes: Iterable[str]) -> frozenset[Scope]:
    """The scopes in `scopes` that exist, with those they bring along."""
    return _implied(_KNOWN.intersection(scopes))


@lru_cache(1_024)
def _implied(known: frozenset[str]) -> frozenset[Scope]:
    scopes = frozenset(Scope(scope) for scope in known)
    return scopes.union(*(_IMPLIED.get(scope, ()) for scope in scopes))


_KNOWN: frozenset[str] = frozenset(scope.value for scope in Scope)


class Asker(StrEnum):
    """Who may ask for something at all."""

    ANYBODY = "anybody"
    """It is the same for all."""
    OWNER = "owner"
    """Anybody: it shows each their own, and the anonymous what is nobody's."""
    ACCOUNT = "account"
    """Whoever is signed in."""
    HOLDER = "holder"
    """Whoever the act itself, or the id, shows to be the owner: the resolver looks."""


@dataclass(frozen=True, slots=True)
class Access:
    """What something needs of who asks: to be somebody, and that their token reaches as far as `scopes`."""

    asker: Asker
    scopes: tuple[Scope, ...] = ()

    @property
    def checked(self) -> bool:
        """Whether there is anything to look at before it is answered."""
        return bool(self.scopes) or self.asker is Asker.ACCOUNT


PUBLIC = Access(Asker.ANYBODY)
SIGNED_IN = Access(Asker.ACCOUNT)
BY_RESOLVER = Access(Asker.HOLDER)


def needs(*scopes: Scope) -> Access:
    """A token with all of these scopes."""
    return Access(Asker.ACCOUNT, scopes)


def own(*scopes: Scope) -> Access:
    """Of a token all of these scopes; nothing of the anonymous, who have nothing of their own."""
    return Access(Asker.OWNER, scopes)


@dataclass(frozen=True, slots=True)
class Policy:
    """Asked by every context; it reads no store, so an answer costs nothing."""

    def holds(self, caller: Caller, scope: Scope) -> bool:
        """Whether the caller's token reaches this far."""
        return scope in (_ANONYMOUSLY if caller.anonymous else caller.scopes)

    def allows(self, caller: Caller, access: Access) -> bool:
        """Whether the caller has what `access` needs."""
        if caller.account_id is None:
            return access.asker is not Asker.ACCOUNT
        return caller.scopes.issuperset(access.scopes)

    def check(self, caller: Caller, access: Access) -> None:
        """Raises `Unauthenticated` where signing in would help, else `Forbidden` naming what is missing."""
        if self.allows(caller, access):
            return
        missing = " ".join(scope.value for scope in access.scopes if scope not in caller.scopes)
        said = {"scope": missing} if missing else {}
        if caller.anonymous:
            reach = f" that grants {missing}" if missing else ""
            raise Unauthenticated(f"Sign in first: this needs an access token{reach}.", **said)
        shown = "access token" if caller.key_id is None else "API key"
        raise Forbidden(f"The {shown} does not grant {missing}.", **said)

    def owns(self, caller: Caller, owner_id: str | None) -> bool:
        """Whether something of `owner_id` is the caller's own; what is nobody's is not."""
        return owner_id is not None and caller.account_id == owner_id

    def sees_account(self, caller: Caller, account_id: str) -> bool:
        """Its owner and administrators do; to others it does not exist."""
        return self.owns(caller, account_id) or self.administers(caller)

    def administers(self, caller: Caller) -> bool:
        return Role.ADMIN in caller.roles and self.holds(caller, Scope.ADMIN_READ)
