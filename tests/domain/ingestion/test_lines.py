import gzip
from pathlib import Path

import pytest

from domain.ingestion import lines
from domain.ingestion.lines import Line, LineFile, works_of
from domain.ingestion.model import BadSource, Origin, Refusal, Work
from domain.ingestion.tmdb5000 import parse
from domain.platform.fields import Fields


def contents(path: Path) -> list[bytes | str]:
    return [entry.data if isinstance(entry, Line) else entry.reason for entry in LineFile(path)]


def test_blank_lines_carriage_returns_and_a_byte_order_mark_are_no_content(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\xef\xbb\xbfone\r\n\r\n  \ntwo")

    found = list(LineFile(path))

    assert found == [Line(Origin("a.jsonl", 1), b"one"), Line(Origin("a.jsonl", 4), b"two")]


def test_gzip_is_known_by_its_content_not_its_name(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(gzip.compress(b"one\ntwo\n"))
    file = LineFile(path)

    assert [line.data for line in file if isinstance(line, Line)] == [b"one", b"two"]
    assert file.fraction == 1.0


def test_a_gzip_file_that_breaks_off_gives_its_whole_lines_and_a_refusal(tmp_path: Path) -> None:
    rows = b"".join(b"%d %d\n" % (i, i * 7919 % 10_007) for i in range(5000))
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(rows)[:-2000])

    *whole, last = LineFile(path)

    assert len(whole) > 100
    assert all(isinstance(line, Line) for line in whole)
    assert [line.data for line in whole if isinstance(line, Line)] == rows.splitlines()[: len(whole)]
    assert isinstance(last, Refusal)
    assert last.line == len(whole) + 1
    assert last.reason.startswith("the file breaks off or is damaged here: ")


def test_damage_within_a_gzip_file_is_a_refusal(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(b"".join(b"%d\n" % (i * i) for i in range(20_000))))
    packed[len(packed) // 2 : len(packed) // 2 + 40] = b"\xff" * 40
    path = tmp_path / "a.gz"
    path.write_bytes(packed)

    found = list(LineFile(path))

    assert isinstance(found[-1], Refusal)


def test_a_line_beyond_all_bounds_is_refused_and_the_next_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "MAX_LINE", 10)
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"short\n" + b"x" * 35 + b"\n" + b"after\n")

    assert contents(path) == [b"short", "the line has more than 10 bytes", b"after"]


def test_a_file_that_is_not_there_is_a_bad_source(tmp_path: Path) -> None:
    with pytest.raises(BadSource, match="There is no file"):
        LineFile(tmp_path / "none.jsonl")


@pytest.mark.parametrize(
    "broken",
    [
        b'{"title": "a"',
        b"[1, 2]",
        b"null",
        b'{"title": "\xff\xfe"}',
        b'{"title": "a\\ud800"}',
        b'{"title": "a\\u0000b", "tmdb_id": 1}',
        b'{"title": "a", "tmdb_id": "1"}',
        b'{"title": "a", "tmdb_id": ' + b"9" * 10_000 + b"}",
        b"[" * 5000,
        b'{"title": "a", "cast": [[["x"]]]}',
        b'{"title": "a", "cast": {"name": "x"}}',
        b'{"title": "a", "runtime": NaN}',
        b'{"title": "a", "popularity": 1e999}',
    ],
)
def test_a_broken_line_is_refused_and_the_next_is_read(tmp_path: Path, broken: bytes) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(broken + b'\n{"title": "Good", "tmdb_id": 5}\n')

    refusal, work = parse(LineFile(path))

    assert isinstance(refusal, Refusal)
    assert (refusal.file, refusal.line) == ("a.jsonl", 1)
    assert refusal.reason
    assert isinstance(work, Work)
    assert work.title == "Good"


def test_what_was_refused_before_parsing_is_passed_on() -> None:
    refusal = Refusal("a", 1, "", "damaged")

    def read(_: Fields, __: Origin) -> Work:
        raise AssertionError

    assert list(works_of([refusal], read)) == [refusal]
