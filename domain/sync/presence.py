"""What a device does and how it fares: what it tells with its signs of life, and what follows from them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from domain.platform.errors import UserErrorCode, refuse

IDLE_SECONDS = 300.0
"""A device whose user did nothing for so long is idle."""
LEVEL_STEP = 0.05
"""The others are told of a battery once its level has changed by so much."""
ROUNDING = 1e-9


class DeviceActivity(StrEnum):
    """What a device does."""

    OFFLINE = "offline"
    """It gave no sign of life within the time of a lease."""
    IDLE = "idle"
    """It is there, but its user did nothing for five minutes, and nothing plays."""
    BROWSING = "browsing"
    """Its user did something within five minutes."""
    WATCHING = "watching"
    """It plays a title, or its user has just paused one."""


class NetworkQuality(StrEnum):
    """What a device's network carries without pauses, as the device measures it."""

    POOR = "poor"
    """Less than SD: below about 1.5 Mbit/s."""
    FAIR = "fair"
    """SD: from about 1.5 Mbit/s."""
    GOOD = "good"
    """HD: from about 5 Mbit/s."""
    EXCELLENT = "excellent"
    """UHD: from about 15 Mbit/s."""


@dataclass(frozen=True, slots=True)
class Battery:
    """A device's battery, in the terms of https://www.w3.org/TR/battery-status/."""

    level: float
    """From 0 to 1."""
    charging: bool = False


@dataclass(frozen=True, slots=True)
class DeviceCondition:
    """How a device fares, as far as it tells."""

    battery: Battery | None = None
    network_quality: NetworkQuality | None = None


UNTOLD: Final = DeviceCondition()


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
