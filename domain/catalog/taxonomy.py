"""The words the catalogue is sorted by: genres, platforms, maturity ratings, and their order."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Genre:
    """A genre of screen works or of music; `id` is its slug."""

    id: str
    name: str
    music: bool = False


@dataclass(frozen=True, slots=True)
class Platform:
    """A service that has works; `id` is its slug, `home` its web site."""

    id: str
    name: str
    home: str
    music: bool = False


class MaturityRating(StrEnum):
    """Who a work is made for, by the ratings of the United States, in rising order of age."""

    G = "G"
    """General audiences."""
    TV_Y = "TV-Y"
    """All children."""
    TV_G = "TV-G"
    """General audience, television."""
    TV_Y7 = "TV-Y7"
    """Children of seven and older."""
    PG = "PG"
    """Parental guidance suggested."""
    TV_PG = "TV-PG"
    """Parental guidance suggested, television."""
    PG_13 = "PG-13"
    """Some material may be inappropriate for children under 13."""
    TV_14 = "TV-14"
    """Unsuitable for children under 14, television."""
    R = "R"
    """Under 17 requires an accompanying adult."""
    TV_MA = "TV-MA"
    """Mature audience, television."""
    NC_17 = "NC-17"
    """No one of 17 and under."""
    NR = "NR"
    """Never rated; treated as the most restricted where a limit is set."""


SCREEN_GENRES = (
    "Action", "Adventure", "Animation", "Biography", "Comedy", "Crime", "Documentary", "Drama", "Family",
    "Fantasy", "History", "Horror", "Music", "Musical", "Mystery", "News", "Reality", "Romance",
    "Science Fiction", "Sports", "Talk Show", "Thriller", "War", "Western",
)  # fmt: skip
MUSIC_GENRES = (
    "Rock", "Pop", "Hip-Hop", "Jazz", "Classical", "Electronic", "Folk", "Country", "Blues", "Soul",
    "Metal", "Punk", "Reggae", "Latin", "Soundtrack", "World", "Ambient", "R&B", "Alternative", "Indie",
)  # fmt: skip


def genre_slug(name: str) -> str:
    """`Science Fiction` → `science-fiction`, `R&B` → `rnb`."""
    return name.lower().replace("&", "n").replace(" ", "-")


GENRES = {
    genre.id: genre
    for genre in (
        *(Genre(genre_slug(name), name) for name in SCREEN_GENRES),
        *(Genre(genre_slug(name), name, music=True) for name in MUSIC_GENRES),
    )
}

PLATFORMS = {
    platform.id: platform
    for platform in (
        Platform("netflix", "Netflix", "https://www.netflix.com"),
        Platform("prime_video", "Prime Video", "https://www.primevideo.com"),
        Platform("disney_plus", "Disney+", "https://www.disneyplus.com"),
        Platform("hulu", "Hulu", "https://www.hulu.com"),
        Platform("hbo_max", "HBO Max", "https://www.hbomax.com"),
        Platform("apple_tv_plus", "Apple TV+", "https://tv.apple.com"),
        Platform("paramount_plus", "Paramount+", "https://www.paramountplus.com"),
        Platform("peacock", "Peacock", "https://www.peacocktv.com"),
        Platform("youtube", "YouTube", "https://www.youtube.com"),
        Platform("spotify", "Spotify", "https://open.spotify.com", music=True),
        Platform("apple_music", "Apple Music", "https://music.apple.com", music=True),
    )
}
