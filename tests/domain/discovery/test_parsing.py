import pytest

from domain.discovery.parsing import KnownWord, Word, split, terms_of


def known(plain: str, *stems: str, begun: bool = False, word_known: bool = True) -> KnownWord:
    return KnownWord(Word(plain, plain), known=word_known, begun=begun, stems={"en": stems})


def test_words_keep_how_they_were_written_beside_how_they_are_compared() -> None:
    assert split("Amélie, für Spider-Man") == [
        Word("amelie", "amélie"),
        Word("fur", "für"),
        Word("spider", "spider"),
        Word("man", "man"),
    ]


def test_an_apostrophe_does_not_split_a_word() -> None:
    assert split("Ocean's eleven") == [Word("oceans", "oceans"), Word("eleven", "eleven")]


@pytest.mark.parametrize("text", ["", "   ", "&|!():*<->'\"\\", "\x00\x00", "🎬🎬", "___"])
def test_what_is_no_word_is_left_out(text: str) -> None:
    assert split(text) == []


def test_operators_of_the_index_never_get_through() -> None:
    terms = terms_of("a' | !b:* <-> c", [known(word.plain, word.plain) for word in split("a' | !b:* <-> c")])

    assert terms.queries == ("(('a') & ('b') & ('c'))",)


def test_a_language_leaves_out_its_own_little_words() -> None:
    terms = terms_of("the movies", [known("the"), known("movies", "movi")])

    assert terms.queries == ("(('the') & ('movies')) | (('movi' | 'movies'))",)
    assert terms.loose == ("('movi' | 'movies')",)


def test_little_words_alone_are_asked_as_written() -> None:
    assert terms_of("the who", [known("the"), known("who")]).queries == ("(('the') & ('who'))",)


def test_a_beginning_also_asks_for_what_it_begins() -> None:
    terms = terms_of("matri", [known("matri", "matri", begun=True, word_known=False)])

    assert terms.queries == ("(('matri' | 'matri':*))",)
    assert terms.named == ("(('matri':AB | 'matri':*AB))",)


def test_only_words_that_nobody_knows_are_misspelt() -> None:
    assert known("xqzt", "xqzt", word_known=False).misspelt
    assert not known("matrix", "matrix").misspelt
    assert not known("the", word_known=False).misspelt


def test_a_long_query_is_cut_to_its_first_words() -> None:
    assert len(split(" ".join(f"w{number}" for number in range(200)))) == 32
