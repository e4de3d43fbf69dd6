"""How viewing profiles are shown, changed, chosen and unlocked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, NamedTuple

import strawberry
from strawberry import ID, Parent

from domain.catalog.restriction import Restriction
from domain.catalog.taxonomy import GENRES, MaturityRating
from domain.identity.hours import Hours, clock
from domain.identity.model import Caller, Viewer
from domain.identity.policy import Scope, own
from domain.identity.viewing import Controls, Current, Viewing, ViewingProfile, hours_of
from domain.platform.errors import UserError, UserErrorCode, refuse
from resolvers.context import Context, Info
from resolvers.descriptions import entry
from resolvers.ids import key_of
from resolvers.mutations import refusing


@entry
class HoursInput:
    """A part of the day, by the clocks of a time zone; past midnight where it ends earlier than it begins."""

    start: str
    """When it begins, as `07:00`."""
    end: str
    """When it ends, as `19:30`."""
    time_zone: str
    """Whose clocks count, as `Europe/Berlin`."""


@entry
class ViewingControlsInput:
    """What a profile may see, and when it may watch."""

    max_rating: MaturityRating | None = None
    """Titles rated above are hidden; none are if open."""
    shows_unrated: bool = False
    """Whether titles that nobody has rated are shown where `maxRating` is given."""
    blocked_genre_ids: list[ID] | None = None
    """Titles of these genres are hidden, by id as in `horror`; of none if open."""
    hours: HoursInput | None = None
    """When it may watch; always if open."""


@entry
class CreateViewingProfileInput:
    """Somebody who watches."""

    name: str
    """What to call them, 1 to 60 characters."""
    controls: ViewingControlsInput | None = None
    """What limits them; nothing if open."""
    is_default: bool = False
    """Whether sessions that have chosen nobody are theirs."""


@entry
class UpdateViewingProfileInput:
    """Changes a profile; what is open stays as it is."""

    profile_id: ID
    """The profile."""
    name: str | None = None
    """What to call them, 1 to 60 characters."""
    controls: ViewingControlsInput | None = None
    """All that limits them, in place of what did."""
    is_default: bool | None = None
    """Whether sessions that have chosen nobody are theirs."""


@entry
class DeleteViewingProfileInput:
    """A profile that is not needed any more."""

    profile_id: ID
    """The profile."""


@entry
class SelectViewingProfileInput:
    """Who watches in this session."""

    profile_id: ID | None = None
    """Their profile; nobody's, and unlimited, if open."""


@entry
class SetParentalPinInput:
    """The PIN of the account."""

    pin: str
    """Four to eight digits."""


@entry
class VerifyParentalPinInput:
    """Lifts what limits this session, for five minutes."""

    pin: str
    """The PIN of the account."""


class ParentalControls(NamedTuple):
    """What an account has of parental controls, for one session."""

    has_pin: bool
    unlocked_until: datetime | None


