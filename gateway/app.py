"""The composition root: settings in, running application out."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from importlib.metadata import version
from random import random

import structlog
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from domain.identity.model import Caller
from domain.identity.policy import Policy, Scope
from domain.ingestion.accounts import DemoAccount, parse
from domain.ingestion.demo import FOLDER
from domain.ingestion.lines import LineFile
from domain.platform.budgets import Budgets
from domain.platform.late_encoder import Announce
from gateway.allowances import allowance_of
from gateway.authentication import NAMING, lifetime_of
from gateway.background import in_background
from gateway.documents.desk import Desk
from gateway.edge import Application
from gateway.engine.admission import CostPolicy
from gateway.engine.errors import ErrorFormatter
from gateway.engine.execution import Engine, Operation
from gateway.engine.lifetime import Lifetime
from gateway.engine.limits import Excess
from gateway.engine.results import OperationResult
from gateway.engine.sharing import Sharing
from gateway.metrics import Metrics
from gateway.oauth.metadata import RESOURCE
from gateway.oauth.opening import GRAPH
from gateway.oauth.routes import oauth_page_routes, oauth_routes
from gateway.payers import HEADER as COST_HEADER
from gateway.payers import payer_of
from gateway.routes.account import account_routes
from gateway.routes.connection import Connection, DoorOptions
from gateway.routes.forms import style_routes
from gateway.routes.graphql import Doors
from gateway.routes.health import health_routes
from gateway.routes.interchange import interchange_routes
from gateway.routes.jwks import jwks_routes
from gateway.routes.origins import Origins
from gateway.routes.owner import owner_routes
from gateway.routes.pages import graphiql_page, graphiql_routes
from gateway.routes.rate_gate import limited
from gateway.services import Opened, open_all, open_services
from gateway.settings import Settings
from gateway.time_and_ids import now
from gateway.tracing import RequestSpans, tracing
from gateway.worker import work
from resolvers.context import Context
from resolvers.viewing import NOTHING, limits_of
from schema.graph import graph

__all__ = ["create_app", "open_services"]

PROJECT = "media-gateway"

log = structlog.get_logger(__name__)


def create_app(settings: Settings, announce: Announce | None = None) -> Application:
    """The application; it opens its services when it starts, and closes them when it stops.

    `announce` hears how far the sentence encoder is, where it has to be built.
    """
    metrics = Metrics()
    traced = settings.otlp_endpoint is not None

    holder: list[Opened] = []

    def opened() -> Opened:
        return holder[0]

    costs = cost_policy(settings, metrics, lambda: opened().budgets)
    engine = engine_of(settings, metrics, costs, lambda: opened().sharing)
    metrics.watch_counts(
        "graphql_executions",
        "Operations, and events of subscriptions, by whether a plan executed them or why none could.",
        "by",
        engine.executions,
    )
    desk = Desk(settings, engine, metrics)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        with tracing(settings, version(PROJECT)):
            async with open_all(settings, metrics, traced=traced, announce=announce) as opened:
                holder[:] = [opened]
                jobs = opened.jobs if settings.background_work else ()
                async with desk.in_step(opened.database, opened.queries), in_background(work(jobs)):
                    yield

    async def caller_at(connection: Connection) -> Caller:
        return await opened().recognition.caller_of(connection)

    async def context_of(connection: Connection) -> Context:
        services = opened().services
        caller = await caller_at(connection)
        rate = None
        if caller.key_id is not None and caller.per_minute is not None:
            rate = await services.limits.require_key(caller.key_id, caller.per_minute)
        limits = await limits_of(services.viewing, caller) if caller.may_be_limited else NOTHING
        return Context(
            payer=payer_of(connection, caller, services.spending.buckets),
            rate=rate,
            services=services,
            caller=caller,
            region=caller.region or settings.default_region,
            request_id=connection.request_id,
            client=connection.client,
            restriction=limits.restriction,
            hours=limits.hours,
            user_agent=connection.headers.get("user-agent"),
            last_seen=connection.headers.get("last-event-id") or None,
        )

    lifetimes = lifetime_of(now, lambda: opened().services.sessions.revocations)
    doors = Doors(desk.intake, context_of, door_options(settings, lifetimes))
    draining = Draining(doors, settings.drain_seconds)
    app = Application(
        metrics,
        RequestSpans(settings.trace_ratio) if traced else None,
        doors=doors.by_path,
        socket_doors=doors.sockets_by_path,
        lifespan=lifespan,
        routes=[
            *doors.routes,
            *jwks_routes(lambda: opened().services.sessions.tokens.keys),
            *health_routes(lambda: opened().probes, draining.begun, {"version": version(PROJECT)}),
            *metrics.routes,
            *limited(
                [
                    *oauth_routes(lambda: opened().oauth.server),
                    *oauth_page_routes(lambda: opened().elsewhere),
                ],
                lambda: opened().services.limits,
            ),
            *account_routes(
                lambda: opened().services.recovery,
                lambda: opened().services.address_change,
                lambda: opened().services.closing,
            ),
            *owner_routes(lambda: opened().services.avatars, lambda: opened().services.exports, context_of),
            *interchange_routes(context_of),
            *style_routes(),
            *page_routes(settings),
        ],
    )
    app.state.drain = draining.start
    return app


class Draining:
    """Whether the process is about to stop, so that no new request is sent to it."""

    def __init__(self, doors: Doors, seconds: float) -> None:
        self._doors = doors
        self._seconds = seconds
        self._begun = False

    def begun(self) -> bool:
        return self._begun

    async def start(self) -> None:
        """Tells every subscriber to reconnect with its cursor, one after another over the time there is."""
        self._begun = True
        await self._doors.drain(self._seconds)


def engine_of(
    settings: Settings,
    metrics: Metrics,
    costs: CostPolicy | None = None,
    sharing: Callable[[], Sharing | None] = lambda: None,
) -> Engine:
    shown = shown_name(settings)

    def observe(operation: Operation, result: OperationResult, seconds: float) -> None:
        outcome = result.errors[0]["extensions"]["code"] if result.errors else "OK"
        metrics.operation(operation.type.value, shown(operation.name), outcome, seconds)

    open_to_all = settings.in_development(settings.introspection)
    policy = Policy()

    def may_introspect(context: Context) -> bool:
        return open_to_all or policy.holds(context.caller, Scope.READ_SCHEMA)

    def note(excess: Excess, refused: bool) -> None:  # noqa: FBT001 - the engine calls it by position
        metrics.excesses.add(excess.limit.value, "refused" if refused else "warned")
        if not refused:
            log.warning("limit.exceeded", **excess.extensions)

    return Engine(
        graph(subgraph=settings.subgraph, federation_version=settings.federation_version),
        settings.limits(settings.request_timeout_seconds),
        ErrorFormatter(
            suggestions=open_to_all, docs_url=None if settings.docs_url is None else str(settings.docs_url)
        ),
        introspection=may_introspect,
        planned=settings.compiled_operations,
        observe=observe,
        costs=costs,
        sharing=sharing,
        note=note,
    )


def cost_policy(settings: Settings, metrics: Metrics, budgets: Callable[[], Budgets]) -> CostPolicy:
    shown = shown_name(settings)
    return CostPolicy(
        mode=settings.cost_mode,
        limit=float(settings.max_cost),
        budgets=budgets,
        payer_of=lambda context: context.payer,
        samples=lambda: random() < settings.cost_sample_ratio,  # noqa: S311 - a sample, no secret
        spent=lambda operation, expected, actual: metrics.cost(shown(operation.name), expected, actual),
        exceeded=lambda _, error: metrics.cost_exceeded.add(error.code.value, settings.cost_mode.value),
    )


def shown_name(settings: Settings) -> Callable[[str | None], str]:
    """The name of an operation in the metrics: what clients write must not make new series."""
    known = frozenset(settings.known_operations)
    return lambda name: name if name in known else "other"


def door_options(
    settings: Settings, lifetimes: Callable[[Context], AbstractContextManager[Lifetime]]
) -> DoorOptions:
    page = graphiql_page() if settings.in_development(settings.graphiql) else None
    return DoorOptions(
        origins=Origins(
            frozenset(origin.rstrip("/").lower() for origin in settings.allowed_origins),
            local=settings.development,
        ),
        page=None if page is None else lambda: page,
        lifetime_of=lifetimes,
        caller_of=lambda context: context.caller.account_id,
        course_of=lambda context: context.course,
        allowance_of=allowance_of,
        renew=_renew,
        naming=NAMING,
        varying=(COST_HEADER,),
        send_seconds=settings.send_seconds,
        challenge=f'Bearer resource_metadata="{settings.issuer.rstrip("/")}{RESOURCE}{GRAPH}"',
    )


def _renew(context: Context, by: Context) -> bool:
    """Lets a context go on with the token of another, if that stands for the same account and session."""
    known, fresh = context.caller, by.caller
    if (known.account_id, known.session_id) != (fresh.account_id, fresh.session_id):
        return False
    context.caller = fresh
    return True


def page_routes(settings: Settings) -> Sequence[BaseRoute]:
    if not settings.in_development(settings.graphiql) or graphiql_page() is None:
        return []
    return graphiql_routes(demo_accounts() if settings.in_development(settings.demo_catalogue) else [])


def demo_accounts() -> list[DemoAccount]:
    """Those a developer may sign in as by a click."""
    entries = parse(LineFile(FOLDER / "accounts.jsonl"))
    return [entry for entry in entries if isinstance(entry, DemoAccount)]
