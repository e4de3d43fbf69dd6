"""What somebody leaves behind in an account whose address they never proved."""

from dataclasses import dataclass

from domain.identity.api_keys import ApiKeys
from domain.identity.audit import Actor
from domain.identity.factors import SecondFactors
from domain.identity.model import Account


@dataclass(frozen=True)
class Eviction:
    """Against whoever opens an account with the address of another, and waits for them to use it
    (https://www.usenix.org/conference/usenixsecurity22/presentation/sudhodanan).
    """

    keys: ApiKeys
    factors: SecondFactors

    async def __call__(self, account: Account, by: Actor) -> None:
        """Takes away all that would sign them in beside the password and the sessions."""
        await self.keys.revoke_all(account.id, by)
        await self.factors.remove_all(account, by)
