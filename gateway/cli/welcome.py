"""What a developer is told once the server answers."""

from importlib.metadata import version

from rich.text import Text

from gateway.cli.screen import notes
from gateway.database import database_name
from gateway.settings import Settings, without_password

QUERY = '{"query": "{ contents(first: 3) { nodes { __typename title year } } }"}'
DEMO_ACCOUNT = "demo"


def welcome(settings: Settings) -> None:
    """Addresses, things to try and the stores in use; nothing in production, whose logs are for programs."""
    if not settings.development:
        return
    screen = notes()
    screen.print(f"\n[bold]Media Gateway {version('media-gateway')}[/bold] answers. Ctrl+C stops it.\n")
    for name, text in lines(settings):
        screen.print(Text.assemble("  ", (f"{name:8}", "dim"), text))
    screen.print()


def lines(settings: Settings) -> list[tuple[str, str]]:
    shown_host = "localhost" if settings.host in {"127.0.0.1", "0.0.0.0", "::"} else settings.host  # noqa: S104 - not bound here
    origin = f"http://{f'[{shown_host}]' if ':' in shown_host else shown_host}:{settings.port}"
    graphiql = settings.in_development(settings.graphiql)
    return [
        (
            "Open",
            f"{origin}/graphql{' in a browser: GraphiQL with examples' if graphiql else ''}",
        ),
        ("Query", f"curl -s {origin}/graphql -H 'content-type: application/json' \\"),
        ("", f"  -d '{QUERY}'"),
        ("Token", f".venv/bin/media-gateway token --account {DEMO_ACCOUNT}"),
        ("Health", f"{origin}/readyz"),
        ("Stores", database_name(settings)),
        *(("", text) for text in _other_stores(settings)),
    ]


def _other_stores(settings: Settings) -> list[str]:
    qdrant = f"at {settings.qdrant_url}" if settings.qdrant_url else f"in {settings.data_dir / 'qdrant'}"
    redis = (
        f"Redis at {without_password(str(settings.redis_url))}"
        if settings.redis_url
        else "cache, presence and fan-out in this process (set MEDIA_GATEWAY_REDIS_URL to join several)"
    )
    kafka = (
        f"events to Kafka at {settings.kafka_bootstrap}"
        if settings.kafka_bootstrap
        else "events kept in the outbox"
    )
    return [f"vectors {qdrant}", redis, kafka]
