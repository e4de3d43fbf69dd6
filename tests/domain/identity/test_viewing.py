"""Viewing profiles: who may change them, who may leave them, and when one may watch."""

import asyncio
from datetime import UTC, datetime

import pytest

from domain.identity.audit import SYSTEM
from domain.identity.hours import Hours
from domain.identity.model import Caller
from domain.identity.profile import Profile
from domain.identity.viewing import FREE, Controls, ViewingProfile, hours_of
from domain.platform.errors import Forbidden, StepUpRequired, TooManyRequests, UserErrorCode
from tests.accounts import PASSWORD, Desk
from tests.domain.identity.conftest import LockAwaited
from tests.viewers import refusal

PIN = "4711"
CHILD = Controls(max_rating="PG", blocked_genres=("horror",))


async def parent_of(desk: Desk, email: str = "ada@example.org", *, pin: bool = True) -> Caller:
    """Somebody signed in, who has entered the PIN."""
    account = await desk.service.register(email, PASSWORD, Profile("Ada", "GB"), SYSTEM)
    caller = await desk.sessions.identify(await desk.token(account))
    if pin:
        await desk.viewing.set_pin(account.id, PIN, SYSTEM)
        await desk.viewing.verify_pin(caller, PIN, SYSTEM)
    return caller


async def again(desk: Desk, caller: Caller) -> Caller:
    """The same account in another session."""
    accounts = await desk.service.store.accounts([caller.account_id or ""])
    return await desk.sessions.identify(await desk.token(accounts[caller.account_id or ""]))


async def child_of(desk: Desk, parent: Caller) -> tuple[ViewingProfile, Caller]:
    profile = await desk.viewing.create(parent, "Child", CHILD, SYSTEM)
    caller = await again(desk, parent)
    await desk.viewing.choose(caller, profile.id)
    return profile, caller


async def test_a_session_is_limited_by_the_profile_it_has(desk: Desk) -> None:
    parent = await parent_of(desk)

    _, child = await child_of(desk, parent)

    assert await desk.viewing.controls(child) == CHILD
    assert await desk.viewing.controls(await again(desk, parent)) == FREE


async def test_accounts_in_which_nobody_is_limited_are_asked_nothing(desk: Desk) -> None:
    caller = await parent_of(desk)
    await desk.viewing.create(caller, "Grown up", FREE, SYSTEM)

    assert not (await again(desk, caller)).may_be_limited


async def test_a_default_profile_is_that_of_sessions_without_a_choice_and_of_keys(desk: Desk) -> None:
    parent = await parent_of(desk)
    await desk.viewing.create(parent, "Child", CHILD, SYSTEM, is_default=True)
    other = await again(desk, parent)
    key = Caller(parent.account_id, may_be_limited=True)

    assert await desk.viewing.controls(other) == await desk.viewing.controls(key) == CHILD
    await desk.viewing.verify_pin(other, PIN, SYSTEM)
    await desk.viewing.choose(other, None)
    assert await desk.viewing.controls(other) == FREE


async def test_one_profile_is_the_default(desk: Desk) -> None:
    parent = await parent_of(desk)
    await desk.viewing.create(parent, "First", CHILD, SYSTEM, is_default=True)
    desk.clock.turn(1)

    await desk.viewing.create(parent, "Second", CHILD, SYSTEM, is_default=True)

    profiles = await desk.viewing.store.profiles(parent.account_id or "")
    assert [profile.is_default for profile in profiles] == [False, True]


async def test_who_is_limited_changes_nothing_without_the_pin(desk: Desk) -> None:
    parent = await parent_of(desk)
    profile, child = await child_of(desk, parent)

    for doing in (
        desk.viewing.choose(child, None),
        desk.viewing.change(child, profile.id, SYSTEM, controls=FREE),
        desk.viewing.delete(child, profile.id, SYSTEM),
        desk.viewing.create(child, "Me", FREE, SYSTEM),
    ):
        assert await refusal(doing) is UserErrorCode.PIN_REQUIRED
    assert await desk.viewing.controls(child) == CHILD
    await desk.viewing.choose(child, profile.id)


