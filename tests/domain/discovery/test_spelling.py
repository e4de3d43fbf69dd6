import pytest

from domain.discovery.spelling import best, distance, nearest


@pytest.mark.parametrize(
    ("left", "right", "slips"),
    [
        ("matrix", "matrix", 0),
        ("matirx", "matrix", 1),
        ("matrx", "matrix", 1),
        ("mattrix", "matrix", 1),
        ("natrix", "matrix", 1),
        ("natirx", "matrix", 2),
        ("ca", "abc", 3),  # restricted: no letter is edited after its swap
        ("", "ab", 2),
    ],
)
def test_slips_are_counted(left: str, right: str, slips: int) -> None:
    assert distance(left, right, 5) == slips
    assert distance(right, left, 5) == slips


def test_counting_stops_beyond_the_limit() -> None:
    assert distance("abcdef", "uvwxyz", 2) == 3
    assert distance("ab", "abcdefgh", 2) == 3


def test_the_words_with_the_fewest_slips_tie() -> None:
    assert nearest("jurasic", ["jurassic", "jurassics", "basic"]) == ["jurassic"]
    assert nearest("wras", ["was", "wars", "wasp"]) == ["was", "wars"]


def test_short_words_and_numbers_are_left_alone() -> None:
    assert nearest("teh", ["the"]) == []
    assert nearest("2048", ["2049"]) == []


def test_words_of_five_letters_are_believed_one_slip() -> None:
    assert nearest("abcde", ["abcfg"]) == []
    assert nearest("abcdef", ["abcdgh"]) == ["abcdgh"]


def test_a_word_is_no_correction_of_itself() -> None:
    assert nearest("matrix", ["matrix"]) == []


def test_the_more_frequent_of_equally_near_words_wins() -> None:
    assert best("wras", ["was", "wars"], {"wars": 3, "was": 1}) == "wars"
    assert best("wras", ["was", "wars"], {}) == "wars"
