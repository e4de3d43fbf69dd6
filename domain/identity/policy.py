"""The one answer to "may this caller see or do this": ownership, roles and scopes."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from domain.identity.model import Caller, Role
from domain.platform.errors import Forbidden, Unauthenticated


class Scope(StrEnum):
    """Everything a token can be limited to; the only list of them."""

    READ_CONTENT = "read:content"
    READ_RECOMMENDATIONS = "read:recommendations"
    READ_WATCHLIST = "read:watchlist"
    WRITE_WATCHLIST = "write:watchlist"
    READ_PROGRESS = "read:progress"
    WRITE_PROGRESS = "write:progress"
    READ_PREFERENCES = "read:preferences"
    WRITE_PREFERENCES = "write:preferences"
    READ_DEVICES = "read:devices"
    WRITE_DEVICES = "write:devices"
    WRITE_RATINGS = "write:ratings"
    PLAYBACK_CONTROL = "playback:control"
    WRITE_CONTENT = "write:content"
    READ_SCHEMA = "read:schema"
    ADMIN_FULL = "admin:full"


IMPLIED = {
    Scope.WRITE_WATCHLIST: Scope.READ_WATCHLIST,
    Scope.WRITE_PROGRESS: Scope.READ_PROGRESS,
    Scope.WRITE_PREFERENCES: Scope.READ_PREFERENCES,
    Scope.WRITE_DEVICES: Scope.READ_DEVICES,
    Scope.WRITE_CONTENT: Scope.READ_CONTENT,
}
"""Who may write something may read it."""

_BY_ROLE = {
    Role.VIEWER: frozenset(Scope) - {Scope.WRITE_CONTENT, Scope.READ_SCHEMA, Scope.ADMIN_FULL},
    Role.EDITOR: frozenset({Scope.WRITE_CONTENT, Scope.READ_SCHEMA}),
    Role.ADMIN: frozenset({Scope.WRITE_CONTENT, Scope.READ_SCHEMA, Scope.ADMIN_FULL}),
}
_ANONYMOUSLY = frozenset({Scope.READ_CONTENT, Scope.READ_RECOMMENDATIONS})


def granted(roles: Iterable[Role]) -> frozenset[Scope]:
    """The most that somebody with these roles may be given; every account is a viewer's."""
    return _BY_ROLE[Role.VIEWER].union(*(_BY_ROLE[role] for role in roles))


def implied(scopes: Iterable[str]) -> frozenset[Scope]:
    """The scopes in `scopes` that exist, with those they bring along."""
    known = {Scope(scope) for scope in scopes if scope in _KNOWN}
    return frozenset(known.union(IMPLIED[scope] for scope in known if scope in IMPLIED))


_KNOWN = frozenset(scope.value for scope in Scope)


@dataclass(frozen=True, slots=True)
class Policy:
    """Asked by every context; it reads no store, so an answer costs nothing."""

    def holds(self, caller: Caller, scope: Scope) -> bool:
        """Whether the caller's token reaches this far."""
        return scope in (_ANONYMOUSLY if caller.anonymous else caller.scopes)

    def owns(self, caller: Caller, owner_id: str | None) -> bool:
        """Whether something of `owner_id` is the caller's own; what is nobody's is not."""
        return owner_id is not None and caller.account_id == owner_id

    def sees_account(self, caller: Caller, account_id: str) -> bool:
        """Its owner and administrators do; to others it does not exist."""
        return self.owns(caller, account_id) or self.administers(caller)

    def administers(self, caller: Caller) -> bool:
        return Role.ADMIN in caller.roles and self.holds(caller, Scope.ADMIN_FULL)

    def require(self, caller: Caller, scope: Scope) -> None:
        """Raises `Unauthenticated` where signing in would help, else `Forbidden` naming the scope."""
        if self.holds(caller, scope):
            return
        if caller.anonymous:
            raise Unauthenticated("Sign in first: this needs an access token.")
        raise Forbidden(f"The access token does not grant {scope.value}.", scope=scope.value)
