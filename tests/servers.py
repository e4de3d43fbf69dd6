"""Servers that tests use, and what they watch on them."""

import os


def server_url() -> str | None:
    """A stock PostgreSQL to test on instead of the embedded one; it must let us create databases."""
    return os.environ.get("MEDIA_GATEWAY_TEST_DATABASE_URL")


class StatementCounter:
    """Counts the statements that reached the database."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def __call__(self, query: str, _seconds: float, _failure: BaseException | None) -> None:
        self.seen.append(query)

    def clear(self) -> None:
        self.seen.clear()