@dataclass(frozen=True, slots=True)
class ViewingProfilePayload:
    profile: ViewingProfile | None = None
    user_errors: list[UserError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ParentalPinPayload:
    parental_controls: ParentalControls | None = None
    user_errors: list[UserError] = field(default_factory=list)


class Limits(NamedTuple):
    """What limits a caller, in the terms of the catalogue and of the clock."""

    restriction: Restriction | None
    hours: Hours | None


NOTHING = Limits(None, None)


async def limits_of(viewing: Viewing, caller: Caller) -> Limits:
    return limits_in(await viewing.controls(caller))


def limits_in(controls: Controls) -> Limits:
    """There is a restriction wherever anything limits, also where it hides nothing."""
    if not controls.limiting:
        return NOTHING
    rating = None if controls.max_rating is None else MaturityRating(controls.max_rating)
    return Limits(Restriction(rating, controls.shows_unrated, controls.blocked_genres), controls.hours)


async def renew(context: Context) -> None:
    """Looks again at what limits whoever follows a stream."""
    limits = limits_in(await context.services.viewing.controls_later(context.caller))
    if limits != (context.restriction, context.hours):
        context.restriction, context.hours = limits
        context.forget()


async def viewing_profiles(viewer: Parent[Viewer], info: Info) -> list[ViewingProfile]:
    return list(await info.context.services.viewing.store.profiles(viewer.account_id))


async def viewing_profile(info: Info) -> ViewingProfile | None:
    return (await _current(info)).profile


async def parental_controls(info: Info) -> ParentalControls:
    return await _parental_controls(info)


def max_rating(profile: Parent[ViewingProfile]) -> MaturityRating | None:
    rating = profile.controls.max_rating
    return None if rating is None else MaturityRating(rating)


def shows_unrated(profile: Parent[ViewingProfile]) -> bool:
    return profile.controls.shows_unrated


def blocked_genre_ids(profile: Parent[ViewingProfile]) -> list[ID]:
    return [ID(genre) for genre in profile.controls.blocked_genres]


def hours(profile: Parent[ViewingProfile]) -> Hours | None:
    return profile.controls.hours


def start(hours: Parent[Hours]) -> str:
    return clock(hours.start)


def end(hours: Parent[Hours]) -> str:
    return clock(hours.end)


def open_now(hours: Parent[Hours], info: Info) -> bool:
    return hours.open_at(info.context.services.now())


@refusing(ViewingProfilePayload)
async def create_viewing_profile(
    info: Info,
    input: Annotated[CreateViewingProfileInput, strawberry.argument(description="Who watches.")],
) -> ViewingProfilePayload:
    context = info.context
    profile = await context.services.viewing.create(
        context.caller,
        input.name,
        _controls(input.controls) or Controls(),
        context.actor,
        is_default=input.is_default,
    )
    return ViewingProfilePayload(profile)


@refusing(ViewingProfilePayload)
async def update_viewing_profile(
    info: Info,
    input: Annotated[UpdateViewingProfileInput, strawberry.argument(description="What to change.")],
) -> ViewingProfilePayload:
    context = info.context
    profile = await context.services.viewing.change(
        context.caller,
        key_of(input.profile_id, "ViewingProfile", "profileId"),
        context.actor,
        name=input.name,
        controls=_controls(input.controls),
        is_default=input.is_default,
    )
    return ViewingProfilePayload(profile)


@refusing(ViewingProfilePayload)
async def delete_viewing_profile(
    info: Info, input: Annotated[DeleteViewingProfileInput, strawberry.argument(description="Which one.")]
) -> ViewingProfilePayload:
    context = info.context
    key = key_of(input.profile_id, "ViewingProfile", "profileId")
    return ViewingProfilePayload(await context.services.viewing.delete(context.caller, key, context.actor))


@refusing(ViewingProfilePayload)
async def select_viewing_profile(
    info: Info, input: Annotated[SelectViewingProfileInput, strawberry.argument(description="Who watches.")]
) -> ViewingProfilePayload:
    chosen = input.profile_id
    key = None if chosen is None else key_of(chosen, "ViewingProfile", "profileId")
    return ViewingProfilePayload(await info.context.services.viewing.choose(info.context.caller, key))


@refusing(ParentalPinPayload)
async def set_parental_pin(
    info: Info, input: Annotated[SetParentalPinInput, strawberry.argument(description="The PIN.")]
) -> ParentalPinPayload:
    context = info.context
    async with context.services.step_up.proven(context.caller) as account:
        await context.services.viewing.set_pin(account.id, input.pin, context.actor)
    return ParentalPinPayload(await _parental_controls(info))


@refusing(ParentalPinPayload)
async def verify_parental_pin(
    info: Info, input: Annotated[VerifyParentalPinInput, strawberry.argument(description="The PIN.")]
) -> ParentalPinPayload:
    context = info.context
    await context.services.viewing.verify_pin(context.caller, input.pin, context.actor)
    return ParentalPinPayload(await _parental_controls(info))


async def _current(info: Info) -> Current:
    context = info.context
    return await context.services.viewing.store.current(context.account_id, context.caller.session_id)


async def _parental_controls(info: Info) -> ParentalControls:
    context = info.context
    has_pin = await context.services.viewing.store.pin_hash(context.account_id) is not None
    until = (await _current(info)).unlocked_until
    open_ = until is not None and until > context.services.now()
    return ParentalControls(has_pin, until if open_ else None)


def _controls(given: ViewingControlsInput | None) -> Controls | None:
    """The domain's own; raises `Refused` for genres that there are not, and hours that are none."""
    if given is None:
        return None
    blocked = tuple(dict.fromkeys(str(genre) for genre in given.blocked_genre_ids or ()))
    unknown = sorted(set(blocked) - set(GENRES))
    if unknown:
        raise refuse(
            f"There is no genre {unknown[0]!r}.", UserErrorCode.INVALID, "controls", "blockedGenreIds"
        )
    asked = given.hours
    return Controls(
        max_rating=None if given.max_rating is None else given.max_rating.value,
        shows_unrated=given.shows_unrated,
        blocked_genres=blocked,
        hours=None if asked is None else hours_of(asked.start, asked.end, asked.time_zone),
    )


async def profile_node(info: Info, key: str) -> ViewingProfile | None:
    context = info.context
    if context.caller.anonymous:
        return None
    profiles = await context.services.viewing.store.profiles(context.account_id)
    return next((profile for profile in profiles if profile.id == key), None)


NODES: Mapping[str, Any] = {"ViewingProfile": profile_node}
NODE_ACCESS = {"ViewingProfile": own(Scope.READ_PREFERENCES)}
