"""Joins the authorisation server with the accounts, sessions and clients of the process."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime

import httpx

from domain.identity.attempts import AttemptLimit
from domain.identity.client_documents import described, is_document
from domain.identity.clients import Clients, OAuthClient
from domain.identity.dpop import Nonces, Proofs
from domain.identity.federation import Federation
from domain.identity.grants import Grants
from domain.identity.impersonation import Impersonation
from domain.identity.policy import Policy
from domain.identity.postgres_clients import PostgresClients
from domain.identity.postgres_federation import PostgresLinks
from domain.identity.postgres_grants import PostgresGrants
from domain.identity.service import Accounts
from domain.identity.sessions import Sessions
from domain.identity.sign_ins import SignIns
from domain.platform.postgres import Database
from gateway.oauth.browser import Cookies
from gateway.oauth.desk import OAuthDesk
from gateway.oauth.documents import Documents
from gateway.oauth.elsewhere import Elsewhere
from gateway.oauth.pages import Pages
from gateway.oauth.providers import SECONDS, providers_of
from gateway.oauth.server import Server
from gateway.oauth.signing_in import SignInPages
from gateway.phrases import languages
from gateway.second_factors import sealer_of
from gateway.settings import Settings

GRAPH = "/graphql"
MCP = "/mcp"


def resources_of(issuer: str) -> Mapping[str, str]:
    """Whom access tokens can be for, by URL."""
    return {
        issuer: "Media Gateway",
        issuer.rstrip("/") + GRAPH: "Media Gateway (GraphQL)",
        issuer.rstrip("/") + MCP: "Media Gateway (MCP)",
    }


async def open_elsewhere(  # noqa: PLR0913, PLR0917 - joins them
    settings: Settings,
    database: Database,
    accounts: Accounts,
    sign_ins: SignIns,
    sessions: Sessions,
    stack: AsyncExitStack,
) -> Elsewhere:
    """The authorisation server with its pages, and the other providers that people may sign in with."""
    desk = desk_of(settings.issuer, database, sessions, accounts.attempts)
    if settings.dpop_nonces:
        sealer = sealer_of(settings)
        nonces = Nonces(lambda text: sealer.digests(text, "dpop"), sessions.now)
        desk = replace(desk, proofs=Proofs(accounts.attempts, sessions.now, nonces))
    if settings.client_documents:
        desk = replace(desk, clients=replace(desk.clients, describe=await describing(sessions.now, stack)))
    http = await stack.enter_async_context(httpx.AsyncClient(timeout=SECONDS))
    providers = providers_of(settings.sign_in_providers, http, sessions.now)
    names = {key: provider.name for key, provider in providers.items()}
    cookies = Cookies(desk)
    pages = Pages(Server(desk), cookies, SignInPages(desk, accounts, sign_ins, cookies, names))
    federation = Federation(
        PostgresLinks(database), sessions.audit, settings.default_region, sessions.now, sessions.new_id
    )
    return Elsewhere(pages, providers, federation)


async def describing(
    now: Callable[[], datetime], stack: AsyncExitStack
) -> Callable[[str], Awaitable[OAuthClient | None]]:
    """Asks clients that are known by an address what they say of themselves."""
    documents = Documents(await stack.enter_async_context(httpx.AsyncClient(trust_env=False)))

    async def describe(client_id: str) -> OAuthClient | None:
        if not is_document(client_id):
            return None
        return described(client_id, await documents.document(client_id), now)

    return describe


def desk_of(issuer: str, database: Database, sessions: Sessions, attempts: AttemptLimit) -> OAuthDesk:
    audit, now = sessions.audit, sessions.now
    return OAuthDesk(
        issuer=issuer,
        resources=resources_of(issuer),
        clients=Clients(PostgresClients(database)),
        grants=Grants(PostgresGrants(database), sessions, attempts, audit, now),
        impersonation=Impersonation(sessions, Policy(), audit),
        sessions=sessions,
        proofs=Proofs(attempts, now),
        languages=tuple(languages()),
        now=now,
    )
