from domain.platform.sieve import Entry, Sieve


def queue(keys: str) -> tuple[Sieve, dict[str, Entry]]:
    """Entries of these keys, the first the oldest."""
    sieve = Sieve()
    entries = {key: Entry(None, key, key, 1, 0.0) for key in keys}
    for entry in entries.values():
        sieve.push(entry)
    return sieve, entries


def evicted(sieve: Sieve) -> str:
    victim = sieve.victim()
    sieve.remove(victim)
    return str(victim.key)


def test_what_nobody_read_goes_the_oldest_first() -> None:
    sieve, _ = queue("abc")

    assert [evicted(sieve) for _ in range(3)] == ["a", "b", "c"]


def test_what_was_read_stays_for_a_round() -> None:
    sieve, entries = queue("abc")
    entries["a"].visited = True

    assert [evicted(sieve) for _ in range(3)] == ["b", "c", "a"]


def test_the_hand_goes_on_where_it_was() -> None:
    """As in figure 1 of the paper: the hand rests behind whom it took out, newcomers come in at the head."""
    sieve, entries = queue("ABCDEFG")
    for key in "ABG":
        entries[key].visited = True

    first = evicted(sieve)
    sieve.push(Entry(None, "H", "H", 1, 0.0))
    entries["A"].visited = True
    entries["D"].visited = True
    second = evicted(sieve)
    sieve.push(Entry(None, "I", "I", 1, 0.0))
    entries["B"].visited = True
    third = evicted(sieve)

    assert [first, second, third] == ["C", "E", "F"]


def test_a_scan_leaves_what_is_read_again() -> None:
    sieve, entries = queue("ab")
    gone = []
    for number in range(100):
        entries["a"].visited = entries["b"].visited = True
        sieve.push(Entry(None, f"scan {number}", None, 1, 0.0))
        gone.append(evicted(sieve))

    assert {"a", "b"}.isdisjoint(gone)


def test_an_entry_may_be_taken_out_from_under_the_hand() -> None:
    sieve, entries = queue("abc")
    assert sieve.victim() is entries["a"]

    sieve.remove(entries["a"])

    assert [evicted(sieve) for _ in range(2)] == ["b", "c"]


def test_all_may_have_been_read() -> None:
    sieve, entries = queue("abc")
    for entry in entries.values():
        entry.visited = True

    assert evicted(sieve) == "a"
