"""What subscriptions cover: how much, never what. How often somebody may ask is in `limits.py`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from domain.identity.model import Tier


@dataclass(frozen=True, slots=True)
class Covered:
    """What one tier covers."""

    devices: int
    """How many may be registered at once."""


TIERS: Final[Mapping[Tier, Covered]] = {
    Tier.FREE: Covered(devices=5),
    Tier.PREMIUM: Covered(devices=20),
    Tier.ENTERPRISE: Covered(devices=20),
}


def covered(tier: Tier) -> Covered:
    return TIERS[tier]
