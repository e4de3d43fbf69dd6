"""Joins the authorisation server with the accounts, sessions and clients of the process."""

from collections.abc import Mapping

from domain.identity.attempts import AttemptLimit
from domain.identity.clients import Clients
from domain.identity.dpop import Proofs
from domain.identity.grants import Grants
from domain.identity.impersonation import Impersonation
from domain.identity.policy import Policy
from domain.identity.postgres_clients import PostgresClients
from domain.identity.postgres_grants import PostgresGrants
from domain.identity.service import Accounts
from domain.identity.sessions import Sessions
from domain.identity.sign_ins import SignIns
from domain.platform.postgres import Database
from gateway.oauth.browser import Cookies
from gateway.oauth.desk import OAuthDesk
from gateway.oauth.pages import Pages
from gateway.oauth.server import Server
from gateway.phrases import languages

GRAPH = "/graphql"
MCP = "/mcp"


def resources_of(issuer: str) -> Mapping[str, str]:
    """Whom access tokens can be for, by URL."""
    return {
        issuer: "Media Gateway",
        issuer.rstrip("/") + GRAPH: "Media Gateway (GraphQL)",
        issuer.rstrip("/") + MCP: "Media Gateway (MCP)",
    }


def pages_of(
    issuer: str, database: Database, accounts: Accounts, sign_ins: SignIns, sessions: Sessions
) -> Pages:
    """The authorisation server with its pages."""
    desk = desk_of(issuer, database, sessions, accounts.attempts)
    return Pages(Server(desk), accounts, sign_ins, Cookies(desk))


def desk_of(issuer: str, database: Database, sessions: Sessions, attempts: AttemptLimit) -> OAuthDesk:
    audit, now = sessions.audit, sessions.now
    return OAuthDesk(
        issuer=issuer,
        resources=resources_of(issuer),
        clients=Clients(PostgresClients(database), audit, now, sessions.new_id),
        grants=Grants(PostgresGrants(database), sessions, attempts, audit, now),
        impersonation=Impersonation(sessions, sessions.account, Policy(), audit),
        sessions=sessions,
        proofs=Proofs(attempts, now),
        languages=tuple(languages()),
        now=now,
    )
