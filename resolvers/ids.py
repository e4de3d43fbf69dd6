"""Global ids: opaque to clients, a type and a key to us."""

import base64
import binascii
from typing import NamedTuple, Protocol

from strawberry import ID, Parent

from domain.platform.errors import BadInput, Refused, UserError, UserErrorCode

CONTENT = ("Movie", "Series", "Season", "Episode", "Album", "Track")


class GlobalId(NamedTuple):
    type: str
    key: str


class HasId(Protocol):
    @property
    def id(self) -> int | str: ...


def node_id(node: Parent[HasId]) -> ID:
    return global_id(node)


def global_id(value: HasId) -> ID:
    return encode(type(value).__name__, value.id)


def encode(type_name: str, key: int | str) -> ID:
    return ID(base64.urlsafe_b64encode(f"{type_name}:{key}".encode()).decode().rstrip("="))


def decode(text: str) -> GlobalId | None:
    """The id in `text`, or nothing where it is not one of ours."""
    try:
        kind, _, key = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return GlobalId(kind, key) if kind and key else None


def content_key(text: str, argument: str = "contentId") -> int:
    """The key of a work; raises `BadInput` where the id is none of a work."""
    found = decode(text)
    if found is None or found.type not in CONTENT or not found.key.isdecimal() or len(found.key) > 18:  # noqa: PLR2004
        raise BadInput(f"`{argument}` is not the id of a title.", argument=argument)
    return int(found.key)


def key_of(text: str, type_name: str, argument: str) -> str:
    """The key in an id of `type_name`; an id of anything else refuses as something that does not exist."""
    found = decode(text)
    if found is None or found.type != type_name:
        raise Refused(UserError(f"There is no such {type_name}.", UserErrorCode.NOT_FOUND, (argument,)))
    return found.key
