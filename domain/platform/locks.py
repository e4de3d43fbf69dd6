"""Advisory locks of the database, in one place so that no two uses share a number."""

from enum import IntEnum


class Lock(IntEnum):
    """What only one process at a time may do."""

    MIGRATE = 7_203_411
    """Two processes that start at once must not both create the tables."""
    MERGE_IMPORT = 7_203_412
    """Matching works by title cannot be guarded by the locks of rows."""
    SHIP_OUTBOX = 7_203_413
    """Events of one key must not overtake each other."""
    ROTATE_KEYS = 7_203_414
    """Two processes must not each add a key."""
