"""For how long an answer stays true, and for whom: from the `@cacheControl` hints of the fields it shows.

As Apollo defines it (https://www.apollographql.com/docs/apollo-server/performance/caching): a field's own
hint counts before its type's; fields of the root and those that lead to objects stay true for no time
unless a hint says so; leaves, and whatever inherits, for as long as what holds them. An answer is as
good as the worst of its fields, and one that is somebody's own makes it theirs.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Any, Final

from graphql import GraphQLField, get_named_type, is_leaf_type
from strawberry.schema.schema_converter import GraphQLCoreConverter

DIRECTIVE: Final = "CacheControl"
"""The class of the hint: it has `max_age` in seconds, `scope` and `inherit_max_age`, or leaves them unset."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Whether an answer may be kept."""

    max_age: int
    """Seconds; 0 for never."""
    private: bool
    for_all: bool = False
    """Whether it is known that everybody is given the same, wherever and whoever they are."""

    def and_(self, other: "Policy") -> "Policy":
        return Policy(min(self.max_age, other.max_age), self.private or other.private)

    @property
    def shared(self) -> bool:
        """Whether it may be given to others."""
        return self.max_age > 0 and not self.private


ALWAYS: Final = Policy(365 * 86_400, private=False)
"""What holds nothing that changes."""
NEVER: Final = Policy(0, private=False)
"""What nobody said anything of."""


def overall(every: Iterable[Policy]) -> Policy:
    """Of all together; what has no field that says anything is not kept."""
    policies = list(every)
    return reduce(Policy.and_, policies, ALWAYS) if policies else NEVER


def policy_of(definition: GraphQLField, *, is_root: bool) -> Policy:
    """What the hints on a field and its type say of it alone."""
    type_ = get_named_type(definition.type)
    hints = [*_hints(definition), *_hints(type_)]
    private = any(getattr(hint.scope, "value", None) == "PRIVATE" for hint in hints)
    for hint in hints:
        if isinstance(hint.max_age, int):
            return Policy(hint.max_age, private)
        if hint.inherit_max_age is True and not is_root:
            return Policy(ALWAYS.max_age, private)
    bound = ALWAYS.max_age if is_leaf_type(type_) and not is_root else 0
    return Policy(bound, private)


def _hints(element: Any) -> list[Any]:
    """The hints on a field or type, as the schema's language shows them."""
    known = element.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    return [found for found in getattr(known, "directives", None) or () if type(found).__name__ == DIRECTIVE]
