from pathlib import Path

import pytest

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

    needed = ("SIGNING_KEY", "DATABASE_URL", "ALLOWED_ORIGINS")
    assert all(f"MEDIA_GATEWAY_{key}" in str(refused.value) for key in needed)


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
