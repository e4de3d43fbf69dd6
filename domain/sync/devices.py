"""The viewer's devices: who they are, and which are there."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from domain.catalog.links import DeviceKind
from domain.catalog.model import VideoQuality
from domain.catalog.taxonomy import PLATFORMS
from domain.platform.errors import UserErrorCode, refuse
from domain.sync import payloads
from domain.sync.capabilities import DeviceCapabilities
from domain.sync.journal import Journal, Writing
from domain.sync.model import ChangeKind, Device
from domain.sync.presence import IDLE_SECONDS, NOTHING, UNTOLD, Sign, Standing, check, worth_telling

LEASE_SECONDS = 90.0
"""A device that was silent for so long is offline."""
BEATS = 3
"""Signs of life within a lease, so that one or two may be lost."""
QUALITIES = (*(quality.value for quality in VideoQuality), "8K")
"""Of screens; nothing that is offered has the last one."""
MAX_DEVICES = 10
MAX_NAME = 255
MAX_PLATFORM = 64
MAX_APP_VERSION = 64
MAX_SCREEN_INCHES = 1_000
LAPSED_AT_ONCE = 500
HEARTBEAT = "heartbeat"
"""Holds the lease that a device renews by its signs of life; its open streams hold another."""
GONE: Final[Mapping[str, Any]] = {"present": False, "active": False, "condition": UNTOLD}
"""What is so of a device that is not there any more."""


Along: TypeAlias = Callable[[Writing, str], Awaitable[None]]
"""What another context does to a device within the same write."""


class Presence(Protocol):
    """Which devices are there: leases that lapse unless renewed; one that anybody holds is enough."""

    async def renew(self, device_id: str, seconds: float, holder: str = HEARTBEAT) -> None: ...
    async def renew_all(self, holders: Mapping[str, str], seconds: float) -> None:
        """As `renew`, for the one holder of each device."""
        ...

    async def leave(self, device_id: str, *holders: str) -> None:
        """Ends the leases of these holders; all of the device's where none is named."""
        ...

    async def online(self, device_ids: Sequence[str]) -> set[str]: ...


class Touched(NamedTuple):
    """Whose device gave a sign of life, and what the others were last told of it."""

    account_id: str
    present: bool
    active: bool


class DeviceStore(Protocol):
    """The devices of accounts."""

    async def devices(self, account_id: str) -> list[Device]:
        """Those in use, in the order of registration."""
        ...

    async def by_ids(self, account_id: str, ids: Sequence[str]) -> Mapping[str, Device]:
        """Also the removed ones, as old progress may name them."""
        ...

    async def save(self, account_id: str, device: Device) -> None: ...
    async def note_incognito(self, account_id: str, device_id: str, since: datetime, until: datetime) -> None:
        """When it was incognito: what it did then may be told later."""
        ...

    async def touch(
        self,
        ids: Sequence[str],
        seen_at: datetime,
        acted_at: datetime | None = None,
        *,
        with_condition: bool = False,
    ) -> Mapping[str, Touched]:
        """Notes signs of life and nothing else, as it does not wait for an account's turn; those that are
        still in use.

        `acted_at` is when their user did something, which is not noted of what is incognito; `with_condition`
        says that they told how they fare.
        """
        ...

    async def standing(
        self, ids: Sequence[str], since: datetime, acted_since: datetime
    ) -> Mapping[str, Standing]:
        """Who is there gave a sign of life since then; who is active, did something since then."""
        ...

    async def stale(self, since: datetime, acted_since: datetime, limit: int) -> list[tuple[str, str]]:
        """Account and id of devices that are present, and of which something does not hold any more: they
        have been silent, their user did nothing, or they did not tell again how they fare.
        """
        ...

    async def lapse(self, device_id: str, since: datetime, acted_since: datetime) -> Device | None:
        """Takes back what does not hold any more; nothing where all of it does."""
        ...

    async def depart(self, device_id: str, seen_at: datetime | None, now: datetime) -> Device | None:
        """Notes that it has gone; nothing where it has already, or gave a sign of life after `seen_at`."""
        ...


@dataclass(frozen=True, slots=True)
class Description:
    """What a device says of itself."""

    name: str
    kind: DeviceKind
    platform: str | None
    capabilities: DeviceCapabilities
    app_version: str | None = None


