from bench.measures import Timing
from bench.peers.comparison import Contestant, Role, rated
from bench.processes import Running
from bench.requests import Answering


def _contestant(name: str, role: Role) -> Contestant:
    return Contestant(
        name, role, Answering(Running(port=1, pid=1, started_in_seconds=0, start_cpu_seconds=0))
    )


def _timing(per_second: float) -> Timing:
    return Timing(per_second, 1.0, 1.0, 1.0)


def test_everybody_is_compared_with_the_floor_and_with_the_fastest_peer() -> None:
    field = {
        _contestant("gateway", Role.GATEWAY): 90.0,
        _contestant("floor", Role.FLOOR): 100.0,
        _contestant("bare", Role.OTHER_FLOOR): 400.0,
        _contestant("slow", Role.PEER): 20.0,
        _contestant("fast", Role.PEER): 45.0,
    }

    rows = rated("title", list(field), [_timing(speed) for speed in field.values()])

    assert [row.name for row in rows][:2] == ["title: gateway", "title: floor"]
    assert [row.of_floor for row in rows] == [0.9, 1.0, 4.0, 0.2, 0.45]
    assert [row.of_best_peer for row in rows] == [2.0, 100 / 45, 400 / 45, 20 / 45, 1.0]


def test_without_peers_there_is_no_best_one() -> None:
    rows = rated("title", [_contestant("gateway", Role.GATEWAY)], [_timing(10.0)])

    assert (rows[0].of_floor, rows[0].of_best_peer) == (None, None)
