"""What the log holds against what was acknowledged, and what devices were told against what the log holds."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

from bench.campaign.faults import Broken, since, storms, whole_seconds
from bench.campaign.fleet import Acknowledged, Device
from media_gateway_client import Change
from resolvers.ids import content_key, key_of

LATE_SECONDS = 10.0
"""For every device to have a change that was acknowledged, without the time that something was broken."""

TOLD_AS = {
    "reacted": "reaction",
    "noted": "marks",
    "dropped": "marks",
    "hidden": "marks",
    "moved": "watchlist",
}
"""The kinds of rows that tell of operations which write to a register."""
VALUES = {"reacted": ("verdict", "stars"), "noted": ("note",), "dropped": ("dropped",), "hidden": ("hidden",)}
"""What such a row says of them."""


class Record(NamedTuple):
    """A row of the change log of an account."""

    seq: int
    kind: str
    payload: Mapping[str, Any]


Log = Sequence[Record]


@dataclass
class Verdict:
    """What was found; each list has a line for each thing that should not be."""

    acknowledged: int = 0
    deliveries: int = 0
    """Of events to devices, as the log has it that there should be."""
    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    apart: list[str] = field(default_factory=list)
    """Devices whose copy is not that of the others of their account."""
    calm: list[float] = field(default_factory=list)
    """Seconds from what one device did to another's knowing of it, where nothing was broken nor had been."""
    stormy: list[float] = field(default_factory=list)
    """The same where something was."""
    healed: dict[str, float] = field(default_factory=dict)
    """By the fault that held up a change: the longest that all was whole and a device did not know of it."""

    @property
    def clean(self) -> bool:
        return not (self.lost or self.duplicated or self.late or self.refused or self.apart)


def judge_changes(accounts: Iterable[tuple[Log, Sequence[Device]]], broken: Sequence[Broken]) -> Verdict:
    """Of whole logs, and the devices of each account, once all of these had the time to catch up."""
    verdict = Verdict()
    for log, devices in accounts:
        known = _Log(log)
        _repeats(known, verdict)
        verdict.lost += _standing(known, devices)
        for device in devices:
            _delivered(known, device, verdict)
            verdict.refused += [f"{one['operationId']}: {one['userErrors']}" for one in device.refused]
        told = [(device, device.told_at) for device in devices]
        for sender in devices:
            for one in sender.acknowledged:
                _kept(known, sender, one, told, broken, verdict)
        verdict.late += [
            f"{device.name} has {waiting} changes left to send"
            for device in devices
            if (waiting := len(device.store)) > 0
        ]
        copies = [_copy(device) for device in devices]
        verdict.apart += [
            device.name for device, copy in zip(devices, copies, strict=True) if copy != copies[0]
        ]
    return verdict


class _Told(NamedTuple):
    """A row that tells what stands in a register, and since which clock."""

    seq: int
    clock: int
    payload: Mapping[str, Any] | None


class _Log:
    """A log by what its rows say."""

    def __init__(self, log: Log) -> None:
        self.seqs = [record.seq for record in log]
        self.positions: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
        """The rows that tell of a viewing."""
        self.told: defaultdict[tuple[str, int], list[_Told]] = defaultdict(list)
        """The rows that tell of reactions, of marks and of an entry of the watchlist, by kind and title."""
        self.came: defaultdict[str, list[int]] = defaultdict(list)
        self.went: defaultdict[str, list[int]] = defaultdict(list)
        """The rows at which an addition came to the watchlist and left it, by its tag."""
        listed: dict[int, set[str]] = {}
        for seq, kind, payload in log:
            if kind == "progress":
                self.positions[payload["content"], payload["viewing"]].append(seq)
            elif kind in {"reaction", "marks"}:
                self.told[kind, payload["content"]].append(_Told(seq, _clock(payload), payload))
            elif kind == "watchlist":
                entry, content = payload["entry"], payload["content"]
                self.told[kind, content].append(_Told(seq, _clock(entry), entry))
                tags = set() if entry is None else set(entry["tags"])
                for tag in tags - listed.get(content, set()):
                    self.came[tag].append(seq)
                for tag in listed.get(content, set()) - tags:
                    self.went[tag].append(seq)
                listed[content] = tags

    def rows(self, one: Acknowledged) -> list[list[int]]:
        """The rows of each thing that an operation did."""
        change = one.operation.change
        match change.kind:
            case "watched":
                return [self.positions[content_key(change.content_id), change.arguments["viewing"]]]
            case "added":
                return [self.came[one.operation.id]]
            case "removed":
                return [self.went[tag] for tag in change.arguments["tags"]]
        kind = TOLD_AS[change.kind]
        told = self.told[kind, content_key(change.content_id)]
        if kind == "watchlist" and (not told or told[-1].payload is None):
            return []  # the title has left the list, and its place with it
        # The write itself, or a later one that it was merged with.
        return [[row.seq for row in told if row.clock >= one.operation.version.clock]]


