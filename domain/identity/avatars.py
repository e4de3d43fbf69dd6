"""Pictures of accounts: checked, cut down and written anew, so that nothing of what was sent is passed on."""

import asyncio
import io
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, Protocol

from PIL import Image, ImageOps, UnidentifiedImageError

from domain.platform.errors import Refused, UserErrorCode, refuse

MAX_BYTES: Final = 5 * 1024 * 1024
MAX_PIXELS: Final = 50_000_000
SIDE: Final = 512
"""Pixels of the longer side."""
FORMATS: Final = {"JPEG": "image/jpeg", "PNG": "image/png"}
# What a decoder raises at what somebody made up, and what would not fit into memory.
_UNREADABLE = (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError)


class Picture(NamedTuple):
    """A picture as it is shown."""

    content_type: str
    data: bytes


class Avatars(Protocol):
    """Pictures by account, under names that nobody can guess."""

    async def set(self, account_id: str, name: str, picture: Picture) -> None: ...
    async def remove(self, account_id: str) -> bool: ...
    async def named(self, name: str) -> Picture | None: ...
    async def names(self, account_ids: Sequence[str]) -> Mapping[str, str]: ...


async def picture_of(data: bytes) -> Picture:
    """What was sent, made anew; raises `Refused` for what is no JPEG or PNG, or too large."""
    if len(data) > MAX_BYTES:
        raise refuse("A picture has 5 MB at most.", UserErrorCode.INVALID, "picture")
    return await asyncio.to_thread(_made_anew, data)


def _made_anew(data: bytes) -> Picture:
    try:
        with Image.open(io.BytesIO(data), formats=list(FORMATS)) as image:
            if image.width * image.height > MAX_PIXELS:
                raise _unreadable()
            kind = image.format or ""
            shown = ImageOps.exif_transpose(image).convert("RGBA" if kind == "PNG" else "RGB")
            shown.thumbnail((SIDE, SIDE))
    except _UNREADABLE:
        raise _unreadable() from None
    written = io.BytesIO()
    shown.save(written, kind, optimize=True)
    return Picture(FORMATS[kind], written.getvalue())


def _unreadable() -> Refused:
    return refuse("This is no JPEG or PNG that can be read.", UserErrorCode.INVALID, "picture")
