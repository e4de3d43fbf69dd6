"""For how long what the graph shows stays true, as @cacheControl tells the engine, and caches on the way.

The directive is Apollo's (https://www.apollographql.com/docs/apollo-server/performance/caching). What has no
hint is not kept at all. These are bounds on age: a change of the catalogue is seen within a second.
"""

from enum import Enum
from typing import Final

import strawberry
from strawberry import UNSET, directive_field
from strawberry.schema_directive import Location, schema_directive


@strawberry.enum(description="Who may be given what was kept.")
class CacheControlScope(Enum):
    PUBLIC = strawberry.enum_value("PUBLIC", description="Everybody.")
    PRIVATE = strawberry.enum_value("PRIVATE", description="Nobody but the caller.")


@schema_directive(
    locations=[Location.FIELD_DEFINITION, Location.OBJECT, Location.INTERFACE, Location.UNION],
    name="cacheControl",
)
class CacheControl:
    """For how many seconds a value may be kept, and for whom."""

    max_age: int | None = directive_field(name="maxAge", default=UNSET)
    scope: CacheControlScope | None = UNSET
    inherit_max_age: bool | None = directive_field(name="inheritMaxAge", default=UNSET)


CATALOGUE: Final = CacheControl(max_age=300)
"""Works, people, genres, platforms."""
OFFERS: Final = CacheControl(max_age=60)
"""Where something can be watched."""
FINDINGS: Final = CacheControl(max_age=60)
"""What is found, and what is popular just now."""
PART: Final = CacheControl(inherit_max_age=True)
"""What stays true for as long as what it is part of."""
PRIVATE: Final = CacheControl(max_age=0, scope=CacheControlScope.PRIVATE)
"""What is the caller's own."""


def cache_directives(cache: CacheControl | None) -> list[object]:
    return [] if cache is None else [cache]
