"""Files as anybody may send them."""

import io
import zipfile
from collections.abc import Iterable

import pytest

from domain.interchange import files
from domain.interchange.files import Member, Row, json_of, members_of, rows_of
from domain.interchange.formats import Hints, recognised, source_of
from domain.interchange.model import Problem, Source
from domain.platform.errors import Refused


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return packed.getvalue()


def rows(text: bytes) -> list[Row | Problem]:
    return list(rows_of(Member("a.csv", text)))


def places(found: Iterable[Row | Problem]) -> list[tuple[str, bool]]:
    return [(one.where, isinstance(one, Row)) for one in found]


def test_a_zip_is_its_files_and_anything_else_itself() -> None:
    assert members_of("a.json", b"[]") == [Member("a.json", b"[]")]
    assert members_of("a.zip", zipped(("x/b.csv", b"1"), ("c.csv", b"2"))) == [
        Member("x/b.csv", b"1"),
        Member("c.csv", b"2"),
    ]


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = zipped(*((f"{n}.csv", bytes(3 * 2**20)) for n in range(4)))
    assert len(bomb) < 20_000

    with pytest.raises(Refused, match="unpacks to more"):
        members_of("bomb.zip", bomb)


def test_a_header_that_lies_about_the_size_is_not_believed() -> None:
    packed = bytearray(zipped(("a.csv", b"x" * 5_000_000)))
    place = packed.index(b"PK\x01\x02") + 24
    packed[place : place + 4] = (10).to_bytes(4, "little")

    with pytest.raises(Refused):
        members_of("liar.zip", bytes(packed))


def test_too_many_files_and_too_large_ones_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_FILES", 2)
    monkeypatch.setattr(files, "MAX_FILE_BYTES", 1000)

    with pytest.raises(Refused, match="more than 2 files"):
        members_of("a.zip", zipped(*((f"{n}", b"") for n in range(3))))
    with pytest.raises(Refused, match="MiB"):
        members_of("a.json", bytes(1001))


@pytest.mark.parametrize(
    "data",
    [b"PK\x03\x04", b"PK\x03\x04" + bytes(100), zipped(("a", b"b" * 99))[:-30]],
    ids=["its mark", "nothing behind its mark", "its end is missing"],
)
def test_a_broken_zip_is_refused(data: bytes) -> None:
    with pytest.raises(Refused, match="damaged"):
        members_of("a.zip", data)


def test_an_unusual_packing_is_refused() -> None:
    with pytest.raises(Refused, match="deflate"):
        members_of("a.zip", zipped(("a.csv", b"1" * 100), method=zipfile.ZIP_LZMA))


@pytest.mark.parametrize(
    "text", ["Title,Date\nÀ,1\n".encode("utf-8-sig"), "Title,Date\nÀ,1\n".encode("utf-16")]
)
def test_marks_of_encodings_are_understood(text: bytes) -> None:
    (row,) = rows(text)

    assert isinstance(row, Row)
    assert (row["title"], row["date"], row["nothing"]) == ("À", "1", "")


def test_another_encoding_is_told_with_its_line() -> None:
    (problem,) = rows("Title,Date\nÀ,1\n".encode("latin-1"))

    assert isinstance(problem, Problem)
    assert "line 2" in problem.reason


def test_rows_stand_where_they_begin() -> None:
    found = rows(b'A,B\r\n"x\r\ny",1\r\n\r\n1,2,3\r\n5,\0\r\n6,7\r\n')

    assert places(found) == [("a.csv:2", True), ("a.csv:5", False), ("a.csv:6", False), ("a.csv:7", True)]
    assert isinstance(found[0], Row)
    assert found[0]["a"] == "x\r\ny"


def test_a_quote_that_does_not_end_is_told() -> None:
    found = rows(b'A,B\n1,2\n"x,3\n')

    assert places(found) == [("a.csv:2", True), ("a.csv:3", False)]


def test_json_that_is_too_deep_or_none_is_told() -> None:
    for text in (b"[" * 100_000, b"{", b"\xff", b"[NaN]"):
        with pytest.raises(ValueError, match="is not"):
            json_of(Member("a.json", text))


def test_what_nobody_exports_is_refused() -> None:
    for data in (b"", b"[]", b"{}", b"hello", b"a,b\n1,2\n", b"[" * 100_000):
        with pytest.raises(Refused, match="no export"):
            recognised([Member("a.json", data), Member("b.csv", data)])
    with pytest.raises(Refused, match="formats are"):
        source_of("plex")
    assert source_of("trakt") is Source.TRAKT
    assert Hints().day_first is None