@dataclass(frozen=True)
class Devices:
    """Registration and presence."""

    store: DeviceStore
    presence: Presence
    journal: Journal
    now: Callable[[], datetime]
    new_id: Callable[[], str]
    lease_seconds: float = LEASE_SECONDS
    idle_seconds: float = IDLE_SECONDS

    @property
    def heartbeat_seconds(self) -> float:
        """How often a device is to give a sign of life."""
        return self.lease_seconds / BEATS

    async def register(
        self, account_id: str, told: Description, device_id: str | None = None, most: int = MAX_DEVICES
    ) -> Device:
        """A new device, or, with its id, what it now says of itself. It is online from then on.

        An account has up to `most`; one that has more already keeps them.
        """
        _named(told.name)
        _plausible(told)
        async with self.journal.writing(account_id) as writing:
            known = await self.store.devices(account_id)
            if device_id is None:
                if len(known) >= most:
                    raise refuse(
                        f"This account has up to {most} devices; remove one first.",
                        UserErrorCode.LIMIT_REACHED,
                    )
                device = Device(
                    self.new_id(),
                    told.name,
                    told.kind,
                    told.platform,
                    told.capabilities,
                    self.now(),
                    None,
                    app_version=told.app_version,
                )
            else:
                device = replace(
                    _one(known, device_id),
                    name=told.name,
                    kind=told.kind,
                    platform=told.platform,
                    capabilities=told.capabilities,
                    app_version=told.app_version,
                )
            device = replace(device, last_seen_at=self.now(), present=True)
            await self.store.save(account_id, device)
            writing.record(ChangeKind.DEVICE, payloads.of_device(device))
            # Before anybody is told: who hears of the device asks whether it is online.
            await self.presence.renew(device.id, self.lease_seconds)
        return device

    async def rename(self, account_id: str, device_id: str, name: str) -> Device:
        _named(name)
        return await self._change(account_id, device_id, name=name)

    async def set_incognito(
        self, account_id: str, device_id: str, along: Along, *, incognito: bool
    ) -> Device:
        """From now on nothing is kept of what is done on the device, or again all; saying it twice changes
        nothing. What `along` does commits with it.
        """
        async with self.journal.writing(account_id) as writing:
            device = await self.own(account_id, device_id)
            if device.incognito == incognito:
                return device
            await along(writing, device_id)
            now = self.now()
            if device.incognito_since is not None:
                await self.store.note_incognito(account_id, device_id, device.incognito_since, now)
            since = now if incognito else None
            changed = replace(device, incognito_since=since, acted_at=None, active=False)
            await self.store.save(account_id, changed)
            writing.record(ChangeKind.DEVICE, payloads.of_device(changed))
            return changed

    async def remove(self, account_id: str, device_id: str, along: Along | None = None) -> Device:
        """The device is gone from lists; what it wrote stays. What `along` does commits with it."""
        await self.own(account_id, device_id)
        await self.presence.leave(device_id)
        async with self.journal.writing(account_id) as writing:
            removed = replace(await self.own(account_id, device_id), removed=True, **GONE)
            if along is not None:
                await along(writing, device_id)
            await self.store.save(account_id, removed)
            writing.record(ChangeKind.DEVICE, payloads.of_device(removed))
        await self.presence.leave(device_id)  # a heartbeat may have come in between
        return removed

    async def heartbeat(
        self, account_id: str, device_id: str, holder: str = HEARTBEAT, sign: Sign = NOTHING
    ) -> Device:
        """Renews the device's lease. The others are told of the first one after a silence, or after its user
        did nothing, and of a condition that has changed enough.

        What the device says of how it fares takes the place of all it said before; it holds for a lease.
        """
        check(sign)
        device, now = await self.own(account_id, device_id), self.now()
        told, acted_at = sign.condition, sign.acted_at(now)
        tells = told != UNTOLD
        # First the lease: who sees this sign of life while another stream ends finds that as well.
        await self.presence.renew(device_id, self.lease_seconds, holder)
        touched = await self.store.touch([device_id], now, acted_at, with_condition=tells)
        if device_id not in touched:
            await self.presence.leave(device_id, holder)
            raise _unknown()
        known = touched[device_id]
        news: dict[str, Any] = {}
        if not known.present or self._silent(device):
            news |= {"present": True}
        if acted_at is not None and acted_at > self._acted_since() and not device.incognito:
            news |= {} if known.active else {"active": True}
        if tells and worth_telling(device.condition, told):
            news |= {"condition": told}
        if not news:
            return replace(device, last_seen_at=now)
        return await self._change(account_id, device_id, last_seen_at=now, **news)

    async def renew(self, holders: Mapping[str, str]) -> list[str]:
        """Renews the leases that somebody holds, by device; those that are no longer in use."""
        now = self.now()
        touched = await self.store.touch(list(holders), now)
        standing = {device_id: holder for device_id, holder in holders.items() if device_id in touched}
        await self.presence.renew_all(standing, self.lease_seconds)
        for device_id, known in touched.items():
            if not known.present:
                await self._change(known.account_id, device_id, last_seen_at=now, present=True)
        return [device_id for device_id in holders if device_id not in touched]

    async def standing(self, ids: Sequence[str]) -> Mapping[str, Standing]:
        """Who is there, whichever process they talk to, and who of them is active."""
        return await self.store.standing(ids, self._since(), self._acted_since()) if ids else {}

    async def online(self, ids: Sequence[str]) -> set[str]:
        return {device_id for device_id, found in (await self.standing(ids)).items() if found.online}

    async def lapse(self) -> int:
        """Tells the others of devices that have been silent for the time of a lease, or idle, and takes back
        what they did not tell again; how many there were.
        """
        since, acted_since = self._since(), self._acted_since()
        found = await self.store.stale(since, acted_since, LAPSED_AT_ONCE)
        for account_id, device_id in found:
            async with self.journal.writing(account_id) as writing:
                changed = await self.store.lapse(device_id, since, acted_since)
                if changed is not None:
                    if not changed.present:
                        await self.presence.leave(device_id)
                    writing.record(ChangeKind.DEVICE, payloads.of_device(changed))
        return len(found)

    async def leave(self, account_id: str, device_id: str, *holders: str) -> Device:
        """The device, or each of these holders, said good-bye: offline at once unless another holds it.

        One that comes back meanwhile, here or at another process, has given a sign of life, and stays.
        """
        device = await self.own(account_id, device_id)
        await self.presence.leave(device_id, *holders)
        if await self.presence.online([device_id]):
            return device
        async with self.journal.writing(account_id) as writing:
            gone = await self.store.depart(device_id, device.last_seen_at, self.now())
            if gone is None:
                return await self.own(account_id, device_id)
            writing.record(ChangeKind.DEVICE, payloads.of_device(gone))
            return gone

    async def own(self, account_id: str, device_id: str) -> Device:
        """A device in use of this account; another's does not exist."""
        found = (await self.store.by_ids(account_id, [device_id])).get(device_id)
        if found is None or found.removed:
            raise _unknown()
        return found

    def _since(self) -> datetime:
        """Who has given no sign of life since then is not there."""
        return self.now() - timedelta(seconds=self.lease_seconds)

    def _acted_since(self) -> datetime:
        """Whose user has done nothing since then is idle."""
        return self.now() - timedelta(seconds=self.idle_seconds)

    def _silent(self, device: Device) -> bool:
        return device.last_seen_at is None or device.last_seen_at <= self._since()

    async def _change(self, account_id: str, device_id: str, **fields: Any) -> Device:
        async with self.journal.writing(account_id) as writing:
            device = replace(await self.own(account_id, device_id), **fields)
            await self.store.save(account_id, device)
            writing.record(ChangeKind.DEVICE, payloads.of_device(device))
            return device


