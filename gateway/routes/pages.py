"""GraphiQL, as it was built into `gateway/pages/graphiql`."""

from collections.abc import Sequence
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from domain.ingestion.accounts import DemoAccount

FOLDER = Path(__file__).parent.parent / "pages" / "graphiql"


def graphiql_page() -> bytes | None:
    """The page, where it was built."""
    index = FOLDER / "index.html"
    return index.read_bytes() if index.is_file() else None


def graphiql_routes(demo_accounts: Sequence[DemoAccount]) -> list[BaseRoute]:
    """The page's files, and what it must know of this server."""
    config = {
        "endpoint": "/graphql",
        "demoAccounts": [
            {"email": account.email, "displayName": account.display_name, "password": account.password}
            for account in demo_accounts
        ],
    }

    async def config_json(_request: Request) -> JSONResponse:
        return JSONResponse(config, headers={"cache-control": "no-store"})

    return [
        Route("/graphiql/config.json", config_json),
        Mount("/graphiql/assets", StaticFiles(directory=FOLDER / "assets")),
    ]
