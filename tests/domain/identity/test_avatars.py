"""Pictures: what is none is refused, and what is one is made anew."""

import io

import pytest
from PIL import Image

from domain.identity.avatars import MAX_BYTES, SIDE, picture_of
from domain.platform.errors import UserErrorCode
from tests.viewers import refusal


def drawn(kind: str, size: tuple[int, int] = (800, 400), comment: bytes = b"") -> bytes:
    written = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    Image.new("RGB", size, "teal").save(written, kind, exif=exif)
    return written.getvalue() + comment


@pytest.mark.parametrize(("kind", "content_type"), [("JPEG", "image/jpeg"), ("PNG", "image/png")])
async def test_a_picture_is_cut_down_and_made_anew(kind: str, content_type: str) -> None:
    sent = drawn(kind, comment=b"<script>alert(1)</script>")

    made = await picture_of(sent)

    assert made.content_type == content_type
    with Image.open(io.BytesIO(made.data)) as shown:
        assert (shown.format, shown.size) == (kind, (SIDE, SIDE // 2))
        assert not shown.getexif()
    assert b"script" not in made.data
    assert b"taken at home" not in made.data


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"this is a text file, renamed to picture.png",
        b"\x89PNG\r\n\x1a\n" + b"\0" * 100,
        drawn("GIF"),
        drawn("WEBP"),
        drawn("JPEG")[:200],
        b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>",
        b"x" * (MAX_BYTES + 1),
    ],
    ids=["nothing", "a text", "half a PNG", "GIF", "WebP", "half a JPEG", "SVG", "too large"],
)
async def test_what_is_no_picture_is_refused(sent: bytes) -> None:
    assert await refusal(picture_of(sent)) is UserErrorCode.INVALID


async def test_a_small_file_that_would_fill_the_memory_is_refused() -> None:
    written = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(written, "PNG")
    assert len(written.getvalue()) < MAX_BYTES

    assert await refusal(picture_of(written.getvalue())) is UserErrorCode.INVALID


async def test_five_megabytes_and_a_byte_are_too_many() -> None:
    fits = drawn("PNG") + b"\0" * (MAX_BYTES - len(drawn("PNG")))

    assert (await picture_of(fits)).content_type == "image/png"
    assert await refusal(picture_of(fits + b"\0")) is UserErrorCode.INVALID