async def test_the_pin_lifts_it_for_five_minutes_in_one_session(desk: Desk) -> None:
    parent = await parent_of(desk)
    profile, child = await child_of(desk, parent)
    other = await again(desk, parent)
    await desk.viewing.choose(other, profile.id)

    await desk.viewing.verify_pin(child, PIN, SYSTEM)

    assert (await desk.viewing.controls(child), await desk.viewing.controls(other)) == (FREE, CHILD)
    desk.clock.turn(300)
    assert await desk.viewing.controls(child) == CHILD


async def test_choosing_a_profile_locks_it(desk: Desk) -> None:
    parent = await parent_of(desk)
    profile = await desk.viewing.create(parent, "Child", CHILD, SYSTEM)

    await desk.viewing.choose(parent, profile.id)

    assert await desk.viewing.controls(await parents_view(desk, parent)) == CHILD


async def parents_view(desk: Desk, caller: Caller) -> Caller:
    """The same session, as its next request finds it."""
    return Caller(caller.account_id, session_id=caller.session_id, may_be_limited=True)


async def test_the_sixth_pin_within_a_quarter_of_an_hour_waits(desk: Desk) -> None:
    caller = await parent_of(desk)
    for guess in ("0000", "1111", "2222", "3333", "4444"):
        assert await refusal(desk.viewing.verify_pin(caller, guess, SYSTEM)) is UserErrorCode.CREDENTIALS

    with pytest.raises(TooManyRequests) as refused:
        await desk.viewing.verify_pin(await again(desk, caller), PIN, SYSTEM)

    assert refused.value.extensions["retryAfter"] == 900
    desk.clock.turn(900)
    await desk.viewing.verify_pin(caller, PIN, SYSTEM)


@pytest.mark.parametrize("pin", ["", "123", "123456789", "12a4", "١٢٣٤", "12 34"])
async def test_a_pin_is_four_to_eight_digits(desk: Desk, pin: str) -> None:
    caller = await parent_of(desk, pin=False)

    assert await refusal(desk.viewing.set_pin(caller.account_id or "", pin, SYSTEM)) is UserErrorCode.INVALID
    assert await desk.viewing.store.pin_hash(caller.account_id or "") is None


async def test_nobody_is_limited_without_a_pin_to_lift_it(desk: Desk) -> None:
    caller = await parent_of(desk, pin=False)

    assert await refusal(desk.viewing.create(caller, "Child", CHILD, SYSTEM)) is UserErrorCode.CONFLICT
    await desk.viewing.create(caller, "Grown up", FREE, SYSTEM)


async def test_sessions_of_a_deleted_profile_are_signed_out(desk: Desk) -> None:
    parent = await parent_of(desk)
    profile, child = await child_of(desk, parent)

    await desk.viewing.delete(parent, profile.id, SYSTEM)

    standing = await desk.sessions.store.standing(parent.account_id or "", desk.clock.now())
    assert child.session_id not in {session.id for session in standing}
    assert parent.session_id in {session.id for session in standing}


async def test_a_profile_that_is_chosen_as_it_is_deleted_leaves_nobody_free(
    desk: Desk, lock_awaited: LockAwaited
) -> None:
    parent = await parent_of(desk)
    profile, child = await child_of(desk, parent)
    other = await again(desk, parent)

    async with desk.service.audit.writing():
        await desk.viewing.choose(other, profile.id)
        deleting = asyncio.ensure_future(desk.viewing.delete(parent, profile.id, SYSTEM))
        await lock_awaited()
    await deleting

    standing = await desk.sessions.store.standing(parent.account_id or "", desk.clock.now())
    assert {session.id for session in standing} == {parent.session_id}
    assert child.session_id != other.session_id


async def test_that_a_parent_has_just_signed_in_proves_nothing_of_who_is_limited_there(desk: Desk) -> None:
    parent = await parent_of(desk)
    profile, child = await child_of(desk, parent)

    with pytest.raises(StepUpRequired):
        await desk.step_up.require(child)

    await desk.step_up.by_password(child, PASSWORD, SYSTEM)
    await desk.step_up.require(child)
    await desk.viewing.choose(child, profile.id)
    with pytest.raises(StepUpRequired):
        await desk.step_up.require(child)
    await desk.viewing.verify_pin(child, PIN, SYSTEM)
    await desk.step_up.require(child)


