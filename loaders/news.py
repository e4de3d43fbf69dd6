"""Batched reads of what news tell of."""

from domain.news.announcements import Announcements
from loaders.loader import one


class NewsLoaders:
    def __init__(self, announcements: Announcements) -> None:
        self.announcement = one(announcements.store.of)
