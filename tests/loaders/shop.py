"""A bulk source for loaders."""

from collections.abc import Mapping, Sequence


class Shop:
    """Answers in bulk, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.broken = False
        self.cursed: set[int] = set()

    async def names(self, keys: Sequence[int]) -> Mapping[int, str]:
        self.asked.append(list(keys))
        if self.broken:
            raise LookupError("closed")
        if cursed := [key for key in keys if key in self.cursed]:
            raise LookupError(cursed)
        return {key: f"name {key}" for key in keys if key % 2 == 0}

    async def parts(self, keys: Sequence[int]) -> Mapping[int, list[str]]:
        self.asked.append(list(keys))
        return {key: [f"part of {key}"] for key in keys if key % 2 == 0}
