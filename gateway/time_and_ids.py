"""What the domain takes as arguments: the time, and ids that nobody has."""

from datetime import UTC, datetime
from uuid import uuid4


def now() -> datetime:
    return datetime.now(UTC)


def new_id() -> str:
    return str(uuid4())
