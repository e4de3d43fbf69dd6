"""Batched reads of accounts."""

from domain.identity.service import Accounts
from domain.identity.sessions import Sessions
from loaders.loader import one


class IdentityLoaders:
    def __init__(self, accounts: Accounts, sessions: Sessions) -> None:
        self.account = one(accounts.store.accounts)
        self.session = one(sessions.store.sessions)
        self.proven: set[str] = set()
        """Accounts that this request opened or signed in to: their owner asks, though without a token yet."""
