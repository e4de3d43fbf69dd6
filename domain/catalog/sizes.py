"""What values of the catalogue take in memory, in bytes: estimates that a test holds to the truth.

Texts are measured, as they differ most; what is always alike is a constant. Enumerations, booleans and small
numbers are shared by all who have them and count nothing.
"""

from collections.abc import Callable, Sequence
from sys import getsizeof
from typing import TypeVar

from domain.catalog.model import Content, Credit, ExternalId, Image, Offer, Person, Place, Rating
from domain.platform.paging import Page

T = TypeVar("T")

LIST_BYTES = 64
POINTER_BYTES = 8
KEY_BYTES = 32
"""Of a number that names a row."""
PLACE_BYTES = 64
"""Of a `Place` beside its number and its region."""


def text(value: str | None) -> int:
    return 0 if value is None else getsizeof(value)


def texts(values: Sequence[str]) -> int:
    """A tuple; the empty one is shared."""
    return 64 + sum(POINTER_BYTES + getsizeof(value) for value in values) if values else 0


def content(value: Content) -> int:
    """With its numbers, its date and its moment."""
    return (
        340
        + text(value.title)
        + text(value.original_title)
        + text(value.synopsis)
        + text(value.original_language)
        + texts(value.genre_ids)
        + texts(value.keywords)
        + texts(value.countries)
    )


def person(value: Person) -> int:
    return 64 + text(value.name)


def credit(value: Credit) -> int:
    return 80 + person(value.person) + text(value.character)


def external_id(value: ExternalId) -> int:
    return 48 + text(value.source) + text(value.value)


def rating(value: Rating) -> int:
    return 140 + text(value.source)


def image(value: Image) -> int:
    return 120 + text(value.url)


def offer(value: Offer) -> int:
    """With its moments."""
    price = 0 if value.price is None else 170 + text(value.price.currency)
    return 300 + price + text(value.region) + text(value.platform_id) + text(value.link_id)


def several(size_of: Callable[[T], int]) -> Callable[[Sequence[T]], int]:
    """The size of a list."""

    def total(values: Sequence[T]) -> int:
        return LIST_BYTES + sum(map(size_of, values)) + POINTER_BYTES * len(values)

    return total


def page(value: Page[Content]) -> int:
    """With its cursors, and the question for its count."""
    return 700 + sum(160 + content(edge.node) + text(edge.cursor) for edge in value.edges)


def number(_value: int) -> int:
    return KEY_BYTES


def place(value: Place) -> int:
    return PLACE_BYTES + KEY_BYTES + text(value.region)


def name(value: tuple[str, str]) -> int:
    return 64 + text(value[0]) + text(value[1])
