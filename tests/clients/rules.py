"""The rules of docs/merge-rules.md said once more, as plainly as they can be, to compare the product with.

It keeps every write that was taken and works out the state anew whenever it is asked, so it merges nothing.
It knows requests as the graph takes them, and shares no code with the product.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

DAY = 86_400_000
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

Register = tuple[str, str, int]
"""Kind, title, and viewing or 0."""
State = dict[Register, Any]


class Version(NamedTuple):
    """Compares as versions do: the greater clock is later, of equal ones the greater device."""

    clock: int
    device: str

    @property
    def milliseconds(self) -> int:
        return self.clock >> 16


class Write(NamedTuple):
    """A write to a register; `arrived` is when the server took it, in milliseconds."""

    version: Version
    value: Any
    arrived: int


class Conflict(NamedTuple):
    """A write that was lost: to what it was written, and its version."""

    kind: str
    content: str
    lost: Version


@dataclass
class Rules:
    """What one account comes to."""

    unplayable: frozenset[str]
    """Titles that have parts: they are not played themselves."""
    closing: Mapping[str, int]
    """Of titles, how many seconds their closing credits last."""
    writes: dict[Register, set[Write]] = field(default_factory=dict)
    additions: dict[str, tuple[str, Version]] = field(default_factory=dict)
    """By tag: the title, and when it was added."""
    removed: set[str] = field(default_factory=set)
    """Tags that a removal has named, ever."""
    settled: dict[str, int] = field(default_factory=dict)
    forgotten: dict[str, Version] = field(default_factory=dict)
    incognito: dict[str, list[tuple[int, int | None]]] = field(default_factory=dict)
    """By device since when, and until when it was, in milliseconds; it still is where there is no end."""
    done: set[str] = field(default_factory=set)
    """Operations that are remembered."""
    conflicts: dict[Conflict, Version] = field(default_factory=dict)
    """With the version of the write that each was lost to."""

    # What happens

    def push(self, given: Mapping[str, Any], device: str, now: int) -> list[tuple[str, str | None]]:
        """What becomes of each operation of a request: its fate, and the reason of a refusal."""
        fates = [self._operation(told, device, now) for told in given["operations"]]
        settled = given["settledThrough"]
        if settled is not None and parsed(settled).milliseconds <= now + 60_000:
            self.settled[device] = max(parsed(settled).clock, self.settled.get(device, -1))
        return fates

    def _operation(self, told: Mapping[str, Any], device: str, now: int) -> tuple[str, str | None]:
        ((kind, change),) = told["change"].items()
        version = Version(parsed(told["version"]).clock, device)
        base = parsed(told["base"]) if told.get("base") else None
        if told["id"] in self.done:
            return "REPEATED", None
        if version.milliseconds - now > 60_000:
            return "REFUSED", "CLOCK_AHEAD"
        if self.was_incognito(version):
            return "FORGOTTEN", None
        if kind == "watched" and self._is_forgotten(change["contentId"], version):
            return "FORGOTTEN", None
        if (reason := self._wrong(kind, change)) is not None:
            return "REFUSED", reason
        self.done.add(told["id"])
        lost = self.write(kind, change | {"tag": told["id"]}, version, now, base)
        return ("SUPERSEDED" if lost else "APPLIED"), None

    def write(
        self, kind: str, change: Mapping[str, Any], version: Version, now: int, base: Version | None = None
    ) -> bool:
        """Takes a write; whether it is lost already."""
        content = change["contentId"]
        match kind:
            case "added":
                settled = self.settled.get(version.device, -1)
                if change["tag"] in self.additions or version.clock > settled:
                    self.additions.setdefault(change["tag"], (content, version))
                return False
            case "removed":
                self.removed |= set(change["tags"])
                return self._outlived(content, change["tags"], version)
        viewing = change["viewing"] if kind == "watched" else 0
        return self._register((kind, content, viewing), Write(version, value_of(kind, change), now), base)

    def switch(self, device: str, now: int, *, incognito: bool) -> None:
        """From now on nothing is kept of what is done on the device, or again all."""
        times = self.incognito.setdefault(device, [])
        if incognito and not self.is_incognito(device):
            times.append((now, None))
        elif not incognito and self.is_incognito(device):
            times.append((times.pop()[0], now))

    def is_incognito(self, device: str) -> bool:
        return any(until is None for _, until in self.incognito.get(device, ()))

    def forget(self, content: str, moment: Version) -> None:
        """The viewer had a title forgotten."""
        self.forgotten[content] = moment
        for register in [key for key in self.writes if key[:2] == ("watched", content)]:
            self.writes[register] = {write for write in self.writes[register] if write.version > moment}
        self.conflicts = {key: won for key, won in self.conflicts.items() if key[:2] != ("PROGRESS", content)}

    def age(self, now: int) -> None:
        """Everything is older than 90 days now, and what is kept for so long goes."""
        self.done.clear()
        self.conflicts.clear()
        self.forgotten.clear()
        for times in self.incognito.values():
            times[:] = [time for time in times if time[1] is None]
        for register, writes in self.writes.items():
            unfinished = register[0] == "watched" and not self._finished(register)
            if unfinished and writes and max(writes).arrived < now - 180 * DAY:
                self.writes[register] = set()

    def was_incognito(self, version: Version) -> bool:
        """By the clock of the device."""
        return any(
            since <= version.milliseconds and (until is None or version.milliseconds < until)
            for since, until in self.incognito.get(version.device, ())
        )

    # What it comes to

    def state(self) -> State:
        """What every device shows: of each register, what stands in it."""
        state: State = {}
        for register, writes in self.writes.items():
            if register[0] != "moved" and writes:
                state[register] = self._standing(register)
        for content in {content for content, _ in self.additions.values()}:
            if live := self.live(content):
                state["watchlist", content, 0] = frozenset(live), self._place(content, live)
        return {key: value for key, value in state.items() if value not in NOTHING}

    def live(self, content: str) -> dict[str, Version]:
        """The additions that hold a title on the watchlist."""
        return {
            tag: version
            for tag, (title, version) in self.additions.items()
            if title == content and tag not in self.removed
        }

    def viewing(self, content: str, *, finishing: bool) -> int:
        """Which one a write is about that is newer than all and names none."""
        viewings = {
            key[2] for key, writes in self.writes.items() if key[:2] == ("watched", content) and writes
        }
        if not viewings:
            return 1
        latest = max(viewings)
        _, finished = self._standing(("watched", content, latest))
        return latest + (finished and not finishing)

    def _standing(self, register: Register) -> Any:
        """The value of the latest write; of a viewing also whether any write finished it."""
        writes = self.writes[register]
        latest = max(writes)
        return (latest.value, self._finished(register)) if register[0] == "watched" else latest.value

    def _finished(self, register: Register) -> bool:
        """Of a viewing, whether any write is an end of it."""
        closing = self.closing.get(register[1], 0)
        return any(ends(write.value, closing) for write in self.writes[register])

    def _place(self, content: str, live: Mapping[str, Version]) -> str:
        """Where it was put since it was added, or the time of its addition."""
        oldest = min(live.values())
        moves = [
            move for move in self.writes.get(("moved", content, 0), ()) if move.version.clock >= oldest.clock
        ]
        return max(moves).value if moves else in_base_62(oldest.milliseconds) + "V"

    def _register(self, register: Register, write: Write, base: Version | None) -> bool:
        writes = self.writes.setdefault(register, set())
        lost = False
        if writes:
            known = max(writes)
            said = write.value
            if register[0] == "watched":
                said = said, ends(said, self.closing.get(register[1], 0))
            if known.version.device != write.version.device and not same(
                register, said, self._standing(register)
            ):
                lost = write.version < known.version
                if lost:
                    self._note(register, write.version, known.version)
                elif base is not None and base < known.version:
                    self._note(register, known.version, write.version)
        if all(known.version != write.version for known in writes):
            writes.add(write)
        return lost

    def _outlived(self, content: str, tags: Iterable[str], version: Version) -> bool:
        """A removal that leaves the title on the list is lost to the latest addition."""
        live = self.live(content)
        if not set(tags) or not live or max(live.values()).device == version.device:
            return False
        self._note(("watchlist", content, 0), version, max(live.values()))
        return True

    def _note(self, register: Register, lost: Version, won: Version) -> None:
        self.conflicts.setdefault(Conflict(KINDS[register[0]], register[1], lost), won)

    def _is_forgotten(self, content: str, version: Version) -> bool:
        return content in self.forgotten and version <= self.forgotten[content]

    def _wrong(self, kind: str, change: Mapping[str, Any]) -> str | None:
        """The reason why nobody may write this."""
        match kind:
            case "watched":
                wrong = (
                    change["contentId"] in self.unplayable
                    or change["positionSeconds"] < 0
                    or change["viewing"] < 1
                )
            case "reacted":
                wrong = change["stars"] not in {None, *(half / 2 for half in range(1, 11))}
            case "noted":
                wrong = len((change["text"] or "").strip()) > 2_000
            case "moved":
                place = change["place"]
                wrong = not set(place) <= set(DIGITS) or place.endswith("0") or not 0 < len(place) <= 255
            case _:
                wrong = False
        return "INVALID" if wrong else None


NOTHING = (None, False, (None, None))
"""What a register says that was taken back."""
KINDS = {
    "watched": "PROGRESS",
    "watchlist": "WATCHLIST",
    "reacted": "REACTION",
    "moved": "PLACE",
    "noted": "NOTE",
    "dropped": "DROPPED",
    "hidden": "HIDDEN",
}


def ends(told: tuple[int, int], closing: int) -> bool:
    """Whether a title ends there: at 95 percent, or where its credits begin, unless these are too long."""
    position, duration = told
    credits_begin = duration - closing if 0 < 4 * closing <= duration else duration
    return position >= min(0.95 * duration, credits_begin)


def parsed(text: str) -> Version:
    """12 hexadecimal digits of milliseconds, 4 of counter, `@` and the device."""
    clock, _, device = text.partition("@")
    return Version(int(clock, 16), device)


def value_of(kind: str, change: Mapping[str, Any]) -> Any:
    match kind:
        case "watched":
            return min(change["positionSeconds"], change["durationSeconds"]), change["durationSeconds"]
        case "reacted":
            return change["verdict"], change["stars"]
        case "noted":
            return (change["text"] or "").strip() or None
        case "moved":
            return change["place"]
    return change[kind]


def same(register: Register, said: Any, standing: Any) -> bool:
    """Whether a write says what stands; how long a title is, players may see differently."""
    if register[0] != "watched":
        return bool(said == standing)
    ((position, _), ends), ((known, _), ended) = said, standing
    return (position, ends) == (known, ended)


def in_base_62(milliseconds: int) -> str:
    digits = ""
    for _ in range(8):
        milliseconds, digit = divmod(milliseconds, 62)
        digits = DIGITS[digit] + digits
    return digits
