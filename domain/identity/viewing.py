"""Viewing profiles: what those who watch may see, and when; and the PIN that lifts it for a while."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.identity.attempts import Allowance, AttemptLimit
from domain.identity.audit import Action, Actor, Audit, differences
from domain.identity.hours import MINUTES_OF_DAY, Hours
from domain.identity.model import Caller, SessionEnd
from domain.identity.passwords import Passwords
from domain.identity.recent import RecentAccounts
from domain.identity.sessions import Sessions
from domain.identity.trying import forgive, take
from domain.platform.errors import Forbidden, Refused, UserErrorCode, refuse

TRIES = Allowance(attempts=5, seconds=900.0)
UNLOCKED_FOR = timedelta(minutes=5)
MAX_PROFILES = 10
MAX_NAME = 60
_PIN = re.compile(r"[0-9]{4,8}")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_WHAT = "parental-pin"


@dataclass(frozen=True, slots=True)
class Controls:
    """What a profile may not see, in the words of the catalogue, and when it may watch."""

    max_rating: str | None = None
    shows_unrated: bool = False
    blocked_genres: tuple[str, ...] = ()
    hours: Hours | None = None

    @property
    def limiting(self) -> bool:
        return self.max_rating is not None or bool(self.blocked_genres) or self.hours is not None


FREE = Controls()


@dataclass(frozen=True, slots=True)
class ViewingProfile:
    """Somebody who watches in an account; `is_default` for who a session is that has chosen nobody."""

    id: str
    account_id: str
    name: str
    controls: Controls
    is_default: bool
    created_at: datetime


class Current(NamedTuple):
    """Whose profile a session has, and until when the PIN has lifted what limits it."""

    profile: ViewingProfile | None
    unlocked_until: datetime | None

    def controls(self, now: datetime) -> Controls:
        """What limits the session now."""
        unlocked = self.unlocked_until is not None and now < self.unlocked_until
        return FREE if self.profile is None or unlocked else self.profile.controls


class ViewingStore(Protocol):
    """Profiles, by account; and which of them a session has."""

    async def profiles(self, account_id: str) -> Sequence[ViewingProfile]: ...
    async def current(self, account_id: str, session_id: str | None) -> Current: ...
    async def current_on(self, account_id: str, device_id: str, now: datetime) -> Current:
        """That of the session which is signed in on a device, and of several the one that was used last."""
        ...

    async def save(self, profile: ViewingProfile) -> None:
        """Adds or changes it; as the default one it takes the place of another."""
        ...

    async def remove(self, account_id: str, profile_id: str) -> Sequence[str] | None:
        """The sessions that had it; nothing where there is no such profile."""
        ...

    async def choose(self, session_id: str, profile_id: str | None) -> None:
        """Whose profile a session has from now on, locked; nobody's where this is open."""
        ...

    async def pin_hash(self, account_id: str) -> str | None: ...
    async def set_pin(self, account_id: str, pin_hash: str) -> None: ...
    async def unlock(self, session_id: str, until: datetime) -> None: ...


