"""Every setting of the gateway: one frozen object, from the environment, `.env` and defaults."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import parse_qs, urlsplit, urlunsplit

from pydantic import (
    AfterValidator,
    AnyUrl,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    UrlConstraints,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import NoDecode, SettingsConfigDict

from gateway.engine.admission import CostMode
from gateway.settings_clients import ClientSettings
from gateway.settings_keys import KeySettings
from gateway.settings_mail import MailSettings
from gateway.settings_providers import ProviderSettings

PREFIX = "MEDIA_GATEWAY_"


def _postgres_url(value: str) -> str:
    # Not pydantic's own type: it refuses the URL of a socket, `postgresql://user@/db?host=/run/postgresql`.
    parts = urlsplit(value)
    if parts.scheme not in {"postgresql", "postgres"}:
        raise ValueError("must start with postgresql://")
    if not (parts.hostname or parse_qs(parts.query).get("host")):
        raise ValueError("names no host; write postgresql://user:password@host:5432/database")
    if parts.port == 0:
        raise ValueError("port 0 cannot be connected to")
    return value


PostgresUrl = Annotated[str, AfterValidator(_postgres_url)]
RedisUrl = Annotated[AnyUrl, UrlConstraints(allowed_schemes=["redis", "rediss", "unix"])]
HttpUrl = Annotated[AnyUrl, UrlConstraints(allowed_schemes=["http", "https"])]


def _origin(value: str) -> str:
    parts = urlsplit(value)
    exact = f"{parts.scheme}://{parts.netloc}"
    if value != "*" and (not parts.hostname or value.removesuffix("/") != exact or "@" in value):
        raise ValueError(f"{value} is no origin; write https://app.example.org, without a path")
    return value


Origin = Annotated[str, AfterValidator(_origin)]


class Mode(StrEnum):
    """How much the process may take for granted."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Payers(StrEnum):
    """Who shares a budget of one size: addresses that nobody signed in from, or accounts of a tier."""

    ANONYMOUS = "anonymous"
    FREE = "free"
    PREMIUM = "premium"
    ENTERPRISE = "enterprise"