def _standing(known: _Log, devices: Sequence[Device]) -> Iterator[str]:
    """What the log says last of reactions and marks, and is not what the latest write says."""
    latest: dict[tuple[str, str], tuple[int, str, Change]] = {}
    for device in devices:
        key = device.store.device_id or ""
        for one in device.acknowledged:
            change = one.operation.change
            if change.kind in VALUES:
                write = (one.operation.version.clock, key_of(key, "Device", "deviceId"), change)
                register = change.kind, change.content_id
                latest[register] = max(write, latest.get(register, write), key=lambda each: each[:2])
    for (kind, content), (clock, _, change) in latest.items():
        rows = known.told[TOLD_AS[kind], content_key(content)]
        # What was done last may have had no answer, which is why nobody holds it against the log.
        newest = max(
            write[0] for (k, c), write in latest.items() if c == content and TOLD_AS[k] == TOLD_AS[kind]
        )
        if not rows or rows[-1].clock > newest:
            continue
        for name in VALUES[kind]:
            said = change.arguments["text" if name == "note" else name]
            stands = rows[-1].payload[name] if rows[-1].payload is not None else None
            if said != (stands.upper() if name == "verdict" and stands else stands):
                yield f"{change} of {clock:x} was acknowledged last, and the log says {stands!r}"


def _clock(told: Mapping[str, Any] | None) -> int:
    """Of a version as it is printed; 0 where there is none."""
    return int(told["version"].partition("@")[0], 16) if told is not None and told.get("version") else 0


def _repeats(known: _Log, verdict: Verdict) -> None:
    verdict.duplicated += [
        f"{register} is told the same at {one.seq} and {other.seq}"
        for register, rows in known.told.items()
        if register[0] == "reaction"  # an older mark of another kind may change nothing that is told
        for one, other in pairwise(rows)
        if one.payload is not None and one.payload == other.payload
    ]
    for things in (known.positions, known.came, known.went):
        verdict.duplicated += [
            f"{thing} is in the log at {rows}" for thing, rows in things.items() if len(rows) > 1
        ]


def _delivered(known: _Log, device: Device, verdict: Verdict) -> None:
    began = device.began_behind or 0
    expected = [seq for seq in known.seqs if seq > began]
    got = [delivery.seq for delivery in device.delivered]
    verdict.deliveries += len(expected)
    verdict.lost += [f"{device.name} was not told of {seq}" for seq in sorted(set(expected) - set(got))]
    verdict.duplicated += [
        f"{device.name} was told of {seq} {times} times" for seq, times in Counter(got).items() if times > 1
    ]
    verdict.duplicated += [f"{device.name} was told of {seq} out of its turn" for seq in disorder(got)]


def _kept(  # noqa: PLR0913, PLR0917 - what is compared with what
    known: _Log,
    sender: Device,
    one: Acknowledged,
    told: Sequence[tuple[Device, Mapping[int, float]]],
    broken: Sequence[Broken],
    verdict: Verdict,
) -> None:
    verdict.acknowledged += 1
    rows = known.rows(one)
    if not all(rows):
        verdict.lost.append(f"{one.operation} of {sender.name} was acknowledged and is not in the log")
        return
    if not rows or one.operation.change.kind == "moved":
        return  # a move is told once its title is on the list, which may be later
    acted = sender.acted[one.operation.id]
    first = min(found[0] for found in rows)
    for device, times in told:
        at = times.get(first)
        if at is None or at < acted:
            continue  # lost, or before it followed; or it was overtaken before it was made
        if whole_seconds(one.at, at, broken) > LATE_SECONDS:
            verdict.late.append(
                f"{device.name} was told of {first} {at - one.at:.1f} s after it was acknowledged, "
                f"{since(one.at, broken)}"
            )
        if device is not sender:
            storm = storms(acted, at, broken)
            (verdict.stormy if storm else verdict.calm).append(at - acted)
            if storm:
                name, whole = storm[0].name, whole_seconds(acted, at, broken)
                verdict.healed[name] = max(whole, verdict.healed.get(name, 0.0))


def disorder(seqs: Sequence[int]) -> Iterator[int]:
    """Those that come after a greater one."""
    last = 0
    for seq in seqs:
        if seq < last:
            yield seq
        last = max(last, seq)


def _copy(device: Device) -> Any:
    """What a device knows, in no order."""
    progress = {repr(known) for known in device.store.progress()}
    entries = {(entry.content_id, entry.tags, entry.place) for entry in device.store.watchlist()}
    return progress, entries, set(device.store.reactions()), set(device.store.marks())
