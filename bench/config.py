"""What the servers beside the gateway are told: floors and peers read one file."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from bench.catalogue import REGION
from bench.statements import Statements
from domain.catalog.taxonomy import GENRES, PLATFORMS, Genre, Platform
from domain.platform.postgres import SERVER_SETTINGS


@dataclass(frozen=True, slots=True)
class Config:
    """The database and how to ask it, the names of its words, and who may ask."""

    database: str
    """Its URL."""
    settings: dict[str, str]
    """Of each connection; the gateway's."""
    pool_size: int
    """Connections at most."""
    statements: dict[str, str]
    """The fields of `Statements`."""
    genres: dict[str, str]
    """Names by id."""
    platforms: dict[str, str]
    """Names by id."""
    region: str
    """Of everybody."""
    accounts: dict[str, str]
    """Ids of accounts by their access tokens."""

    @classmethod
    async def of(cls, url: str, tokens: Sequence[str], *, page: int, pool_size: int) -> "Config":
        """For the database at `url`; lists of titles have `page` of them."""
        return cls(
            database=url,
            settings=SERVER_SETTINGS,
            pool_size=pool_size,
            statements=asdict(await Statements.overheard(url, page)),
            genres=_names(GENRES),
            platforms=_names(PLATFORMS),
            region=REGION,
            accounts={token: _account_of(token) for token in tokens},
        )

    @classmethod
    def read(cls, path: str) -> "Config":
        return cls(**orjson.loads(Path(path).read_bytes()))

    def write(self, path: Path) -> None:
        path.write_bytes(orjson.dumps(asdict(self)))


def _account_of(token: str) -> str:
    """The subject of an access token that our own server has just issued."""
    payload = token.split(".")[1]
    subject: str = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["sub"]
    return subject


def _names(words: Mapping[str, Genre | Platform]) -> dict[str, str]:
    return {key: word.name for key, word in words.items()}
