"""Batched reads of what belongs to accounts, for administrators."""

from domain.identity.administration import Administration
from loaders.loader import many


class AdministrationLoaders:
    def __init__(self, administration: Administration) -> None:
        self.sessions = many(administration.standing)
        self.keys = many(administration.store.keys)
        self.activity = many(administration.store.activity)
