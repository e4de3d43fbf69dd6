"""What one request carries: who asks, from where, and loaders that remember for that request."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Final, TypeAlias

import strawberry
from aiodataloader import DataLoader

from domain.catalog.restricted import seen_by
from domain.catalog.restriction import Restriction
from domain.catalog.service import Catalog
from domain.discovery.service import Discovery
from domain.identity.address_change import AddressChange
from domain.identity.administration import Administration
from domain.identity.api_keys import ApiKeys
from domain.identity.audit import Actor
from domain.identity.avatars import Avatars
from domain.identity.closing import Closing
from domain.identity.exports import Exports
from domain.identity.factors import SecondFactors
from domain.identity.federation import Links
from domain.identity.hours import Hours
from domain.identity.limits import RateLimits
from domain.identity.model import ANONYMOUS, Caller
from domain.identity.policy import Policy
from domain.identity.recovery import Recovery
from domain.identity.registrations import Registrations
from domain.identity.service import Accounts
from domain.identity.sessions import Sessions
from domain.identity.sign_ins import SignIns
from domain.identity.spending import Spending
from domain.identity.step_up import StepUp
from domain.identity.viewing import Viewing
from domain.interchange.exporting import Archives
from domain.interchange.service import Interchange
from domain.news.announcements import Announcements
from domain.news.feed import Feed
from domain.platform.budgets import Payer
from domain.platform.errors import Unauthenticated
from domain.platform.lazily import lazily
from domain.platform.rates import Verdict
from domain.playback.forgetting import Forgetting
from domain.playback.service import Playback
from domain.sona.service import Sona
from domain.sona.similar import Similarity
from domain.sync.attendance import Attendance
from domain.sync.commands import Commands
from domain.sync.devices import Devices
from domain.sync.history import History
from domain.sync.journal import CatchUp, Journal
from domain.sync.push import Pushing
from domain.sync.service import Sync
from loaders.administration import AdministrationLoaders
from loaders.catalog import CatalogLoaders
from loaders.identity import IdentityLoaders
from loaders.loader import Loader, one
from loaders.news import NewsLoaders
from loaders.playback import PlaybackLoaders
from loaders.sona import SonaLoaders
from loaders.sync import SyncLoaders


@dataclass(frozen=True)
class Services:
    """What the contexts can do, opened once for the process."""

    now: Callable[[], datetime]
    catalog: Catalog
    accounts: Accounts
    sessions: Sessions
    keys: ApiKeys
    limits: RateLimits
    spending: Spending
    registrations: Registrations
    administration: Administration
    recovery: Recovery
    address_change: AddressChange
    second_factors: SecondFactors
    sign_ins: SignIns
    step_up: StepUp
    viewing: Viewing
    closing: Closing
    exports: Exports
    links: Links
    avatars: Avatars
    origin: str
    """Where browsers reach this server, without a slash at its end."""
    policy: Policy
    journal: Journal
    snapshots: CatchUp
    sync: Sync
    pushing: Pushing
    interchange: Interchange
    archives: Archives
    devices: Devices
    attendance: Attendance
    commands: Commands
    playback: Playback
    forgetting: Forgetting
    history: History
    feed: Feed
    announcements: Announcements
    discovery: Discovery
    sona: Sona
    similarity: Similarity


@dataclass(slots=True)
class Course:
    """Where a stream is, for its client to go on from."""

    began: str | None = None
    """The cursor that it began behind."""
    cursor: str | None = None
    """That of the event which is being delivered."""


@dataclass
class Context:
    """One operation of one caller."""

    services: Services
    caller: Caller
    region: str
    request_id: str
    client: str | None = None
    """The peer's address, for limits, sessions and the audit log; nothing where there is none."""
    user_agent: str | None = None
    """What the peer says it is, for sessions and the audit log."""
    restriction: Restriction | None = None
    """What the caller's viewing profile hides; nothing is, where it hides nothing and has no hours."""
    hours: Hours | None = None
    """When the caller's viewing profile may watch; always if open."""
    last_seen: str | None = None
    """The cursor at which a stream of this caller broke, as its client says in `Last-Event-ID`."""
    payer: Payer = field(default_factory=Payer)
    """Who pays for the operation, and what was charged."""
    rate: Verdict | None = None
    """What is left of the rate of the caller's API key, where there is one."""

    @lazily
    def course(self) -> Course:
        """Where the stream is that this is the context of."""
        return Course()

    @lazily
    def gathered(self) -> dict[Any, DataLoader[Any, Any]]:
        """Sources that batched resolvers are asked for one by one."""
        return {}

    @lazily
    def catalog(self) -> CatalogLoaders:
        return CatalogLoaders(seen_by(self.restriction, self.services.catalog))

    @lazily
    def identity(self) -> IdentityLoaders:
        return IdentityLoaders(self.services.accounts, self.services.sessions)

    @lazily
    def administration(self) -> AdministrationLoaders:
        return AdministrationLoaders(self.services.administration)

    @lazily
    def avatars(self) -> Loader[str, str | None]:
        return one(self.services.avatars.names)

    @lazily
    def sync(self) -> SyncLoaders:
        return SyncLoaders(self.services.sync, self.services.devices, self.services.commands, self.account_id)

    @lazily
    def playback(self) -> PlaybackLoaders:
        return PlaybackLoaders(self.services.playback, self.account_id)

    @lazily
    def news(self) -> NewsLoaders:
        return NewsLoaders(self.services.announcements)

    @lazily
    def sona(self) -> SonaLoaders:
        return SonaLoaders(self.services.similarity)

    @property
    def account_id(self) -> str:
        """The caller's account; raises `Unauthenticated` for the anonymous."""
        if self.caller.account_id is None:
            raise Unauthenticated("Sign in first: this needs an access token.")
        return self.caller.account_id

    @property
    def actor(self) -> Actor:
        """Who acts, and from where, as the audit log has it."""
        caller = self.caller
        impersonated = caller.acting_id is not None
        return Actor(
            account_id=caller.acting_id if impersonated else caller.account_id,
            on_behalf_of=caller.account_id if impersonated else None,
            address=self.client,
            user_agent=self.user_agent,
            request_id=self.request_id,
        )

    async def limit(self, endpoint: str) -> None:
        """Counts the caller at an endpoint; raises `TooManyRequests` where they ask too often."""
        caller = self.caller
        tier = None if caller.anonymous else caller.tier
        await self.services.limits.require(endpoint, self.client, who=caller.account_id, tier=tier)

    def forget(self) -> None:
        """Drops what the loaders remember; a stream does so before each event."""
        self.gathered.clear()
        for name in LOADERS:
            self.__dict__.pop(name, None)


