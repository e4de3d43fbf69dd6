"""Series of TVmaze: the show records of its API as JSON lines."""

from collections.abc import Iterator
from html.parser import HTMLParser

from domain.catalog.model import ArtworkKind, ContentKind, ExternalId, Image, Rating, SeriesStatus
from domain.ingestion import rules
from domain.ingestion.genres import canonical
from domain.ingestion.lines import Lines, WorkFile, works_of
from domain.ingestion.model import Item, Origin, Refusal, Work
from domain.platform.fields import Fields

SUMMARY_LIMIT = 20_000
"""Of the marked-up text; what is left of it keeps to the limit of every synopsis."""

STATUSES = {
    "Running": SeriesStatus.ONGOING,
    "Ended": SeriesStatus.ENDED,
    "To Be Determined": SeriesStatus.HIATUS,
    "In Development": SeriesStatus.ONGOING,
}

# TVmaze names languages in English.
LANGUAGES = {
    "Arabic": "ar", "Bengali": "bn", "Bulgarian": "bg", "Catalan": "ca", "Chinese": "zh", "Croatian": "hr",
    "Czech": "cs", "Danish": "da", "Dutch": "nl", "English": "en", "Estonian": "et", "Finnish": "fi",
    "French": "fr", "Georgian": "ka", "German": "de", "Greek": "el", "Hebrew": "he", "Hindi": "hi",
    "Hungarian": "hu", "Icelandic": "is", "Indonesian": "id", "Irish": "ga", "Italian": "it",
    "Japanese": "ja", "Korean": "ko", "Latvian": "lv", "Lithuanian": "lt", "Luxembourgish": "lb",
    "Malay": "ms", "Marathi": "mr", "Norwegian": "no", "Persian": "fa", "Polish": "pl", "Portuguese": "pt",
    "Romanian": "ro", "Russian": "ru", "Serbian": "sr", "Slovak": "sk", "Slovenian": "sl", "Spanish": "es",
    "Swedish": "sv", "Tagalog": "tl", "Tamil": "ta", "Telugu": "te", "Thai": "th", "Turkish": "tr",
    "Ukrainian": "uk", "Urdu": "ur", "Vietnamese": "vi", "Welsh": "cy",
}  # fmt: skip
# What a show is, beyond `Scripted`, is told by its type and is a genre to us.
TYPES_WITHOUT_GENRE = {"Scripted", "Award Show"}


class TvMaze(WorkFile):
    """A file of show records."""

    name = "tvmaze"

    def items(self) -> Iterator[Item]:
        return parse(self._file)


def parse(lines: Lines) -> Iterator[Work | Refusal]:
    return works_of(lines, read_work)


def read_work(entry: Fields, origin: Origin) -> Work:
    premiered = entry.day("premiered")
    if premiered is not None and not rules.YEARS[0] <= premiered.year <= rules.YEARS[1]:
        raise entry.broken("premiered", f"must lie between {rules.YEARS[0]} and {rules.YEARS[1]}")
    genres, unknown = canonical(_genres(entry))
    return Work(
        kind=ContentKind.SERIES,
        title=rules.title(entry, "name"),
        origin=origin,
        synopsis=_synopsis(entry),
        release_date=premiered,
        year=premiered.year if premiered else None,
        genres=genres,
        unknown_genres=unknown,
        original_language=LANGUAGES.get(entry.text("language", rules.WORD_LIMIT) or ""),
        countries=_countries(entry),
        popularity=entry.number("weight", 0, 100),
        runtime_seconds=rules.seconds_unless_zero(entry, "runtime"),
        status=STATUSES.get(entry.text("status", rules.WORD_LIMIT) or ""),
        external_ids=_external_ids(entry),
        ratings=_ratings(entry),
        artwork=_artwork(entry),
    )


def plain(markup: str) -> str:
    """The text of a piece of HTML: paragraphs become lines, other marks go, entities are resolved."""
    reader = _Text()
    reader.feed(markup)
    reader.close()
    lines = ("".join(reader.pieces)).split("\n")
    return "\n".join(line for line in (" ".join(line.split()) for line in lines) if line)


class _Text(HTMLParser):
    """Gathers what is between the tags, but for scripts and styles."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._unread = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self._unread += tag in {"script", "style"}
        if tag in {"p", "br", "li", "div"}:
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._unread = max(0, self._unread - (tag in {"script", "style"}))
        if tag in {"p", "li", "div"}:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unread:
            self.pieces.append(data.replace("\n", " "))


def _synopsis(entry: Fields) -> str | None:
    text = plain(entry.text("summary", SUMMARY_LIMIT) or "")
    if "\0" in text or len(text) > rules.SYNOPSIS_LIMIT:
        raise entry.broken("summary", f"may have up to {rules.SYNOPSIS_LIMIT} characters and no NUL")
    return text or None


def _genres(entry: Fields) -> list[str]:
    kind = entry.text("type", rules.WORD_LIMIT)
    of_type = [kind] if kind is not None and kind not in TYPES_WITHOUT_GENRE else []
    return [*entry.texts("genres", rules.WORD_LIMIT), *of_type]


def _countries(entry: Fields) -> tuple[str, ...]:
    """Those of the channels that show it; a world-wide channel has none."""
    codes = (rules.country(entry.part(name).part("country"), "code") for name in ("network", "webChannel"))
    return tuple(dict.fromkeys(code for code in codes if code is not None))


def _external_ids(entry: Fields) -> tuple[ExternalId, ...]:
    others = entry.part("externals")
    return (
        ExternalId("tvmaze", str(entry.required_integer("id", 1))),
        *rules.imdb(others, "imdb"),
        *rules.numbered_id(others, "thetvdb", "tvdb"),
    )


def _ratings(entry: Fields) -> tuple[Rating, ...]:
    value = entry.part("rating").number("average", 0, 10)
    return () if value is None else (Rating("tvmaze", value, 10.0, None),)


def _artwork(entry: Fields) -> tuple[Image, ...]:
    """The largest picture; the address is asked for over TLS, which the server has."""
    images = entry.part("image")
    address = images.text("original", 2000) or images.text("medium", 2000)
    if address is None:
        return ()
    scheme, _, rest = address.partition("://")
    if scheme not in {"http", "https"} or not rest:
        raise entry.broken("image", "must be an address of http or https")
    return (Image(ArtworkKind.POSTER, f"https://{rest}", None, None),)