async def test_anothers_profile_does_not_exist(desk: Desk) -> None:
    ada, eve = await parent_of(desk), await parent_of(desk, "eve@example.org")
    profile = await desk.viewing.create(ada, "Child", CHILD, SYSTEM)

    for doing in (
        desk.viewing.choose(eve, profile.id),
        desk.viewing.change(eve, profile.id, SYSTEM, name="Mine"),
        desk.viewing.delete(eve, profile.id, SYSTEM),
    ):
        assert await refusal(doing) is UserErrorCode.NOT_FOUND


async def test_a_key_has_no_profile_to_choose(desk: Desk) -> None:
    parent = await parent_of(desk)

    with pytest.raises(Forbidden):
        await desk.viewing.choose(Caller(parent.account_id), None)


@pytest.mark.parametrize(
    ("hours", "at", "is_open"),
    [
        (Hours(420, 1170, "UTC"), datetime(2026, 3, 1, 6, 59, tzinfo=UTC), False),
        (Hours(420, 1170, "UTC"), datetime(2026, 3, 1, 7, 0, tzinfo=UTC), True),
        (Hours(420, 1170, "UTC"), datetime(2026, 3, 1, 19, 29, 59, tzinfo=UTC), True),
        (Hours(420, 1170, "UTC"), datetime(2026, 3, 1, 19, 30, tzinfo=UTC), False),
        # Past midnight.
        (Hours(1320, 120, "UTC"), datetime(2026, 3, 1, 23, 0, tzinfo=UTC), True),
        (Hours(1320, 120, "UTC"), datetime(2026, 3, 2, 1, 59, tzinfo=UTC), True),
        (Hours(1320, 120, "UTC"), datetime(2026, 3, 2, 2, 0, tzinfo=UTC), False),
        (Hours(1320, 120, "UTC"), datetime(2026, 3, 1, 12, 0, tzinfo=UTC), False),
        # What the clocks show there: 18:30 UTC is 19:30 in Berlin in winter, and 20:30 in summer.
        (Hours(420, 1200, "Europe/Berlin"), datetime(2026, 1, 15, 18, 30, tzinfo=UTC), True),
        (Hours(420, 1200, "Europe/Berlin"), datetime(2026, 7, 15, 18, 30, tzinfo=UTC), False),
        (Hours(420, 1200, "Asia/Kolkata"), datetime(2026, 1, 15, 1, 29, tzinfo=UTC), False),
        (Hours(420, 1200, "Asia/Kolkata"), datetime(2026, 1, 15, 1, 30, tzinfo=UTC), True),
        # The hour that is there twice when summer ends is in it both times.
        (Hours(120, 180, "Europe/Berlin"), datetime(2026, 10, 25, 0, 30, tzinfo=UTC), True),
        (Hours(120, 180, "Europe/Berlin"), datetime(2026, 10, 25, 1, 30, tzinfo=UTC), True),
    ],
)
def test_hours_are_those_of_the_clocks_on_the_wall(hours: Hours, at: datetime, *, is_open: bool) -> None:
    assert hours.open_at(at) is is_open


@pytest.mark.parametrize(
    ("start", "end", "zone"),
    [
        ("7:00", "20:00", "UTC"),
        ("24:00", "20:00", "UTC"),
        ("07:60", "20:00", "UTC"),
        ("07:00", "07:00", "UTC"),
        ("07:00", "20:00", "Mars/Olympus"),
        ("07:00", "20:00", "../../etc/passwd"),
        ("07:00", "20:00", ""),
        ("07:00", "20:00", "\0"),
    ],
)
async def test_what_are_no_hours_is_refused(start: str, end: str, zone: str) -> None:
    async def read() -> Hours:
        return hours_of(start, end, zone)

    assert await refusal(read()) is UserErrorCode.INVALID
