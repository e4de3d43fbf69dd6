"""What Python's garbage collector is told."""

import gc

YOUNG_OBJECTS = 50_000


def look_seldom() -> None:
    """Lets many objects be made between two looks for garbage, from the start of the process on.

    A request makes thousands of objects, and an import millions, so that the default of 700 sets it off many
    times in each. Requests leave no cycles (a test sees to that), so that what eight of them hold at once
    must not set it off either: it would find nothing.
    """
    gc.set_threshold(YOUNG_OBJECTS, 10, 10)


def spare_what_stays() -> None:
    """Keeps the collector away from what was built until now and lives as long as the process.

    Walking through the schema again and again for garbage halted every request for 100 ms and more.
    """
    gc.collect()
    gc.freeze()
    look_seldom()
