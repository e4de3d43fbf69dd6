"""That the campaign would see what may go wrong with commands: each fault is sown, and found."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.campaign.faults import Broken
from bench.campaign.obedience import OFFLINE, Kept, Obedience, at_rest, judge_commands
from bench.campaign.remote import Declined, Remote, Sent, Told
from bench.campaign.television import Begun, Handed, Television
from bench.campaign.verdict import Record
from media_gateway_client import Gateway
from resolvers.ids import encode
from resolvers.sync import cursor_of

EPOCH = 1_700_000_000.0
FINDINGS = ("lost", "duplicated", "disordered", "lapsed", "stuck", "late", "refused", "apart")
WAY = ("queued", "delivered", "acknowledged", "executed")


def television(name: str) -> Television:
    return Television(name, encode("Device", name), Path(name), Gateway(None, "token"))  # type: ignore[arg-type]


@dataclass
class Home:
    """An account in which each command ran its course, until a test says otherwise."""

    tv: Television = field(default_factory=lambda: television("tv"))
    other: Television = field(default_factory=lambda: television("other"))
    remote: Remote = field(init=False)
    log: list[Record] = field(default_factory=list)
    states: dict[str, str] = field(default_factory=dict)
    playing: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.remote = Remote("remote", Gateway(None, ""), [self.tv, self.other], [], cursor_of(0))  # type: ignore[arg-type]

    def row(self, key: str, state: str, *, sent: float = 0.0, expires: float = 5.0) -> int:
        """The log goes on by it, and the remote control is told; its number."""
        seq = len(self.log) + 1
        payload = {
            "id": key,
            "device": "tv",
            "state": state,
            "created": moment(sent),
            "expires": moment(expires),
        }
        self.log.append(Record(seq, "command" if state == "queued" else "command_state", payload))
        self.states[key] = state
        self.remote.told.append(Told(key, state.upper(), seq, sent + 0.1 * seq))
        return seq

    def sends(self, key: str, *, sent: float = 0.0) -> int:
        """A command that is done 0.2 s later; its number in the log."""
        expires = {"queued": 5, "delivered": 5, "acknowledged": 30, "executed": 30}
        seq, *_ = [self.row(key, state, sent=sent, expires=sent + expires[state]) for state in WAY]
        self.remote.sent.append(Sent(key, sent))
        self.tv.handed.append(Handed(key, seq, 1, 0, sent + 0.1))
        self.tv.acknowledged[key] = sent + 0.15
        self.tv.begun.append(Begun(key, sent + 0.2))
        self.tv.answered[key] = sent + 0.3
        return seq

    @property
    def kept(self) -> Kept:
        return Kept(self.log, self.states, self.playing)

    def found(self, *broken: Broken) -> Obedience:
        return judge_commands([(self.kept, self.remote)], broken, EPOCH)


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(EPOCH + seconds, UTC).isoformat()


def findings(found: Obedience) -> dict[str, int]:
    """How many there are of each kind of which there is one."""
    return {name: count for name in FINDINGS if (count := len(getattr(found, name)))}


@pytest.fixture
def home() -> Home:
    """Two commands have been done."""
    home = Home()
    for key in ("a", "b"):
        home.sends(key)
    return home


def test_what_was_done_once_in_order_and_in_time_is_fine(home: Home) -> None:
    home.log.append(Record(9, "playback", {"endReason": "handed_over"}))

    found = home.found()

    assert found.clean
    assert (found.accepted, found.ends, found.handed_over, found.tellings) == (2, {"executed": 2}, 1, 8)
    assert found.calm == [pytest.approx(0.1)] * 2
    assert home.found(Broken("cut", -5.0, -1.0)).stormy == [pytest.approx(0.1)] * 2
    assert at_rest(home.kept, home.remote)


def test_what_comes_again_to_a_stream_of_somebody_who_does_not_know_it_is_fine(home: Home) -> None:
    """As to a television that was killed before it had said that it has the command."""
    first = home.tv.handed[0]
    home.tv.handed.insert(1, first._replace(stream=2, at=0.12))

    assert home.found().clean


SOWN: dict[str, tuple[Callable[[Home], object], dict[str, int]]] = {}


def sown(**expected: int) -> Callable[[Callable[[Home], object]], Callable[[Home], object]]:
    def sow(fault: Callable[[Home], object]) -> Callable[[Home], object]:
        SOWN[fault.__name__.replace("_", " ")] = (fault, expected)
        return fault

    return sow


# -- what was accepted has one end


@sown(lost=1)
def what_was_taken_is_not_in_the_log(home: Home) -> None:
    home.remote.sent.append(Sent("c", 1.0))


@sown(lost=1)
def what_the_log_says_of_a_command_begins_in_the_middle(home: Home) -> None:
    home.log[0] = home.log[0]._replace(kind="command_state")


@sown(stuck=1)
def a_command_stays_queued(home: Home) -> None:
    home.row("c", "queued")


@sown(stuck=1)
def a_command_stays_acknowledged(home: Home) -> None:
    for state in WAY[:3]:
        home.row("c", state)


@sown(stuck=1)
def the_log_ends_a_command_that_is_queued_beside_it(home: Home) -> None:
    home.states["b"] = "queued"


@sown(duplicated=2)
def a_command_has_two_ends(home: Home) -> None:
    home.row("b", "expired")


@sown(duplicated=1)
def a_command_is_delivered_twice_in_the_log(home: Home) -> None:
    for state in ("queued", "delivered", "delivered", "expired"):
        home.row("c", state)


@sown(disordered=1)
def a_command_goes_back(home: Home) -> None:
    for state in ("queued", "delivered", "queued", "expired"):
        home.row("c", state)


# -- what televisions were handed


@sown(duplicated=1)
def a_stream_hands_a_command_over_twice(home: Home) -> None:
    home.tv.handed.insert(1, home.tv.handed[0]._replace(at=0.12))


@sown(duplicated=1)
def a_later_stream_hands_over_what_the_television_has_told_to_have(home: Home) -> None:
    home.tv.handed.append(home.tv.handed[1]._replace(stream=2, at=0.9))


@sown(duplicated=1)
def a_stream_hands_over_what_lies_before_its_cursor(home: Home) -> None:
    home.tv.handed[1] = home.tv.handed[1]._replace(after=7)


@sown(disordered=1)
def commands_are_handed_over_out_of_order(home: Home) -> None:
    home.tv.handed.reverse()


@sown(apart=1)
def a_command_is_handed_to_another_television(home: Home) -> None:
    home.other.handed.append(home.tv.handed.pop())


# -- what televisions did


@sown(lost=1)
def nobody_did_what_was_executed(home: Home) -> None:
    home.tv.begun.pop()


@sown(duplicated=1)
def a_command_is_done_twice(home: Home) -> None:
    home.tv.begun.append(home.tv.begun[1])


@sown(disordered=1)
def commands_are_done_out_of_order(home: Home) -> None:
    home.tv.begun.reverse()


@sown(lapsed=1)
def a_command_is_done_after_its_time(home: Home) -> None:
    home.tv.begun[1] = Begun("b", 30.0)


@sown(lapsed=1)
def a_command_is_done_that_was_not_acknowledged(home: Home) -> None:
    for state in ("queued", "delivered", "expired"):
        home.row("c", state)
    home.tv.begun.append(Begun("c", 1.0))


# -- what the remote control was told


@sown(lost=1)
def a_state_is_not_told(home: Home) -> None:
    del home.remote.told[1]


@sown(lost=2)
def an_end_is_not_told(home: Home) -> None:
    home.remote.told.pop()


@sown(duplicated=1)
def a_state_is_told_twice(home: Home) -> None:
    home.remote.told.insert(1, home.remote.told[1])


@sown(duplicated=2)
def an_end_is_told_twice(home: Home) -> None:
    home.remote.told.append(home.remote.told[-1])


@sown(disordered=1)
def states_are_told_out_of_order(home: Home) -> None:
    home.remote.told[1:3] = reversed(home.remote.told[1:3])


@sown(duplicated=1, apart=1)
def what_was_queued_is_told_as_expired(home: Home) -> None:
    home.remote.told[0] = home.remote.told[0]._replace(state="EXPIRED")


# -- what is late, refused or not shown


@sown(late=1)
def a_command_lapses_though_all_is_whole(home: Home) -> None:
    home.row("c", "queued", expires=20.0)
    home.row("c", "expired", expires=20.0)
    home.remote.told[-1] = home.remote.told[-1]._replace(at=20.5)


@sown(late=1)
def an_end_is_told_long_after_the_television_has_told_it(home: Home) -> None:
    home.remote.told[3] = home.remote.told[3]._replace(at=11.0)


@sown(late=1)
def an_end_is_told_long_after_the_time_was_over(home: Home) -> None:
    home.row("c", "queued")
    home.row("c", "expired")
    home.remote.told[-1] = home.remote.told[-1]._replace(at=15.5)


@sown(refused=1)
def a_television_is_offline_though_all_is_whole(home: Home) -> None:
    home.remote.declined.append(Declined({"message": OFFLINE, "code": "UNAVAILABLE"}, 9.0))


@sown(refused=1)
def a_command_is_refused_for_no_good_reason(home: Home) -> None:
    home.remote.declined.append(Declined({"message": "No.", "code": "INVALID"}, 9.0))


@sown(apart=1)
def the_graph_shows_what_does_not_play(home: Home) -> None:
    home.playing["tv"] = "session"


@pytest.mark.parametrize("name", list(SOWN))
def test_a_fault_is_found(home: Home, name: str) -> None:
    sow, expected = SOWN[name]

    sow(home)

    found = home.found()
    assert findings(found) == expected
    assert not found.clean


@pytest.mark.parametrize(
    "sow", [a_command_stays_queued, the_graph_shows_what_does_not_play, an_end_is_not_told]
)
def test_it_waits_for_what_may_still_come(home: Home, sow: Callable[[Home], object]) -> None:
    sow(home)

    assert not at_rest(home.kept, home.remote)


@pytest.mark.parametrize(
    "sow", [a_command_lapses_though_all_is_whole, a_television_is_offline_though_all_is_whole]
)
def test_what_a_fault_accounts_for_is_no_finding(home: Home, sow: Callable[[Home], object]) -> None:
    sow(home)

    assert home.found(Broken("cut", 2.0, 15.0)).clean