_OF_ALL: Final = frozenset({"services", "request_id"})
_OF_CALLER: Final = {field.name for field in fields(Context)} - _OF_ALL | {"course"}
_OF_AUDIENCE: Final = frozenset({"region", "restriction", "hours"})


class Anybody(Context):
    """One operation in the name of everybody in a region; it tells what was asked of that."""

    def __init__(self, services: Services, region: str, request_id: str) -> None:
        self._told: set[str] = set()
        super().__init__(services, ANONYMOUS, region, request_id)

    def __getattribute__(self, name: str) -> Any:
        if name in _OF_CALLER:
            self._told.add(name)
        return super().__getattribute__(name)

    @property
    def told_caller(self) -> bool:
        """Whether somebody asked who asks; what came of that is nobody else's."""
        return not self._told <= _OF_AUDIENCE

    @property
    def told_audience(self) -> bool:
        """Whether somebody asked where they are, or what they may see: others may be given another answer."""
        return not self._told.isdisjoint(_OF_AUDIENCE)


def anybody_like(context: Context) -> Anybody:
    return Anybody(context.services, context.region, context.request_id)


LOADERS = ("catalog", "identity", "avatars", "administration", "sync", "playback", "sona", "news")

Info: TypeAlias = strawberry.Info[Context, None]