class BudgetSetting(BaseModel):
    """A bucket of cost that refills."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    capacity: float = Field(gt=0)
    per_second: float = Field(gt=0)


BUDGETS: Final = {
    Payers.ANONYMOUS: BudgetSetting(capacity=50_000, per_second=2_500),
    Payers.FREE: BudgetSetting(capacity=100_000, per_second=5_000),
    Payers.PREMIUM: BudgetSetting(capacity=300_000, per_second=15_000),
    Payers.ENTERPRISE: BudgetSetting(capacity=1_000_000, per_second=50_000),
}


class SettingsError(Exception):
    """A setting is missing or wrong; the message names each key and what to do."""


class Settings(ClientSettings, KeySettings, MailSettings, ProviderSettings):
    """What the process is told. Each field is read from `MEDIA_GATEWAY_` and its name in capitals."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        frozen=True,
        extra="ignore",
        use_attribute_docstrings=True,
        env_ignore_empty=True,
    )

    mode: Mode = Mode.DEVELOPMENT
    """`production` refuses to start without an issuer, sealing keys, a database URL and allowed origins."""
    host: str = "127.0.0.1"
    """The address to listen on."""
    port: int = Field(default=8000, ge=1, le=65535)
    """The port to listen on."""
    data_dir: Path = Path("var")
    """Where the embedded stores, the model and the development key live."""
    subgraph: str | None = None
    """Serves only this context, as a federation subgraph; the whole graph if open."""
    log_level: LogLevel = LogLevel.INFO
    """What is logged: `debug`, `info`, `warning` or `error`."""

    database_url: PostgresUrl | None = None
    """PostgreSQL; an embedded server in the data directory if open."""
    database_min_connections: int = Field(default=2, ge=1, le=1000)
    """Connections kept open."""
    database_max_connections: int = Field(default=20, ge=1, le=1000)
    """Connections at most; a sixth of them answer questions of many keys."""
    redis_url: RedisUrl | None = None
    """Redis, to join several processes; in-process stores if open."""
    qdrant_url: HttpUrl | None = None
    """Qdrant; its local mode in the data directory if open."""
    qdrant_api_key: SecretStr | None = None
    """The key of the Qdrant server."""
    kafka_bootstrap: str | None = None
    """Kafka brokers that events are shipped to; they stay in the outbox if open."""

    issuer: str = Field(default_factory=lambda known: f"http://localhost:{known.get('port', 8000)}")
    """Where clients find the server, as `https://media.example.org`: tokens say so and links lead there. All
    processes of one service have the same; http://localhost and the port if open.
    """
    access_token_seconds: int = Field(default=900, ge=5, le=86_400)
    """How long an access token holds."""
    refresh_token_seconds: int = Field(default=604_800, ge=60, le=31_536_000)
    """How long a session holds without being refreshed."""
    session_seconds: int = Field(default=2_592_000, ge=60, le=31_536_000)
    """How long a session holds from sign-in, however often it is refreshed."""
    refresh_grace_seconds: int = Field(default=10, ge=0, le=300)
    """For how long a refresh token that was used still gets the same answer, in case that was lost."""
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = ()
    """Addresses or networks of proxies whose `X-Forwarded-For` and `-Proto` are believed, by commas."""
    allowed_origins: Annotated[tuple[Origin, ...], NoDecode] = ()
    """Origins of web clients, separated by commas, or `*` for any; development also allows localhost."""

    graphiql: bool | None = None
    """Whether browsers get GraphiQL; in development if open."""
    introspection: bool | None = None
    """Whether anybody may ask for the schema and gets suggestions; in development if open. Else who holds the
    scope `read:schema` may.
    """
    docs_url: HttpUrl | None = None
    """Where docs/errors.md is published; errors then link to their code there, as `extensions.docs`."""
    federation_version: str = Field(default="2.9", pattern=r"2\.\d+")
    """The Apollo Federation version that the schema links to."""
    default_region: str = Field(default="US", pattern=r"[A-Z]{2}")
    """The region of callers who name none."""

    encoder_dir: Path | None = None
    """A folder with another ONNX sentence encoder (`model.onnx`, `tokenizer.json`)."""
    encoder_threads: int = Field(default=1, ge=1, le=64)
    """Threads of the sentence encoder."""
    background_work: bool = True
    """Whether `serve` also does the worker's jobs; off where `worker` runs beside it."""
    demo_catalogue: bool | None = None
    """Whether an empty catalogue is filled with the demo; in development if open."""

    compiled_operations: bool = True
    """Whether operations are compiled to Python; off, graphql-core interprets them, with the same answers."""
    entity_cache_bytes: int = Field(default=64 << 20, ge=0, le=1 << 40)
    """Memory for values of the catalogue that are kept in the process, in bytes; 0 keeps none."""
    cost_mode: CostMode = CostMode.ENFORCE
    """What becomes of operations that cost too much: `enforce` refuses, `warn` logs, `off` does not ask."""
    max_cost: int = Field(default=25_000, ge=1)
    """The most that one operation may cost."""
    cost_budgets: Mapping[Payers, BudgetSetting] = Field(default_factory=lambda: dict(BUDGETS))
    """What callers may spend, as JSON by `anonymous` (each address), `free`, `premium` and `enterprise` (each
    account): a `capacity`, and how much `per_second` comes back. Whoever is left out has no budget to keep
    to."""
    cost_sample_ratio: float = Field(default=0.01, ge=0, le=1)
    """The share of operations without a budget whose actual cost is measured for the metrics."""

    device_lease_seconds: float = Field(default=90.0, ge=1, le=3600)
    """How long a device counts as online after its last sign of life; it should give three in that time."""
    device_idle_seconds: float = Field(default=300.0, ge=1, le=86_400)
    """How long after the last act of its user a device counts as idle."""
    change_log_days: int = Field(default=30, ge=1, le=3650)
    """How long the change log is kept, in days; a device that was away for longer gets the whole state."""
    rate_limits: bool = True
    """Whether endpoints hold their callers to the table of rate limits; API keys always keep to their own."""

    request_timeout_seconds: float = Field(default=30.0, gt=0, le=600)
    """How long an operation may take; then what it asks of the database is cancelled."""
    send_seconds: float = Field(default=30.0, ge=1, le=600)
    """How long a client may take nothing of what it is sent; then its stream ends and it is disconnected."""
    drain_seconds: float = Field(default=10.0, ge=0, le=300)
    """How long a stopping server lets requests finish, and over which it sends subscribers away."""
    known_operations: Annotated[tuple[str, ...], NoDecode] = ()
    """Names of operations that metrics tell apart, separated by commas; all others are counted as one."""
    otlp_endpoint: HttpUrl | None = None
    """Where traces are sent (OTLP over HTTP); nowhere if open."""
    trace_ratio: float = Field(default=1.0, ge=0, le=1)
    """The share of requests that is traced."""

    @field_validator("allowed_origins", "trusted_proxies", "known_operations", mode="before")
    @classmethod
    def _separated(cls, value: Any) -> Any:
        return (
            tuple(part.strip() for part in value.split(",") if part.strip())
            if isinstance(value, str)
            else value
        )

    @model_validator(mode="after")
    def _consistent(self) -> "Settings":
        if self.database_min_connections > self.database_max_connections:
            raise ValueError(f"{PREFIX}DATABASE_MIN_CONNECTIONS is above {PREFIX}DATABASE_MAX_CONNECTIONS")
        self.check_keys(self.access_token_seconds)
        if self.mode is Mode.PRODUCTION:
            needed = ("issuer", "sealing_keys", "database_url", "allowed_origins")
            given = self.model_fields_set
            missing = [
                PREFIX + name.upper() for name in needed if name not in given or not getattr(self, name)
            ]
            if missing:
                raise ValueError(f"production mode needs {', '.join(missing)}")
        return self

    @property
    def development(self) -> bool:
        return self.mode is Mode.DEVELOPMENT

    def in_development(self, given: bool | None) -> bool:  # noqa: FBT001 - a setting's value
        """A setting that is on in development unless it says otherwise."""
        return self.development if given is None else given


def without_password(url: str) -> str:
    """The URL as it may be shown."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    user, _, address = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}:***@{address}"))


def load(**overrides: Any) -> Settings:
    """The settings of this process; raises `SettingsError` naming every key that is wrong."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        problems = [
            f"{PREFIX}{'_'.join(str(part) for part in problem['loc']).upper()}: {problem['msg']}"
            if problem["loc"]
            else problem["msg"].removeprefix("Value error, ")
            for problem in error.errors()
        ]
        raise SettingsError("; ".join(problems)) from None
