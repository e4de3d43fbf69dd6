"""What a device does and how it fares: what it tells with its signs of life, and what follows from them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from domain.platform.errors import UserErrorCode, refuse
from domain.sync.model import UNTOLD, DeviceActivity, DeviceCondition

IDLE_SECONDS = 300.0
"""A device whose user did nothing for so long is idle."""
LEVEL_STEP = 0.05
"""The others are told of a battery once its level has changed by so much."""
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Sign:
    """What a device tells with a sign of life; what it does not know is open."""

    idle_seconds: int | None = None
    condition: DeviceCondition = UNTOLD

    def acted_at(self, now: datetime) -> datetime | None:
        """When its user did something last."""
        if self.idle_seconds is None:
            return None
        return now - timedelta(seconds=self.idle_seconds)


NOTHING: Final = Sign()


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a device is there, and its user."""

    online: bool
    active: bool | None
    """Whether its user did something lately; nothing where it does not tell, or is incognito."""

    def activity(self, *, paused: bool | None) -> DeviceActivity | None:
        """`paused` says so of what it plays; nothing where it plays nothing."""
        if not self.online:
            return DeviceActivity.OFFLINE
        if paused is False or (paused and self.active is not False):
            return DeviceActivity.WATCHING
        if self.active is None:
            return None
        return DeviceActivity.BROWSING if self.active else DeviceActivity.IDLE


NOBODY: Final = Standing(online=False, active=None)


def check(sign: Sign) -> None:
    """Raises `Refused` for what cannot be."""
    if sign.idle_seconds is not None and sign.idle_seconds < 0:
        raise refuse("`idleSeconds` must not be negative.", UserErrorCode.INVALID, "idleSeconds")
    battery = sign.condition.battery
    if battery is not None and not 0 <= battery.level <= 1:
        raise refuse(
            "`level` is between 0, an empty battery, and 1, a full one.",
            UserErrorCode.INVALID,
            "battery",
            "level",
        )


def worth_telling(known: DeviceCondition, told: DeviceCondition) -> bool:
    """Whether the others are to hear of it: a battery ticks often, and the change log is read by all."""
    before, after = known.battery, told.battery
    if known.network_quality is not told.network_quality or before is None or after is None:
        return known != told
    return before.charging is not after.charging or abs(before.level - after.level) > LEVEL_STEP - ROUNDING
