"""Scalars of the graph's own."""

from typing import NewType

import strawberry
from strawberry.types.scalar import ScalarDefinition

URL = NewType("URL", str)

SCALARS: dict[object, ScalarDefinition] = {
    URL: strawberry.scalar(
        name="URL",
        description="An absolute URL, or a link of an app's own scheme.",
        serialize=str,
        parse_value=str,
        specified_by_url="https://url.spec.whatwg.org/",
    ),
}
