"""What becomes of remote commands, said as plainly as can be, to compare the product with.

It shares no code with the product.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

RANKS = {"QUEUED": 0, "DELIVERED": 1, "ACKNOWLEDGED": 2, "EXECUTED": 3, "FAILED": 3, "EXPIRED": 3}
FINAL = 3
TO_DO_IT = 30_000
"""Milliseconds that a device has from when it acknowledged."""


@dataclass
class Command:
    """One command; moments are in milliseconds."""

    id: str
    device: str
    place: int
    """In the log of the account."""
    expires: int
    state: str = "QUEUED"
    failure: str | None = None
    done_at: int | None = None
    """When its device did it."""

    def at(self, now: int) -> str:
        """The state that everybody sees."""
        return "EXPIRED" if RANKS[self.state] < FINAL and self.expires <= now else self.state

    def is_open(self, now: int) -> bool:
        return RANKS[self.at(now)] < FINAL


@dataclass
class CommandRules:
    """All commands of an account, in the order in which they were sent."""

    commands: dict[str, Command] = field(default_factory=dict)

    def sent(self, command: Command) -> None:
        self.commands[command.id] = command

    def next_for(self, device: str, after: int, opened: int, now: int) -> Command | None:
        """What a stream is told next that was opened at one place of the log and has seen all up to another.

        What was handed to another stream comes again to one that was opened behind it, as that missed it.
        """
        for command in self._of(device):
            again = command.state == "DELIVERED" and command.place <= opened
            if command.place > after and command.is_open(now) and (command.state == "QUEUED" or again):
                return command
        return None

    def hand(self, command: Command) -> None:
        command.state = "DELIVERED"

    def report(self, key: str, state: str, failure: str | None, now: int) -> bool:
        """Whether what a device says of a command is taken."""
        command = self.commands[key]
        known = command.at(now)
        if known == state:
            return True
        if RANKS[state] <= RANKS[known]:
            return False
        command.state, command.failure = state, failure
        if state == "ACKNOWLEDGED":
            command.expires = max(command.expires, now + TO_DO_IT)
        return True

    def do(self, key: str, now: int) -> None:
        """A device does a command: once, in order, and only while it is to be done."""
        command = self.commands[key]
        assert command.at(now) == "ACKNOWLEDGED", (command, now)
        assert command.done_at is None, command
        assert all(other.done_at is None for other in self._of(command.device) if other.place > command.place)
        command.done_at = now

    def expire(self, now: int) -> None:
        """Nobody answered in time."""
        for command in self.commands.values():
            command.state = command.at(now)

    def open_for(self, device: str, after: int, now: int) -> list[Command]:
        """What a device has still to do, of all behind a place."""
        return [each for each in self._of(device) if each.place > after and each.is_open(now)]

    def _of(self, device: str) -> Iterator[Command]:
        return (command for command in self.commands.values() if command.device == device)
