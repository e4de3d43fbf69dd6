"""Which connections are given up, on a clock that the test turns."""

from dataclasses import dataclass, field

from gateway.cli.stalled import Stalled

SECONDS = 30.0


@dataclass
class Transport:
    waiting: int
    aborted: bool = False

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def abort(self) -> None:
        self.aborted = True


@dataclass(eq=False)
class Connection:
    transport: Transport = field(default_factory=lambda: Transport(0))


class Looking:
    def __init__(self, *connections: Connection) -> None:
        self._seconds = 0.0
        self._connections = connections
        self._stalled = Stalled(SECONDS, lambda: self._seconds)

    def after(self, seconds: float) -> int:
        self._seconds += seconds
        return self._stalled.look(self._connections)


def test_who_takes_nothing_for_so_long_is_given_up() -> None:
    stalled, done = Connection(Transport(70_000)), Connection(Transport(0))
    looking = Looking(stalled, done)

    assert [looking.after(10), looking.after(10), looking.after(10)] == [0, 0, 0]
    assert not stalled.transport.aborted
    assert looking.after(10) == 1

    assert stalled.transport.aborted
    assert not done.transport.aborted


def test_who_reads_a_byte_now_and_then_stays() -> None:
    slow = Connection(Transport(70_000))
    looking = Looking(slow)

    for _ in range(20):
        looking.after(SECONDS - 1)
        slow.transport.waiting -= 1

    assert not slow.transport.aborted


def test_who_has_read_all_in_between_begins_anew() -> None:
    bursts = Connection(Transport(70_000))
    looking = Looking(bursts)
    looking.after(1)
    bursts.transport.waiting = 0
    looking.after(SECONDS - 2)
    bursts.transport.waiting = 70_000

    assert [looking.after(1), looking.after(SECONDS - 1), looking.after(1)] == [0, 0, 1]
