import pytest

from bench.load import LoadFailed, answer_in
from bench.measures import Result, Timing, percentile

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n"
BODY = b'{"data":{"a":1}'


def test_a_percentile_is_the_value_that_so_many_do_not_exceed() -> None:
    hundred = [float(value) for value in range(1, 101)]

    assert [percentile(hundred, share) for share in (0.5, 0.95, 0.99, 1.0)] == [50.0, 95.0, 99.0, 100.0]
    assert percentile([7.0], 0.99) == 7.0


def test_times_need_no_order_and_are_told_in_milliseconds() -> None:
    timing = Timing.of([0.004, 0.001, 0.003, 0.002], elapsed_seconds=2.0)

    assert (timing.per_second, timing.p50_ms, timing.p99_ms) == (2.0, 2.0, 4.0)


def test_one_disturbed_round_does_not_count() -> None:
    rounds = [
        Timing(100.0, 1.0, 2.0, 3.0, 0.5),
        Timing(20.0, 9.0, 9.0, 9.0, 0.9),
        Timing(90.0, 1.2, 2.2, 3.1, 0.6),
    ]

    assert Timing.median(rounds) == Timing(90.0, 1.2, 2.2, 3.1, 0.6)


def test_servers_that_share_a_load_add_up() -> None:
    together = Timing.together([Timing(300.0, 1.0, 5.0, 6.0, 2.0), Timing(100.0, 3.0, 4.0, 9.0, 4.0)])

    assert together == Timing(400.0, 3.0, 5.0, 9.0, 2.5)


def test_json_leaves_out_what_was_not_measured() -> None:
    timing = Timing(per_second=2.0, p50_ms=1.0, p95_ms=3.0, p99_ms=4.0, cpu_ms=0.5)

    assert Result("import", figure=0.0, unit="s").as_json() == {"name": "import", "figure": 0.0, "unit": "s"}
    assert Result("title", timing, note="alone", of_floor=0.5).as_json() == {
        "name": "title",
        "timing": {"per_second": 2.0, "p50_ms": 1.0, "p95_ms": 3.0, "p99_ms": 4.0, "cpu_ms": 0.5},
        "note": "alone",
        "of_floor": 0.5,
    }


def test_an_answer_counts_when_all_of_it_is_there() -> None:
    whole = HEAD + BODY

    assert [answer_in(whole[:length]) for length in range(len(whole))] == [None] * len(whole)
    assert answer_in(whole + b"HTTP/1.1 200") == (BODY, len(whole))


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 2\r\n\r\n{}",
        b'HTTP/1.1 200 OK\r\ncontent-length: 14\r\n\r\n{"errors":[{}]',
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
    ],
)
def test_nothing_but_data_counts_as_an_answer(answer: bytes) -> None:
    with pytest.raises(LoadFailed):
        answer_in(answer)