def _one(devices: Sequence[Device], device_id: str) -> Device:
    for device in devices:
        if device.id == device_id:
            return device
    raise _unknown()


def _named(name: str) -> None:
    if not 1 <= len(name.strip()) <= MAX_NAME:
        raise refuse(f"A name has 1 to {MAX_NAME} characters.", UserErrorCode.INVALID, "name")


def _plausible(told: Description) -> None:
    shown = told.capabilities
    if told.platform is not None and not 1 <= len(told.platform.strip()) <= MAX_PLATFORM:
        raise refuse(f"A platform has 1 to {MAX_PLATFORM} characters.", UserErrorCode.INVALID, "platform")
    version = told.app_version
    if version is not None and (not 1 <= len(version.strip()) <= MAX_APP_VERSION or "\0" in version):
        raise refuse(f"A version has 1 to {MAX_APP_VERSION} characters.", UserErrorCode.INVALID, "appVersion")
    if shown.max_quality is not None and shown.max_quality not in QUALITIES:
        raise refuse(
            f"`maxQuality` is one of {', '.join(QUALITIES)}.",
            UserErrorCode.INVALID,
            "capabilities",
            "maxQuality",
        )
    if shown.screen_inches is not None and not 1 <= shown.screen_inches <= MAX_SCREEN_INCHES:
        raise refuse(
            f"`screenInches` must be between 1 and {MAX_SCREEN_INCHES}.",
            UserErrorCode.INVALID,
            "capabilities",
            "screenInches",
        )
    unknown = set(shown.missing_apps) - set(PLATFORMS)
    if unknown:
        raise refuse(
            f"`missingApps` are services of ours: {', '.join(PLATFORMS)}.",
            UserErrorCode.INVALID,
            "capabilities",
            "missingApps",
        )


def _unknown() -> Exception:
    return refuse("There is no such Device.", UserErrorCode.NOT_FOUND, "deviceId")
