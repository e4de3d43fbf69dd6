"""Scalars of the graph's own."""

from typing import NewType

import strawberry
from strawberry.types.scalar import ScalarDefinition

from domain.sync.clock import Timestamp

URL = NewType("URL", str)

SCALARS: dict[object, ScalarDefinition] = {
    URL: strawberry.scalar(
        name="URL",
        description="An absolute URL, or a link of an app's own scheme.",
        serialize=str,
        parse_value=str,
        specified_by_url="https://url.spec.whatwg.org/",
    ),
    Timestamp: strawberry.scalar(
        name="HLC",
        description="A hybrid logical clock: 12 hexadecimal digits of milliseconds since 1970, 4 of counter, "
        "`@` and the device. Later writes have greater ones.",
        serialize=str,
        parse_value=Timestamp.parse,
    ),
}
