"""What became of commands, against what televisions did and what remote controls were told."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from math import inf
from typing import NamedTuple

from bench.campaign.faults import Broken, since, storms, whole_seconds
from bench.campaign.remote import Remote
from bench.campaign.television import Handed, Television
from bench.campaign.verdict import LATE_SECONDS, Log, disorder
from domain.playback.model import PlaybackEnd
from domain.sync.model import CommandState
from resolvers.ids import encode, key_of

BACK_SECONDS = 5.0
"""After a fault, for televisions to be there again."""
USUAL = {"UNAVAILABLE", "CONFLICT", "NOT_FOUND"}
"""Why a command may be declined: nothing plays, it plays elsewhere by now, the television has just gone."""
OFFLINE = "The device is offline."


class Kept(NamedTuple):
    """What the database says of an account in the end."""

    log: Log
    states: Mapping[str, str]
    """Of commands, beside the log."""
    playing: Mapping[str, str]
    """The session of each device that plays."""


@dataclass
class Obedience:
    """What was found; each list has a line for each thing that should not be."""

    accepted: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    handed_over: int = 0
    """Sessions that another television went on with."""
    tellings: int = 0
    """Of states to remote controls, as the log has it that there should be."""
    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    disordered: list[str] = field(default_factory=list)
    lapsed: list[str] = field(default_factory=list)
    """Commands that were done although they must not be, or not any more."""
    stuck: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    apart: list[str] = field(default_factory=list)
    """What was told or is shown, and is not so."""
    calm: list[float] = field(default_factory=list)
    """Seconds from a button to the television, where nothing was broken nor had been."""
    stormy: list[float] = field(default_factory=list)
    """The same where something was."""

    @property
    def clean(self) -> bool:
        return not (
            self.lost
            or self.duplicated
            or self.disordered
            or self.lapsed
            or self.stuck
            or self.late
            or self.refused
            or self.apart
        )


@dataclass
class Course:
    """A command as the log tells of it; moments by the clock of this process."""

    device: str
    seq: int
    sent: float
    expires: float
    """As it was sent."""
    states: list[CommandState] = field(default_factory=list)
    until: float = -inf
    """When it had to be done, as its acknowledgement said; never where there was none."""

    @property
    def lapses(self) -> float:
        return max(self.expires, self.until)

    @property
    def end(self) -> CommandState | None:
        return self.states[-1] if self.states[-1].final else None


def at_rest(kept: Kept, remote: Remote) -> bool:
    """Whether all commands have ended, the remote control has heard of it, and what is shown is so."""
    rows = [record for record in kept.log if record.kind in {"command", "command_state"}]
    told = not rows or bool(remote.told and remote.told[-1].seq >= rows[-1].seq)
    shown = all(_shown(kept, each) == each.session_id for each in remote.televisions)
    return told and shown and all(CommandState(state).final for state in kept.states.values())


def judge_commands(homes: Iterable[tuple[Kept, Remote]], broken: Sequence[Broken], epoch: float) -> Obedience:
    """Of whole logs and those who sent and obeyed, once all commands had the time to end.

    `epoch` is the time since 1970 at which the clock of this process stood at 0.
    """
    found = Obedience()
    for kept, remote in homes:
        courses = _courses(kept.log, epoch, found)
        _ended(kept, courses, found)
        _told(kept, remote, courses, found)
        found.lost += [
            f"{one.command} was taken from {remote.name} and is not in the log"
            for one in remote.sent
            if one.command not in courses
        ]
        for television in remote.televisions:
            _handed(television, courses, found)
            _begun(television, courses, found)
            if (shown := _shown(kept, television)) != television.session_id:
                found.apart.append(f"{television.name} plays {television.session_id}, and {shown} is shown")
        _done(remote, courses, found)
        _in_time(remote, courses, broken, found)
        found.refused += _refused(remote, broken)
        _measure(remote, broken, found)
    return found


def _courses(log: Log, epoch: float, found: Obedience) -> dict[str, Course]:
    courses: dict[str, Course] = {}
    for seq, kind, payload in log:
        if kind == "playback":
            found.handed_over += payload.get("endReason") == PlaybackEnd.HANDED_OVER
        if kind not in {"command", "command_state"}:
            continue
        key, state = payload["id"], CommandState(payload["state"])
        sent, expires = (
            datetime.fromisoformat(payload[name]).timestamp() - epoch for name in ("created", "expires")
        )
        if key not in courses:
            courses[key] = Course(payload["device"], seq, sent, expires)
            if kind != "command":
                found.lost.append(f"{key} is {state} in the log, and was never sent")
        courses[key].states.append(state)
        if state is CommandState.ACKNOWLEDGED:
            courses[key].until = expires
    return courses


def _ended(kept: Kept, courses: Mapping[str, Course], found: Obedience) -> None:
    """Each command has come to one end, and nowhere back."""
    found.accepted += len(courses)
    for key, course in courses.items():
        if course.end is None:
            found.stuck.append(f"{key} stands in {course.states[-1]}")
        else:
            found.ends[course.end] += 1
        if kept.states.get(key) != course.states[-1]:
            found.stuck.append(f"{key} is {kept.states.get(key)}, and the log says {course.states[-1]}")
        for one, other in pairwise(course.states):
            if other.rank == one.rank:
                found.duplicated.append(f"{key} became {one} and then {other}")
            elif other.rank < one.rank:
                found.disordered.append(f"{key} became {one} and then {other}")


def _told(kept: Kept, remote: Remote, courses: Mapping[str, Course], found: Obedience) -> None:
    """The remote control was told of each state once and in order, and so of each end once."""
    expected = {
        record.seq: record
        for record in kept.log
        if record.seq > remote.began_behind and record.kind in {"command", "command_state"}
    }
    found.tellings += len(expected)
    seqs = [telling.seq for telling in remote.told]
    found.lost += [f"{remote.name} was not told of {seq}" for seq in sorted(expected.keys() - set(seqs))]
    found.duplicated += [
        f"{remote.name} was told of {seq} {times} times" for seq, times in Counter(seqs).items() if times > 1
    ]
    found.disordered += [f"{remote.name} was told of {seq} out of its turn" for seq in disorder(seqs)]
    for telling in remote.told:
        known = expected.get(telling.seq)
        said = None if known is None else str(known.payload["state"]).upper()
        if known is None or (known.payload["id"], said) != (telling.command, telling.state):
            found.apart.append(f"{remote.name} was told that {telling.command} is {telling.state}: {said}")
    ends = Counter(telling.command for telling in remote.told if CommandState(telling.state.lower()).final)
    for key, course in courses.items():
        if course.end is not None and course.seq > remote.began_behind and not ends[key]:
            found.lost.append(f"{remote.name} was not told the end of {key}")
        elif ends[key] > 1:
            found.duplicated.append(f"{remote.name} was told {ends[key]} ends of {key}")


def _handed(television: Television, courses: Mapping[str, Course], found: Obedience) -> None:
    """Each command came once and in order; again only by a later stream, to one that did not know it."""
    first: dict[str, Handed] = {}
    for one in television.handed:
        course = courses.get(one.command)
        if course is None or course.device != key_of(television.device_id, "Device", "deviceId"):
            found.apart.append(f"{television.name} was handed {one.command}, which is not for it")
        before = first.setdefault(one.command, one)
        known = one.seq <= one.after or one.at > television.acknowledged.get(one.command, inf)
        if known or (before is not one and before.stream == one.stream):
            found.duplicated.append(f"{television.name} was handed {one.command} again")
    found.disordered += [
        f"{television.name} was handed {seq} out of its turn"
        for seq in disorder([one.seq for one in first.values()])
    ]


def _begun(television: Television, courses: Mapping[str, Course], found: Obedience) -> None:
    """What was done was done once, in order and in time."""
    begun = [one for one in television.begun if one.command in courses]
    times = Counter(one.command for one in television.begun)
    found.duplicated += [f"{television.name} did {key} {n} times" for key, n in times.items() if n > 1]
    found.disordered += [
        f"{television.name} did {seq} out of its turn"
        for seq in disorder([courses[one.command].seq for one in begun])
    ]
    for one in television.begun:
        until = courses[one.command].until if one.command in courses else -inf
        if one.at >= until:
            found.lapsed.append(f"{television.name} did {one.command} {one.at - until:.1f} s after its time")


def _done(remote: Remote, courses: Mapping[str, Course], found: Obedience) -> None:
    """What was executed was done."""
    begun = {one.command for television in remote.televisions for one in television.begun}
    found.lost += [
        f"{key} was executed, and nobody did it"
        for key, course in courses.items()
        if course.end is CommandState.EXECUTED and key not in begun
    ]


def _shown(kept: Kept, television: Television) -> str | None:
    """The session by which the graph shows what plays there."""
    key = kept.playing.get(key_of(television.device_id, "Device", "deviceId"))
    return None if key is None else encode("PlaybackSession", key)


def _in_time(
    remote: Remote, courses: Mapping[str, Course], broken: Sequence[Broken], found: Obedience
) -> None:
    """No command lapsed for want of a hand-over while all was whole; and each end was told soon."""
    answered = {key: at for television in remote.televisions for key, at in television.answered.items()}
    ended = {
        telling.command: telling.at
        for telling in reversed(remote.told)
        if CommandState(telling.state.lower()).final
    }
    for key, course in courses.items():
        expired, begun = course.end is CommandState.EXPIRED, course.until > -inf
        whole = whole_seconds(course.sent, course.expires, broken)
        if expired and not begun and whole > LATE_SECONDS:
            found.late.append(f"{key} lapsed, though for {whole:.1f} s nothing was broken")
        at, told = course.lapses if expired else answered.get(key), ended.get(key)
        if at is not None and told is not None and whole_seconds(at, told, broken) > LATE_SECONDS:
            found.late.append(
                f"{remote.name} was told {told - at:.1f} s later that {key} is {course.end}, "
                f"{since(at, broken)}"
            )


def _refused(remote: Remote, broken: Sequence[Broken]) -> Iterator[str]:
    for refusal, at in remote.declined:
        calm = not any(fault.began <= at <= fault.ended + BACK_SECONDS for fault in broken)
        if refusal["code"] not in USUAL or (calm and refusal["message"] == OFFLINE):
            yield f"{remote.name}: {refusal['message']}, {since(at, broken)}"


def _measure(remote: Remote, broken: Sequence[Broken], found: Obedience) -> None:
    pressed = {one.command: one.pressed_at for one in remote.sent}
    for television in remote.televisions:
        for one in television.handed:
            at = pressed.pop(one.command, None)
            if at is not None:
                (found.stormy if storms(at, one.at, broken) else found.calm).append(one.at - at)
