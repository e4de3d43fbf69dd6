"""Arguments that many fields share, with their descriptions."""

import re
from typing import Annotated

import strawberry

from domain.platform.errors import BadInput

First = Annotated[
    int | None, strawberry.argument(description="How many from the start, 1 to 100; 20 if open.")
]
After = Annotated[str | None, strawberry.argument(description="Continue behind this cursor.")]
Last = Annotated[int | None, strawberry.argument(description="How many from the end, 1 to 100.")]
Before = Annotated[str | None, strawberry.argument(description="Stop before this cursor.")]
Region = Annotated[
    str | None,
    strawberry.argument(description="ISO 3166-1 alpha-2; the viewer's region if open."),
]

_REGION = re.compile(r"[A-Za-z]{2}")


def region_or(region: str | None, default: str) -> str:
    """An upper-case region; raises `BadInput` where it is none."""
    if region is None:
        return default
    if not _REGION.fullmatch(region):
        raise BadInput(f"A region has two letters as in ISO 3166-1 (US, DE), and this is {region!r}.")
    return region.upper()
