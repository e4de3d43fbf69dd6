"""The formats that are read, and how a file is told by what it holds."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from domain.interchange import archive, letterboxd, netflix, simkl, trakt
from domain.interchange.files import Member
from domain.interchange.model import Entry, Problem, Source
from domain.platform.errors import refuse
from domain.sync.model import Device

Found: TypeAlias = Iterator[Entry | Problem | Device]


@dataclass(frozen=True, slots=True)
class Hints:
    """What a file may leave open, as the viewer knows it."""

    day_first: bool | None = None
    """Whether a date like 3/4/2021 is the 3rd of April; open where the file itself tells."""


@dataclass(frozen=True, slots=True)
class Format:
    """How one service's files are read."""

    recognises: Callable[[Sequence[Member]], bool]
    read: Callable[[Sequence[Member], Hints], Found]


FORMATS = {
    Source.TRAKT: Format(trakt.recognises, lambda members, _: trakt.read(members)),
    Source.SIMKL: Format(simkl.recognises, lambda members, _: simkl.read(members)),
    Source.LETTERBOXD: Format(letterboxd.recognises, lambda members, _: letterboxd.read(members)),
    Source.NETFLIX: Format(
        netflix.recognises, lambda members, hints: netflix.read(members, day_first=hints.day_first)
    ),
    Source.ARCHIVE: Format(archive.recognises, lambda members, _: archive.read(members)),
}


def recognised(members: Sequence[Member]) -> Source:
    """Whose files these are; raises `Refused` where nobody's."""
    for source, known in FORMATS.items():
        if known.recognises(members):
            return source
    raise refuse(f"This is no export of {', '.join(source.value for source in FORMATS)}.")


def source_of(name: str) -> Source:
    """The source of this name; raises `Refused`."""
    try:
        return Source(name)
    except ValueError:
        raise refuse(f"The formats are {', '.join(source.value for source in FORMATS)}.") from None