@dataclass(frozen=True)
class Viewing:
    """Profiles, and the one answer to what limits a caller."""

    store: ViewingStore
    sessions: Sessions
    recent: RecentAccounts
    passwords: Passwords
    attempts: AttemptLimit
    audit: Audit
    now: Callable[[], datetime]
    new_id: Callable[[], str]

    async def controls(self, caller: Caller) -> Controls:
        """What limits a caller now; asks nothing of accounts in which nobody is limited."""
        if caller.account_id is None or not caller.may_be_limited:
            return FREE
        current = await self.store.current(caller.account_id, caller.session_id)
        return current.controls(self.now())

    async def limits(self, caller: Caller) -> bool:
        """Whether anything limits a caller now."""
        return (await self.controls(caller)).limiting

    async def controls_on(self, account_id: str, device_id: str) -> Controls:
        """What limits whoever watches on a device."""
        now = self.now()
        return (await self.store.current_on(account_id, device_id, now)).controls(now)

    async def controls_later(self, caller: Caller) -> Controls:
        """The same, for who has called a while ago: whether anybody is limited may have changed."""
        account = None if caller.account_id is None else await self.recent.get(caller.account_id)
        limits = account is not None and account.has_limits
        if limits != caller.may_be_limited:
            caller = replace(caller, may_be_limited=limits)
        return await self.controls(caller)

    async def create(
        self, caller: Caller, name: str, controls: Controls, by: Actor, *, is_default: bool = False
    ) -> ViewingProfile:
        """A new profile; raises `Refused` for what is wrong, without a PIN, and until that was entered."""
        account_id = await self._unlocked(caller)
        known = await self.store.profiles(account_id)
        if len(known) >= MAX_PROFILES:
            raise refuse(f"An account has {MAX_PROFILES} profiles at most.", UserErrorCode.LIMIT_REACHED)
        now = self.now()
        profile = ViewingProfile(self.new_id(), account_id, _name(name), controls, is_default, now)
        await self._save(profile, None, Action.VIEWING_PROFILE_CREATED, by)
        return profile

    async def change(  # noqa: PLR0913 - what is not given stays
        self,
        caller: Caller,
        profile_id: str,
        by: Actor,
        *,
        name: str | None = None,
        controls: Controls | None = None,
        is_default: bool | None = None,
    ) -> ViewingProfile:
        """The changed profile; what is open stays. Raises `Refused` as `create` does."""
        account_id = await self._unlocked(caller)
        before = await self._own(account_id, profile_id)
        after = replace(
            before,
            name=before.name if name is None else _name(name),
            controls=before.controls if controls is None else controls,
            is_default=before.is_default if is_default is None else is_default,
        )
        await self._save(after, before, Action.VIEWING_PROFILE_CHANGED, by)
        return after

    async def delete(self, caller: Caller, profile_id: str, by: Actor) -> ViewingProfile:
        """The profile that is gone. Sessions that had it are signed out: they must not become free."""
        account_id = await self._unlocked(caller)
        profile = await self._own(account_id, profile_id)
        async with self.audit.writing():
            sessions = await self.store.remove(account_id, profile_id)
            others = [session for session in sessions or () if session != caller.session_id]
            await self.sessions.end(account_id, others, SessionEnd.REVOKED, by)
            await self.audit.record(by, Action.VIEWING_PROFILE_DELETED, profile.id)
        self.recent.forget(account_id)
        return profile

    async def choose(self, caller: Caller, profile_id: str | None) -> ViewingProfile | None:
        """Whose profile this session has from now on; nobody's, and unlimited, where that is open.

        Raises `Refused` where a limited session would change without the PIN.
        """
        session_id, account_id = _session_of(caller)
        profile = None if profile_id is None else await self._own(account_id, profile_id)
        current = await self.store.current(account_id, session_id)
        same = current.profile is not None and current.profile.id == profile_id
        if not same and current.controls(self.now()).limiting:
            raise pin_required()
        await self.store.choose(session_id, profile_id)
        return profile

    async def set_pin(self, account_id: str, pin: str, by: Actor) -> None:
        """A PIN of four to eight digits, of whoever has proven to be the owner; raises `Refused`."""
        if not _PIN.fullmatch(pin):
            raise refuse("A PIN has four to eight digits.", UserErrorCode.INVALID, "pin")
        pin_hash = await self.passwords.hash(pin)
        async with self.audit.writing():
            await self.store.set_pin(account_id, pin_hash)
            await self.audit.record(by, Action.PARENTAL_PIN_SET, account_id)
        await forgive(self.attempts, _WHAT, account_id)

    async def verify_pin(self, caller: Caller, pin: str, by: Actor) -> datetime:
        """Lifts what limits this session; until when. Raises `Refused` for a wrong PIN, and
        `TooManyRequests` from the sixth try within a quarter of an hour.
        """
        session_id, account_id = _session_of(caller)
        await take(self.attempts, TRIES, _WHAT, account_id)
        if not await self.passwords.verify(await self.store.pin_hash(account_id), pin[:64]):
            await self.audit.record(by, Action.PARENTAL_PIN_FAILED, account_id)
            raise refuse("This is not the PIN.", UserErrorCode.CREDENTIALS, "pin")
        await forgive(self.attempts, _WHAT, account_id)
        until = self.now() + UNLOCKED_FOR
        await self.store.unlock(session_id, until)
        return until

    async def _unlocked(self, caller: Caller) -> str:
        """The account whose profiles the caller may change now; raises `Refused`."""
        session_id, account_id = _session_of(caller)
        if await self.store.pin_hash(account_id) is not None:
            until = (await self.store.current(account_id, session_id)).unlocked_until
            if until is None or until <= self.now():
                raise pin_required()
        return account_id

    async def _own(self, account_id: str, profile_id: str) -> ViewingProfile:
        for profile in await self.store.profiles(account_id):
            if profile.id == profile_id:
                return profile
        raise refuse("There is no such ViewingProfile.", UserErrorCode.NOT_FOUND, "profileId")

    async def _save(
        self, profile: ViewingProfile, before: ViewingProfile | None, action: Action, by: Actor
    ) -> None:
        if profile.controls.limiting and await self.store.pin_hash(profile.account_id) is None:
            raise refuse("Set a PIN first: without one, anybody could lift this.", UserErrorCode.CONFLICT)
        was, is_now = ({}, {}) if before is None else differences(before.controls, profile.controls)
        async with self.audit.writing():
            await self.store.save(profile)
            await self.audit.record(by, action, profile.id, _told(was), _told(is_now))
        self.recent.forget(profile.account_id)


def hours_of(start: str, end: str, time_zone: str) -> Hours:
    """Hours from what clocks show, as `07:00`; raises `Refused`."""
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise refuse(
            "A time zone is a name such as Europe/Berlin.", UserErrorCode.INVALID, "hours", "timeZone"
        ) from None
    first, last = _minute(start, "start"), _minute(end, "end")
    if first == last:
        raise refuse("Hours begin and end at different times.", UserErrorCode.INVALID, "hours", "end")
    return Hours(first, last, time_zone)


def pin_required() -> Refused:
    return refuse("Enter the PIN first.", UserErrorCode.PIN_REQUIRED)


def _minute(text: str, name: str) -> int:
    match = _CLOCK.fullmatch(text)
    if match is None:
        raise refuse("A time is 00:00 to 23:59.", UserErrorCode.INVALID, "hours", name)
    return (int(match[1]) * 60 + int(match[2])) % MINUTES_OF_DAY


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not 1 <= len(name) <= MAX_NAME or not name.isprintable():
        raise refuse(f"A name has 1 to {MAX_NAME} characters.", UserErrorCode.INVALID, "name")
    return name


def _told(values: object) -> dict[str, str]:
    return {name: str(value) for name, value in values.items()} if isinstance(values, dict) else {}


def _session_of(caller: Caller) -> tuple[str, str]:
    if caller.session_id is None or caller.account_id is None:
        raise Forbidden("Sign in for this; an API key has no profile.")
    return caller.session_id, caller.account_id
