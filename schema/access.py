"""What the fields of the graph need of who asks, by the directives of Apollo Federation v2.

`@authenticated` and `@requiresScopes` mean what they mean to a federation router. What shows each caller
their own, and the anonymous what is nobody's, has a `@policy`: `own:progress` holds for the anonymous, and
for a token that grants `read:progress`. The resolvers are guarded by the same statement, so that a router
that knows the directives only spares a request what it would be refused.
"""

from typing import Any, Final

from strawberry.federation.schema_directives import Authenticated, Policy, RequiresScopes

from domain.identity.policy import Access, Asker

ACCESS: Final = "access"
"""Metadata of a field."""
DIRECTIVES: Final = (Authenticated, RequiresScopes, Policy)


def access_directives(access: Access) -> list[object]:
    """For a field with this need; none for what is public, or left to its resolver."""
    scopes = [scope.value for scope in access.scopes]
    if access.asker is Asker.ACCOUNT:
        return [RequiresScopes(scopes=[scopes])] if scopes else [Authenticated()]
    if access.asker is Asker.OWNER and scopes:
        return [Policy(policies=[[policy_name(scope) for scope in scopes]])]
    return []


def policy_name(scope: str) -> str:
    """`own:progress` for `read:progress`."""
    return f"own:{scope.partition(':')[2]}"


def understood(directive: object, federation: tuple[int, int]) -> bool:
    """Whether this version of Apollo Federation knows it; to an older one, only the resolvers say no."""
    return not isinstance(directive, DIRECTIVES) or directive.minimum_version <= federation


def access_of(field: Any) -> Access | None:
    """What a field of a view says it needs."""
    found = field.metadata.get(ACCESS)
    return found if isinstance(found, Access) else None
