from pathlib import Path

import pytest

from domain.identity.tokens import MAX_LIFETIME_SECONDS
from gateway.engine.limits import Limit, Limits
from gateway.settings import LogLevel, Mode, Settings, SettingsError, load, without_password


@pytest.fixture(autouse=True)
def nothing_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"MEDIA_GATEWAY_{name.upper()}", raising=False)


def test_nothing_has_to_be_set() -> None:
    settings = load()

    assert settings.mode is Mode.DEVELOPMENT
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.database_url is None


def test_no_setting_gives_tokens_more_time_than_they_are_accepted_for() -> None:
    overlap = {"signing_key_overlap_seconds": 10 * MAX_LIFETIME_SECONDS}

    assert load(access_token_seconds=MAX_LIFETIME_SECONDS, **overlap).access_token_seconds
    with pytest.raises(SettingsError, match="ACCESS_TOKEN_SECONDS"):
        load(access_token_seconds=MAX_LIFETIME_SECONDS + 1, **overlap)


def test_the_environment_wins_over_the_file_and_the_file_over_defaults(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path(".env").write_text("MEDIA_GATEWAY_PORT=9001\nMEDIA_GATEWAY_LOG_LEVEL=debug\n", "utf-8")
    monkeypatch.setenv("MEDIA_GATEWAY_PORT", "9002")

    settings = load()

    assert settings.port == 9002
    assert settings.log_level is LogLevel.DEBUG
    assert settings.default_region == "US"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("PORT", "0"),
        ("PORT", "65536"),
        ("DATABASE_URL", "mysql://db/x"),
        ("DATABASE_URL", "postgresql:///x"),
        ("DATABASE_URL", "postgresql://db:notaport/x"),
        ("REDIS_URL", "localhost"),
        ("QDRANT_URL", "ftp://qdrant"),
        ("DATABASE_MAX_CONNECTIONS", "0"),
        ("REQUEST_TIMEOUT_SECONDS", "0"),
        ("LOG_LEVEL", "loud"),
        ("DEFAULT_REGION", "usa"),
        ("TRACE_RATIO", "1.1"),
        ("MODE", "staging"),
    ],
)
def test_a_bad_value_stops_the_start_and_names_the_key(
    monkeypatch: pytest.MonkeyPatch, key: str, value: str
) -> None:
    monkeypatch.setenv(f"MEDIA_GATEWAY_{key}", value)

    with pytest.raises(SettingsError, match=rf"^MEDIA_GATEWAY_{key}: "):
        load()


def test_all_bad_values_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIA_GATEWAY_PORT", "x")
    monkeypatch.setenv("MEDIA_GATEWAY_TRACE_RATIO", "x")

    with pytest.raises(SettingsError) as refused:
        load()

    assert "MEDIA_GATEWAY_PORT" in str(refused.value)
    assert "MEDIA_GATEWAY_TRACE_RATIO" in str(refused.value)


def test_fewer_connections_at_most_than_at_least_are_refused() -> None:
    with pytest.raises(SettingsError, match="MEDIA_GATEWAY_DATABASE_MIN_CONNECTIONS"):
        load(database_min_connections=9, database_max_connections=8)


def test_production_names_everything_it_misses() -> None:
    with pytest.raises(SettingsError) as refused:
        load(mode="production")

    needed = ("ISSUER", "SEALING_KEYS", "DATABASE_URL", "ALLOWED_ORIGINS")
    assert all(f"MEDIA_GATEWAY_{key}" in str(refused.value) for key in needed)


def test_tokens_are_issued_where_the_process_listens_unless_told_otherwise() -> None:
    assert load(port=8123).issuer == "http://localhost:8123"
    assert load(port=8123, issuer="https://gateway.example").issuer == "https://gateway.example"


def test_a_refusal_does_not_quote_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIA_GATEWAY_DATABASE_URL", "mysql://mg:s3cret@db/x")

    with pytest.raises(SettingsError) as refused:
        load()

    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    ["postgresql://mg:x@db.example:5432/mg?sslmode=require", "postgresql://mg@/mg?host=/run/postgresql"],
)
def test_a_database_is_named_by_host_or_by_socket(url: str) -> None:
    assert load(database_url=url).database_url == url


def test_lists_are_written_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIA_GATEWAY_ALLOWED_ORIGINS", "https://a.example, https://b.example,")

    assert load().allowed_origins == ("https://a.example", "https://b.example")


@pytest.mark.parametrize(("given", "mode_default"), [(None, True), (True, True), (False, False)])
def test_what_is_on_in_development_can_be_switched(*, given: bool | None, mode_default: bool) -> None:
    assert load().in_development(given) is mode_default


def test_every_setting_says_what_it_means() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://:s3cret@cache:6379/0", "redis://:***@cache:6379/0"),
        ("postgresql://mg:a:b@db/x?sslmode=require", "postgresql://mg:***@db/x?sslmode=require"),
        ("http://qdrant:6333", "http://qdrant:6333"),
    ],
)
def test_urls_are_shown_without_their_password(url: str, shown: str) -> None:
    assert without_password(url) == shown


@pytest.mark.parametrize(
    "origin", ["app.example.org", "https://app.example.org/path", "https://", "https://a@b.example", "null"]
)
def test_an_origin_with_more_or_less_than_scheme_and_host_is_refused(
    monkeypatch: pytest.MonkeyPatch, origin: str
) -> None:
    monkeypatch.setenv("MEDIA_GATEWAY_ALLOWED_ORIGINS", f"https://good.example,{origin}")

    with pytest.raises(SettingsError, match="is no origin; write https://app"):
        load()


@pytest.mark.parametrize(
    "origins", ["*", "https://a.example/", "http://localhost:5173,capacitor://localhost"]
)
def test_origins_are_scheme_and_host(monkeypatch: pytest.MonkeyPatch, origins: str) -> None:
    monkeypatch.setenv("MEDIA_GATEWAY_ALLOWED_ORIGINS", origins)

    assert load().allowed_origins == tuple(origins.split(","))


def test_every_limit_is_a_setting() -> None:
    assert {f"max_{limit}" for limit in Limit} <= set(Settings.model_fields)
    assert load(max_tokens=77).limits(5.0) == Limits(max_tokens=77, deadline_seconds=5.0)


def test_limits_warn_by_name_or_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIA_GATEWAY_LIMITS_WARN_ONLY", "tokens, root_fields")

    assert load().limits(1).warn_only == {Limit.TOKENS, Limit.ROOT_FIELDS}
    assert load(limits_mode="warn").limits(1).warn_only == set(Limit)
    assert load(limits_warn_only=()).limits(1).warn_only == frozenset()


def test_an_unknown_limit_is_refused_with_those_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIA_GATEWAY_LIMITS_WARN_ONLY", "tokens,width")

    with pytest.raises(SettingsError, match="no limit is called width; there are body_bytes, "):
        load()


@pytest.mark.parametrize("mode", ["off", "log", "prefer", "only"])
def test_documents_have_four_modes(mode: str) -> None:
    assert load(documents=mode).documents == mode
