"""How a simulated device fares, what it tells of that and of its user, and what others tell of themselves."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Final, get_args

from gateway.cli.line import Line
from media_gateway_client import Offline, Rejected, Store
from media_gateway_client.operations import HeartbeatInput, NetworkQuality, OfDevice

BEAT_SECONDS: Final = 30.0
AGAIN_SECONDS: Final = 0.5
SECONDS_A_POINT: Final = 60.0
QUALITIES: Final[tuple[NetworkQuality, ...]] = get_args(NetworkQuality)


@dataclass
class Battery:
    """It gains or loses a point a minute."""

    charging: bool = False
    _level: float = 0.8
    _since: float = field(default_factory=monotonic)

    @property
    def level(self) -> float:
        points = (monotonic() - self._since) / SECONDS_A_POINT / 100
        return round(min(1.0, max(0.0, self._level + (points if self.charging else -points))), 2)

    def plug(self) -> None:
        """In, or out again."""
        self._level, self._since, self.charging = self.level, monotonic(), not self.charging


@dataclass
class Faring:
    """What only the device knows goes out with its heartbeats; what plays is shown by its session."""

    store: Store
    line: Line
    battery: Battery | None = None
    network: NetworkQuality = "GOOD"
    others: dict[str, OfDevice] = field(default_factory=dict)
    """The account's other devices by their ids, as they were last told of."""
    _acted_at: float = field(default_factory=monotonic)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def act(self) -> None:
        """Its user did something; who comes back is told of at once."""
        if self.idle_seconds >= BEAT_SECONDS:
            self._news.set()
        self._acted_at = monotonic()

    def plug(self) -> None:
        if self.battery is not None:
            self.battery.plug()
            self._news.set()

    def connect(self, quality: str | None = None) -> None:
        """By a network of this quality, else of the next one; ValueError where there is none such."""
        following = QUALITIES[(QUALITIES.index(self.network) + 1) % len(QUALITIES)]
        found = [each for each in QUALITIES if each == (quality or following).upper()]
        if not found:
            raise ValueError(f"A network is {', '.join(QUALITIES).lower()}.")
        (self.network,) = found
        self._news.set()

    @property
    def idle_seconds(self) -> int:
        return int(monotonic() - self._acted_at)

    async def tell_for_ever(self, say: Callable[[str], None]) -> None:
        """A heartbeat every 30 seconds, and whenever there is news."""
        while True:
            self._news.clear()
            pause = BEAT_SECONDS
            try:
                for refusal in (await self.line.heartbeat(input=self._sign()))["heartbeat"]["userErrors"]:
                    say(f"No sign of life: {refusal['message']}")
            except Offline:
                pause = AGAIN_SECONDS
            except Rejected as error:
                say(f"No sign of life: {error}")
            try:
                await asyncio.wait_for(self._news.wait(), pause)
            except TimeoutError:
                continue

    async def look_for_ever(self, say: Callable[[str], None]) -> None:
        """Follows the other devices; who they are is asked whenever the line is back."""
        while True:
            pause = AGAIN_SECONDS
            try:
                viewer = (await self.line.devices())["viewer"]
                self.others.clear()
                for device in [] if viewer is None else viewer["devices"]:
                    self._see(device)
                async for data in self.line.follow_devices():
                    event = data["devices"]
                    self._see(event["device"], removed=event["removed"])
            except Offline:
                pass
            except Rejected as error:
                say(f"Other devices are not shown: {error}")
                pause = BEAT_SECONDS
            await asyncio.sleep(pause)

    def _see(self, device: OfDevice, *, removed: bool = False) -> None:
        if removed:
            self.others.pop(device["id"], None)
        elif device["id"] != self.store.device_id:
            self.others[device["id"]] = device

    def _sign(self) -> HeartbeatInput:
        if self.store.device_id is None:
            raise Rejected("This device is not registered yet.")
        sign: HeartbeatInput = {
            "deviceId": self.store.device_id,
            "idleSeconds": self.idle_seconds,
            "networkQuality": self.network,
        }
        if self.battery is not None:
            sign["battery"] = {"level": self.battery.level, "charging": self.battery.charging}
        return sign


def told(device: OfDevice, *, brief: bool = False) -> str:
    """What a device does and how it fares, as in `Phone: watching Solaris, 80%, good network`; where it is
    `brief`, of its network only that it is poor.
    """
    does = (device["activity"] or ("ONLINE" if device["online"] else "OFFLINE")).lower()
    playing = device["nowPlaying"]
    if playing is not None and playing["content"] is not None and device["online"]:
        does = f"{does} {playing['content']['title']}" if does == "watching" else does
    parts = [f"{device['name']}: {does}"]
    if device["battery"] is not None:
        parts.append(charge(device["battery"]["level"], charging=device["battery"]["charging"]))
    quality = device["networkQuality"]
    if quality is not None and (quality == "POOR" or not brief):
        parts.append(f"{quality.lower()} network")
    return ", ".join(parts)


def charge(level: float, *, charging: bool) -> str:
    return f"{level:.0%} charging" if charging else f"{level:.0%}"
