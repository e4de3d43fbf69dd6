"""What a device keeps on its disk: the queue of what its user did, and a copy of the viewer's state.

One SQLite file. What `do` has returned is not lost, whenever the process is killed; what `settle` has been
told is not sent again.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from media_gateway_client import replica
from media_gateway_client.changes import Change
from media_gateway_client.clock import COUNTER_BITS, Version, tick
from media_gateway_client.errors import Rejected

CAPACITY = 1_000
"""Operations that may wait: beyond, the user is told, and nothing is dropped."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS operation (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, clock INTEGER NOT NULL, base TEXT,
    kind TEXT NOT NULL, content TEXT NOT NULL, viewing INTEGER NOT NULL, arguments TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS dead_letter (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, content TEXT NOT NULL, arguments TEXT NOT NULL,
    reason TEXT NOT NULL, code TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS known (
    kind TEXT NOT NULL, content TEXT NOT NULL, viewing INTEGER NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (kind, content, viewing)) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Operation:
    """Something that waits to be sent."""

    id: str
    change: Change
    version: Version
    base: str | None

    def input(self) -> dict[str, Any]:
        """As `OperationInput` of the graph has it."""
        told = {"id": self.id, "version": str(self.version), "change": self.change.input()}
        return told if self.base is None else told | {"base": self.base}


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Something that the server refused, for a reason that sending it again does not mend."""

    id: str
    change: Change
    reason: str
    code: str


class Store:
    """The queue and the copy of one device. Not for several processes at once."""

    def __init__(self, path: Path | str, now: Callable[[], int]) -> None:
        """`now` tells wall time in milliseconds."""
        self._now = now
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.executescript(_SCHEMA)

    def close(self) -> None:
        self._database.close()

    # The device

    @property
    def device_id(self) -> str | None:
        return self._setting("device")

    @property
    def cursor(self) -> str | None:
        """Behind which the changes of the server go on; nothing before the first snapshot."""
        return self._setting("cursor")

    def name(self, device_id: str) -> None:
        """Remembers as which device the server knows this one."""
        self._set("device", device_id)

    def remember(self, name: str, value: Any | None) -> None:
        """Keeps something small, as JSON, that the program must know again after it was killed."""
        self._set(f"of program: {name}", json.dumps(value))

    def remembered(self, name: str) -> Any | None:
        """What was kept by this name; nothing where nothing was."""
        found = self._setting(f"of program: {name}")
        return None if found is None else json.loads(found)

    def stamp(self) -> Version:
        """The time of something that is told at once, after all that was done here."""
        with self._transaction():
            clock = tick(int(self._setting("clock") or 0), self._now())
            self._set("clock", str(clock))
        return Version(clock, self.device_name)

    # What the user does

    def do(self, change: Change) -> Operation:
        """Queues it; on the disk once this returns. `Rejected` where the queue is full.

        Of positions in one viewing only the last waits, and those that finish it.
        """
        with self._transaction():
            return self._queue(change)

    @property
    def device_name(self) -> str:
        """In versions; the server puts the device that pushes in its place."""
        return (self.device_id or "unregistered").replace("=", "")[:64]

    def waiting(self, limit: int = CAPACITY) -> list[Operation]:
        """The oldest operations, in the order in which they were done."""
        rows = self._database.execute(
            "SELECT id, kind, content, arguments, clock, base FROM operation ORDER BY number LIMIT ?",
            (limit,),
        )
        return [
            Operation(
                row[0], Change(row[1], row[2], json.loads(row[3])), Version(row[4], self.device_name), row[5]
            )
            for row in rows
        ]

    def __len__(self) -> int:
        return self._count()

    @property
    def settled_through(self) -> Version | None:
        """Nothing of this device with a version up to this is ever sent again."""
        oldest = self._value("SELECT min(clock) FROM operation")
        clock = int(self._setting("accepted") or 0)
        if oldest is not None:
            clock = min(clock, oldest - 1)
        return Version(clock, self.device_name) if clock > 0 else None

    def settle(
        self, results: Iterable[Mapping[str, Any]], server_milliseconds: int | None = None
    ) -> list[DeadLetter]:
        """Takes what the server says of operations: done ones leave the queue, refused ones are put aside.

        Those that were refused as this device's clock runs ahead stay, dated by the server's clock.
        """
        refused, late = list[DeadLetter](), list[str]()
        accepted = int(self._setting("accepted") or 0)
        with self._transaction():
            for result in results:
                if server_milliseconds is not None and _is_ahead(result):
                    late.append(result["operationId"])
                    continue
                row = self._database.execute(
                    "SELECT kind, content, arguments, clock FROM operation WHERE id = ?",
                    (result["operationId"],),
                ).fetchone()
                if row is None:
                    continue  # it was coalesced away meanwhile
                if result["fate"] != "REFUSED":
                    accepted = max(accepted, row[3])
                else:
                    error = result["userErrors"][0]
                    change = Change(row[0], row[1], json.loads(row[2]))
                    letter = DeadLetter(result["operationId"], change, error["message"], error["code"])
                    refused.append(letter)
                    self._database.execute(
                        "INSERT OR REPLACE INTO dead_letter VALUES (?, ?, ?, ?, ?, ?)",
                        (letter.id, row[0], row[1], row[2], letter.reason, letter.code),
                    )
                self._database.execute("DELETE FROM operation WHERE id = ?", (result["operationId"],))
            self._set("accepted", str(accepted))
            if server_milliseconds is not None:
                self._date_back(late, server_milliseconds)
        return refused

    def _date_back(self, operation_ids: Sequence[str], server_milliseconds: int) -> None:
        """By what this clock is ahead of the server's, to now at the latest; in the order they have."""
        ahead = max(0, self._now() - server_milliseconds)
        before = int(self._setting("accepted") or 0)
        for operation_id in operation_ids:
            row = self._database.execute(
                "SELECT clock FROM operation WHERE id = ?", (operation_id,)
            ).fetchone()
            if row is None:
                continue  # it was coalesced away meanwhile
            right = min((row[0] >> COUNTER_BITS) - ahead, server_milliseconds)
            before = max(right << COUNTER_BITS, before + 1)
            self._database.execute("UPDATE operation SET clock = ? WHERE id = ?", (before, operation_id))
        if operation_ids:
            # Nothing with the time that is ahead was accepted, so the clock may go back to the right one.
            self._set("clock", str(before))

    def dead_letters(self) -> list[DeadLetter]:
        rows = self._database.execute(
            "SELECT id, kind, content, arguments, reason, code FROM dead_letter ORDER BY id"
        )
        return [
            DeadLetter(row[0], Change(row[1], row[2], json.loads(row[3])), row[4], row[5]) for row in rows
        ]

    def retry(self, letter_id: str) -> Operation:
        """Does it again, as of now; KeyError where there is no such letter."""
        letter = next((letter for letter in self.dead_letters() if letter.id == letter_id), None)
        if letter is None:
            raise KeyError(letter_id)
        with self._transaction():
            operation = self._queue(letter.change)
            self.discard(letter_id)
        return operation

    def discard(self, letter_id: str) -> None:
        self._database.execute("DELETE FROM dead_letter WHERE id = ?", (letter_id,))

    # What the server tells

    def apply(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Takes events of `changes` into the copy, together with the cursor behind them."""
        with self._transaction():
            for event in events:
                if event["__typename"] == "SnapshotBegan":
                    self._database.execute("DELETE FROM known")
                found = replica.key_and_value(dict(event))
                if found is not None:
                    self._keep(*found)
                self._set("cursor", event["cursor"])

    # What the user sees: what the server told, and on top of it what waits in the queue

    def progress(self, content_id: str | None = None) -> list[replica.Progress]:
        """Every viewing, of one title or of all."""
        return [
            replica.Progress(
                content,
                viewing,
                told["positionSeconds"],
                told["durationSeconds"],
                told["completed"],
                told["version"],
            )
            for (content, viewing), told in self._shown("watched").items()
            if content_id in {None, content}
        ]

    def viewing(self, content_id: str) -> int:
        """The viewing that goes on, or the next one where the last is finished."""
        viewings = sorted(self.progress(content_id), key=lambda known: known.viewing)
        if not viewings:
            return 1
        return viewings[-1].viewing + viewings[-1].completed

    def watchlist(self) -> list[replica.Entry]:
        """In the viewer's order; what was added and not yet sent stands last."""
        entries = [
            replica.Entry(content, tuple(told["tags"]), told["place"])
            for (content, _), told in self._shown("watchlist").items()
        ]
        return sorted(entries, key=lambda entry: (not entry.place, entry.place, entry.content_id))

    def reactions(self) -> list[replica.Reaction]:
        return [
            replica.Reaction(content, told["verdict"], told["stars"], told["version"])
            for (content, _), told in self._shown("reacted").items()
        ]

    def marks(self) -> list[replica.Marks]:
        return [
            replica.Marks(content, told["note"], told["dropped"], told["hidden"])
            for (content, _), told in self._shown("marks").items()
        ]

    def tags(self, content_id: str) -> tuple[str, ...]:
        """The additions that hold a title on the watchlist, as far as this device knows."""
        return next((entry.tags for entry in self.watchlist() if entry.content_id == content_id), ())

    def _queue(self, change: Change) -> Operation:
        if self._count() >= CAPACITY:
            raise Rejected(f"{CAPACITY} changes wait already; connect first.", "QUEUE_FULL")
        known = self._version(change)
        # After what the user saw, also where this device's clock is behind that of another.
        seen = 0 if known is None else Version.parse(known).clock
        base = known if change.replaces_what_is_shown else None
        clock = tick(max(int(self._setting("clock") or 0), seen), self._now())
        self._set("clock", str(clock))
        operation = Operation(str(uuid4()), change, Version(clock, self.device_name), base)
        if change.kind == "watched":
            self._coalesce(change)
        _, content, viewing = change.register
        self._database.execute(
            """INSERT INTO operation (id, clock, base, kind, content, viewing, arguments)
               VALUES (?, ?, ?, ?, ?, ?, ?)""",
            (
                operation.id,
                clock,
                operation.base,
                change.kind,
                content,
                viewing,
                json.dumps(change.arguments),
            ),
        )
        return operation

    def _shown(self, kind: str) -> dict[tuple[str, int], replica.Told]:
        shown = self._known(kind)
        for operation in self.waiting():
            _, content, viewing = operation.change.register
            if operation.change.shown_as != kind:
                continue
            known = shown.pop((content, viewing), None)
            after = replica.overlaid(known, operation.change, operation.id, operation.version)
            if after is not None:
                shown[content, viewing] = after
        return shown

    def _known(self, kind: str) -> dict[tuple[str, int], replica.Told]:
        rows = self._database.execute("SELECT content, viewing, value FROM known WHERE kind = ?", (kind,))
        return {(row[0], row[1]): json.loads(row[2]) for row in rows}

    def _keep(self, key: tuple[str, str, int], value: replica.Told | None) -> None:
        if value is None:
            self._database.execute("DELETE FROM known WHERE kind = ? AND content = ? AND viewing = ?", key)
        else:
            self._database.execute(
                "INSERT OR REPLACE INTO known VALUES (?, ?, ?, ?)", (*key, json.dumps(value))
            )

    def _version(self, change: Change) -> str | None:
        """Of what this device knows and is about to change."""
        _, content, viewing = change.register
        row = self._database.execute(
            "SELECT value FROM known WHERE kind = ? AND content = ? AND viewing = ?",
            (change.shown_as, content, viewing),
        ).fetchone()
        version: str | None = None if row is None else json.loads(row[0]).get("version")
        return version

    def _coalesce(self, change: Change) -> None:
        _, content, viewing = change.register
        rows = self._database.execute(
            "SELECT id, arguments FROM operation WHERE kind = 'watched' AND content = ? AND viewing = ?",
            (content, viewing),
        ).fetchall()
        for operation_id, arguments in rows:
            if not Change("watched", content, json.loads(arguments)).finishes:
                self._database.execute("DELETE FROM operation WHERE id = ?", (operation_id,))

    def _count(self) -> int:
        return int(self._value("SELECT count(*) FROM operation"))

    def _value(self, statement: str) -> Any:
        with closing(self._database.execute(statement)) as found:
            return found.fetchone()[0]

    def _setting(self, name: str) -> str | None:
        row = self._database.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def _set(self, name: str, value: str) -> None:
        self._database.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, value))

    def _transaction(self) -> "_Transaction":
        return _Transaction(self._database)


class _Transaction:
    """All of a block, or nothing of it."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def __enter__(self) -> None:
        self._database.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        self._database.execute("COMMIT" if kind is None else "ROLLBACK")


def _is_ahead(result: Mapping[str, Any]) -> bool:
    """Whether an operation was refused as its time lies ahead."""
    return result["fate"] == "REFUSED" and str(result["userErrors"][0]["code"]) == "CLOCK_AHEAD"
