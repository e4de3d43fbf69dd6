"""Global ids: opaque to clients, a type and a key to us."""

import base64
import binascii
import re
from functools import lru_cache
from typing import NamedTuple, Protocol

from strawberry import ID, Parent

from domain.platform.errors import BadInput, Refused, UserError, UserErrorCode

URL_SAFE = str.maketrans("+/", "-_")
MAX_NUMBER = (1 << 63) - 1
_NUMBER = re.compile(r"[1-9][0-9]{0,18}")

REMEMBERED = 20_000
"""Ids in use: what is asked for most is the same for everybody. They take some 5 MB."""

CONTENT = ("Movie", "Series", "Season", "Episode", "Album", "Track")


class GlobalId(NamedTuple):
    type: str
    key: str


class HasId(Protocol):
    @property
    def id(self) -> int | str: ...


def node_id(node: Parent[HasId]) -> ID:
    return encode(node.__class__.__name__, node.id)


def global_id(value: HasId) -> ID:
    return encode(value.__class__.__name__, value.id)


def _encoded(type_name: str, key: int | str) -> ID:
    text = binascii.b2a_base64(f"{type_name}:{key}".encode(), newline=False).rstrip(b"=").decode()
    # What is in most ids has no sign that URLs cannot hold.
    return ID(text if text.isalnum() else text.translate(URL_SAFE))


encode = lru_cache(REMEMBERED)(_encoded)
"""The id of an object of ours, by the name of its type and its key."""


def decode(text: str) -> GlobalId | None:
    """The id in `text`, or nothing where it is not one of ours."""
    try:
        kind, _, key = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    # The decoder skips what is not base64; one object has one id only.
    return GlobalId(kind, key) if kind and key and _encoded(kind, key) == text else None


def number(key: str) -> int | None:
    """The key of what the database counts, or nothing where it is none."""
    return int(key) if _NUMBER.fullmatch(key) and int(key) <= MAX_NUMBER else None


def content_key(text: str, argument: str = "contentId") -> int:
    """The key of a work; raises `BadInput` where the id is none of a work."""
    found = decode(text)
    key = number(found.key) if found is not None and found.type in CONTENT else None
    if key is None:
        raise BadInput(f"`{argument}` is not the id of a title.", argument=argument)
    return key


def key_of(text: str, type_name: str, argument: str) -> str:
    """The key in an id of `type_name`; an id of anything else refuses as something that does not exist."""
    found = decode(text)
    if found is None or found.type != type_name:
        raise Refused(UserError(f"There is no such {type_name}.", UserErrorCode.NOT_FOUND, (argument,)))
    return found.key
