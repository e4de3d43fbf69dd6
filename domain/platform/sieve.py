"""Which value goes first when there is no room: SIEVE.

Yazhuo Zhang, Juncheng Yang, Yao Yue, Ymir Vigfusson, K. V. Rashmi: "SIEVE is Simpler than LRU: an Efficient
Turn-Key Eviction Algorithm for Web Caches", NSDI 2024. A hit sets one flag and moves nothing, so it is cheap;
what is asked for once leaves before what is asked for again, so a scan does not empty the cache.
"""

from typing import Any


class Entry:
    """A kept value and its place in the queue; `size` in bytes, `expires` by the clock of the cache."""

    __slots__ = ("expires", "key", "newer", "older", "size", "table", "value", "visited")

    newer: "Entry"
    older: "Entry"

    def __init__(self, table: Any, key: Any, value: Any, size: int, expires: float) -> None:
        self.table = table
        self.key = key
        self.value = value
        self.size = size
        self.expires = expires
        self.visited = False


class Sieve:
    """Entries from the newest to the oldest, and a hand that moves from the oldest towards the newest.

    `visited` of an entry is set by whoever reads it. The hand takes it away, and stops where it is not.
    """

    def __init__(self) -> None:
        self._ends = Entry(None, None, None, 0, 0.0)  # between the newest and the oldest, in a ring
        self.clear()

    def clear(self) -> None:
        self._ends.newer = self._ends.older = self._hand = self._ends

    def push(self, entry: Entry) -> None:
        newest = self._ends.older
        entry.newer, entry.older = self._ends, newest
        self._ends.older = newest.newer = entry

    def remove(self, entry: Entry) -> None:
        if self._hand is entry:
            self._hand = entry.newer
        entry.newer.older, entry.older.newer = entry.older, entry.newer

    def victim(self) -> Entry:
        """The entry to drop next, left in the queue; raises `LookupError` where there is none."""
        if self._ends.newer is self._ends:
            raise LookupError("The queue is empty.")
        entry = self._hand
        while entry is self._ends or entry.visited:
            entry.visited = False
            entry = entry.newer
        self._hand = entry
        return entry
