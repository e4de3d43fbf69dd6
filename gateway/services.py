"""Opens what the settings name, and joins the contexts."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from domain.catalog.changes import CATALOGUE
from domain.catalog.filters import Filter
from domain.catalog.service import Catalog
from domain.discovery.model import TrendWindow
from domain.discovery.postgres import PostgresSearch
from domain.discovery.postgres_suggestions import PostgresSuggestions
from domain.discovery.postgres_trends import PRIOR, PostgresTrends
from domain.discovery.service import Discovery
from domain.identity.administration import Administration
from domain.identity.audit import Audit
from domain.identity.eviction import Eviction
from domain.identity.federation import Links
from domain.identity.policy import Policy
from domain.identity.postgres import PostgresAccounts
from domain.identity.postgres_administration import PostgresAdministration
from domain.identity.postgres_audit import PostgresAudit
from domain.identity.postgres_clients import PostgresClients
from domain.identity.postgres_holdings import PostgresAvatars
from domain.identity.recent import RecentAccounts
from domain.identity.registrations import Registrations
from domain.identity.sign_ins import SignIns
from domain.news.announcements import Announcements
from domain.news.postgres_announcements import PostgresAnnouncements
from domain.platform.budgets import Budgets
from domain.platform.cache import Cache
from domain.platform.late_encoder import Announce, LateEncoder
from domain.platform.late_index import LateIndex
from domain.platform.postgres import Database
from domain.platform.vectors import GuardedIndex, VectorIndex
from domain.playback.forgetting import Forgetting
from domain.playback.postgres import PostgresPlayback
from domain.playback.service import Playback
from domain.sona.blend import Blend
from domain.sona.model import Trended
from domain.sona.nearness import Nearness
from domain.sona.postgres import PostgresSona
from domain.sona.service import Rankings, Sona
from domain.sona.similar import Similarity
from domain.sona.snapshots import KEPT_TRENDS, Kept, KeptTrends, Trending
from domain.sync.attendance import Attendance
from domain.sync.clock import HybridClock
from domain.sync.commands import Commands
from domain.sync.devices import Devices
from domain.sync.history import History
from domain.sync.listeners import Listeners
from domain.sync.postgres import PostgresSync
from domain.sync.postgres_devices import PostgresDevices
from domain.sync.postgres_history import PostgresHistoryLimits
from domain.sync.postgres_ledger import PostgresLedgers
from domain.sync.postgres_snapshot import PostgresSnapshots
from domain.sync.push import Pushing
from domain.sync.service import Sync
from gateway.binding import Binding
from gateway.correspondence import (
    address_change_of,
    closing_of,
    correspondence_of,
    exports_of,
    recovery_of,
)
from gateway.database import open_database_url
from gateway.engine.persisted import QueryStore
from gateway.engine.sharing import Sharing
from gateway.entity_cache import catalog_store, open_entity_cache
from gateway.following import open_feed, open_journal
from gateway.identity import open_accounts, open_sessions
from gateway.interchange import archives_of, interchange_of
from gateway.jobs import embedding_jobs, forgetting_jobs, jobs_of, news_jobs
from gateway.limits import open_keys, open_limits, open_spending
from gateway.metrics import Metrics
from gateway.oauth.elsewhere import Elsewhere
from gateway.oauth.opening import GRAPH, open_elsewhere
from gateway.oauth.pages import Pages
from gateway.recognition import Recognition
from gateway.routes.health import Probe
from gateway.second_factors import second_factors_of, step_up_of, viewing_of
from gateway.settings import Settings
from gateway.shared import open_shared
from gateway.signing import rotation_jobs
from gateway.time_and_ids import new_id, now
from gateway.titles import titles_of
from gateway.tracing import trace_statement
from gateway.worker import Job
from resolvers.context import Context, Services, anybody_like

LEAST_HEAT = 1e-5
"""Below this a trend is the rounding of a score."""


@dataclass(frozen=True)
class Opened:
    """The services of a process, what shows whether they work, and the work behind the scenes."""

    services: Services
    budgets: Budgets
    probes: tuple[Probe, ...]
    jobs: tuple[Job, ...]
    sharing: Sharing
    """Answers that many are given."""
    database: Database
    queries: QueryStore | None
    """Automatic persisted queries that other processes know."""
    recognition: Recognition
    """Who is behind a connection."""
    elsewhere: Elsewhere
    """The authorisation server with its pages, and other providers to sign in with."""

    @property
    def oauth(self) -> Pages:
        return self.elsewhere.pages


def audience_of(context: Context) -> str | None:
    """What the public fields of the graph know of a caller: where they are. Who may not see everything
    shares nothing with anybody.
    """
    return context.region if context.restriction is None else None


@asynccontextmanager
async def open_services(settings: Settings) -> AsyncIterator[Services]:
    """What the contexts can do, for a process that serves no requests."""
    async with open_all(settings, Metrics(), traced=False) as opened:
        yield opened.services


@asynccontextmanager
async def open_all(
    settings: Settings, metrics: Metrics, *, traced: bool, announce: Announce | None = None
) -> AsyncIterator[Opened]:
    """Opens every client the settings name, and closes them in reverse; `announce` hears how far the
    sentence encoder is, where it has to be built.
    """
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(open_database_url(settings))
        database = await open_database(url, settings, metrics, stack, traced=traced)
        shared = await stack.enter_async_context(open_shared(settings, metrics.delivery.add))
        metrics.watch_fanout(lambda: shared.listeners.count, shared.relayed)
        cache, catch_up = await stack.enter_async_context(
            open_entity_cache(url, settings.entity_cache_bytes, shared.catalog_changes, metrics)
        )
        catalog = Catalog(catalog_store(database, cache), now)
        journal = await open_journal(database, shared, stack)
        device_store = PostgresDevices(database)
        devices = Devices(
            device_store,
            shared.presence,
            journal,
            now,
            new_id,
            settings.device_lease_seconds,
            settings.device_idle_seconds,
        )
        listeners = Listeners(device_store, new_id)
        commands = Commands(device_store, listeners, devices, journal, now, new_id)
        clock = HybridClock(f"server.{new_id()[:8]}", lambda: time.time_ns() // 1_000_000)
        sync = Sync(
            PostgresSync(database),
            PostgresLedgers(database),
            journal,
            titles_of(catalog),
            clock,
            now,
            new_id,
        )
        vectors = await open_vectors(settings, metrics, stack)
        encoder = await open_encoder(settings, stack, announce)
        discovery = discovery_of(database, vectors, encoder, metrics)
        reads = PostgresSona(database)
        recent = RecentAccounts(PostgresAccounts(database).accounts)
        audit = Audit(PostgresAudit(database), now)
        sessions = await open_sessions(settings, database, recent, audit, stack)
        accounts = replace(
            await open_accounts(database, recent, shared.attempts, audit, stack),
            verified_only=settings.require_verified_email,
        )
        correspondence = correspondence_of(settings, database, now)
        administration = Administration(PostgresAdministration(database), sessions, recent, audit, now)
        closing = closing_of(accounts, sessions, administration, correspondence, database)
        factors = second_factors_of(settings, accounts, database)
        keys = await stack.enter_async_context(open_keys(database, sessions))
        eviction = Eviction(keys, factors)
        recovery = recovery_of(accounts, sessions, correspondence, eviction, database)
        viewing = viewing_of(accounts, sessions, database)
        sign_ins = SignIns(accounts.store, factors, sessions.hold, accounts.verified_only)
        elsewhere = await open_elsewhere(settings, database, accounts, sign_ins, sessions, stack)
        archives = archives_of(database)
        playback = Playback(
            PostgresPlayback(database), shared.private_sessions, sync, devices, commands, now, new_id
        )
        history = History(PostgresHistoryLimits(database), sync, now)
        services = Services(
            now=now,
            catalog=catalog,
            accounts=accounts,
            sessions=sessions,
            keys=keys,
            limits=await stack.enter_async_context(open_limits(settings, database, shared, audit, metrics)),
            spending=await stack.enter_async_context(open_spending(settings, database, audit)),
            registrations=Registrations(PostgresClients(database), sessions, audit, now, new_id),
            administration=administration,
            recovery=recovery,
            address_change=address_change_of(recovery, database),
            second_factors=factors,
            sign_ins=sign_ins,
            step_up=step_up_of(factors, accounts, sessions, viewing, database),
            viewing=viewing,
            closing=closing,
            exports=replace(exports_of(accounts, correspondence, database), others=(archives.files,)),
            links=Links(elsewhere.federation.store, audit),
            avatars=PostgresAvatars(database),
            origin=settings.issuer.rstrip("/"),
            policy=Policy(),
            journal=journal,
            snapshots=PostgresSnapshots(database, PostgresPlayback(database).playing),
            sync=sync,
            pushing=Pushing(sync, devices),
            interchange=interchange_of(database, sync),
            archives=archives,
            devices=devices,
            attendance=Attendance(devices),
            commands=commands,
            playback=playback,
            forgetting=Forgetting(PostgresPlayback(database), playback),
            history=history,
            feed=await open_feed(database, shared, catch_up, stack),
            announcements=Announcements(PostgresAnnouncements(database), audit, shared.news, now),
            discovery=discovery,
            sona=sona_of(reads, trending_of(discovery, reads), vectors, metrics),
            similarity=similarity_of(reads, vectors, metrics),
        )
        probes = (
            probe_of(database),
            *shared.probes,
            Probe("vectors", vectors.health),
            Probe("encoder", encoder.health),
        )
        tidying = (
            Job("sessions.forget", every_seconds=3600.0, run=sessions.forget),
            Job("accounts.erase", every_seconds=600.0, run=closing.erase_due, eager=True),
            Job("challenges.forget", every_seconds=600.0, run=factors.forget),
            Job("grants.forget", every_seconds=3600.0, run=elsewhere.pages.desk.grants.forget),
        )
        jobs = (
            *jobs_of(settings, database, now),
            Job("commands.expire", every_seconds=1.0, run=commands.expire),
            Job("devices.lapse", every_seconds=1.0, run=devices.lapse),
            *forgetting_jobs(database, sync, history, now),
            Job("playback.forget_ended", every_seconds=3600.0, run=playback.forget_ended, eager=True),
            Job("playback.end_silent", every_seconds=10.0, run=playback.end_silent),
            *tidying,
            *rotation_jobs(settings, database, audit),
            *correspondence.jobs,
            *embedding_jobs(database, vectors, encoder),
            *news_jobs(database, discovery, shared.news, now),
        )
        metrics.watch(
            "persisted_query_failures",
            "Persisted queries that Redis could not be asked for.",
            shared.lost_queries,
        )
        metrics.watch("budget_fallbacks", "Payments that Redis did not take.", shared.budget_failures)
        sharing = sharing_of(cache or Cache.without_room(), metrics)
        binding = Binding(
            settings.issuer.rstrip("/") + GRAPH, settings.issuer, lambda: elsewhere.pages.desk.proofs
        )
        yield Opened(
            services=services,
            budgets=shared.budgets,
            probes=probes,
            jobs=jobs,
            sharing=sharing,
            database=database,
            queries=shared.queries,
            recognition=Recognition(sessions, keys, binding.check),
            elsewhere=elsewhere,
        )


def sharing_of(cache: Cache, metrics: Metrics) -> Sharing:
    sharing = Sharing(cache, (CATALOGUE,), audience_of, anybody_like)
    awaited = "Operations that waited for another's execution of the same."
    metrics.watch("shared_answers_awaited", awaited, lambda: sharing.awaited)
    joined = "Operations that were executed together with others of other variables."
    metrics.watch("joint_answers", joined, lambda: sharing.joined)
    return sharing


async def open_database(
    url: str, settings: Settings, metrics: Metrics, stack: AsyncExitStack, *, traced: bool
) -> Database:
    """PostgreSQL. Its loss refuses: nothing is answered without it."""

    def observe(query: str, seconds: float, failure: BaseException | None) -> None:
        metrics.statements.add(seconds)
        if traced:
            trace_statement(query, seconds, failure)

    database = await stack.enter_async_context(
        Database.open(
            url,
            min_connections=settings.database_min_connections,
            max_connections=settings.database_max_connections,
            observe=observe,
        )
    )
    metrics.watch("db_connections_active", "Connections in use.", lambda: database.connections_in_use)
    metrics.watch("db_connections_idle", "Connections waiting.", lambda: database.idle_connections)
    return database


async def open_vectors(settings: Settings, metrics: Metrics, stack: AsyncExitStack) -> GuardedIndex:
    """Qdrant. Its loss degrades: search goes on by keywords, recommendations by what is popular."""
    late = await stack.enter_async_context(LateIndex.open(lambda: qdrant_of(settings)))
    vectors = GuardedIndex(late)
    metrics.watch("vector_failures", "Calls of the vector index that failed.", lambda: vectors.failures)
    return vectors


def qdrant_of(settings: Settings) -> AbstractAsyncContextManager[VectorIndex]:
    from domain.platform.qdrant import QdrantIndex  # noqa: PLC0415 - takes a second to load, so not at the start

    if settings.qdrant_url is None:
        return QdrantIndex.in_folder(settings.data_dir.resolve() / "qdrant")
    key = settings.qdrant_api_key
    return QdrantIndex.at_url(str(settings.qdrant_url), key.get_secret_value() if key else None)


async def open_encoder(settings: Settings, stack: AsyncExitStack, announce: Announce | None) -> LateEncoder:
    """The sentence encoder, built at first use. While there is none, search goes on by keywords."""
    return await stack.enter_async_context(
        LateEncoder.open(
            settings.data_dir.resolve() / "model",
            given=settings.encoder_dir,
            threads=settings.encoder_threads,
            announce=announce,
        )
    )


def discovery_of(
    database: Database, vectors: GuardedIndex, encoder: LateEncoder, metrics: Metrics
) -> Discovery:
    discovery = Discovery(
        store=PostgresSearch(database),
        suggestions=PostgresSuggestions(database),
        trends=PostgresTrends(database),
        vectors=vectors,
        encoder=encoder.current,
        now=now,
    )
    metrics.watch("search_fallbacks", "Searches that went on by keywords alone.", discovery.fallbacks.total)
    return discovery


def sona_of(reads: PostgresSona, trending: Trending, vectors: GuardedIndex, metrics: Metrics) -> Sona:
    trends = KeptTrends(trending, Kept(time.monotonic, most=KEPT_TRENDS))
    nearness = Nearness(vectors)
    rankings: Rankings = Kept(time.monotonic)
    metrics.watch(
        "recommendation_fallbacks", "Recommendations made without vectors.", nearness.fallbacks.total
    )
    return Sona(reads, reads, Blend(reads, trends, nearness), trends, rankings, now)


def similarity_of(reads: PostgresSona, vectors: GuardedIndex, metrics: Metrics) -> Similarity:
    similarity = Similarity(reads, vectors)
    metrics.watch("similarity_fallbacks", "Comparisons made without vectors.", similarity.fallbacks.total)
    return similarity


def trending_of(discovery: Discovery, reads: PostgresSona) -> Trending:
    """The works that somebody really watched or wanted: discovery's list also has what is just well known."""

    async def trending(wanted: Filter, region: str | None, as_of: datetime) -> Sequence[Trended]:
        found = await discovery.trends.trending(TrendWindow.WEEK, region, wanted, as_of)
        popularity = await reads.popularity([trend.id for trend in found])
        heats = [
            Trended(trend.id, trend.score - PRIOR * popularity.get(trend.id, 0.0) / 100) for trend in found
        ]
        hot = [trended for trended in heats if trended.heat > LEAST_HEAT]
        return sorted(hot, key=lambda trended: (-trended.heat, trended.id))

    return trending


def probe_of(database: Database) -> Probe:
    async def ask() -> None:
        await database.value("SELECT 1")

    return Probe("postgres", ask, critical=True)
