"""Batched reads of accounts."""

from domain.identity.service import Accounts
from loaders.loader import one


class IdentityLoaders:
    def __init__(self, accounts: Accounts) -> None:
        self.account = one(accounts.store.accounts)
        self.proven: set[str] = set()
        """Accounts that this request opened or signed in to: their owner asks, though without a token yet."""
