"""Applications: what may be registered, and where people are sent back to."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.identity.audit import SYSTEM
from domain.identity.clients import Clients, OAuthClient, is_redirect_uri
from domain.identity.model import IDENTITY, Tier
from domain.identity.policy import Scope
from domain.identity.postgres_clients import PostgresClients
from domain.identity.profile import Profile
from domain.identity.registrations import Changes, Registration
from domain.platform.errors import Refused, Unauthenticated, UserErrorCode
from domain.platform.postgres import Database
from tests.accounts import PASSWORD, Desk

CODE = ("authorization_code", "refresh_token")
APP = Registration("App", ["https://a.example/cb"], CODE, ["read:watchlist"])
SERVICE = Registration("Feed", grants=["client_credentials"], scopes=["read:content"], confidential=True)


@pytest.mark.parametrize(
    ("uri", "good"),
    [
        ("https://app.example/callback", True),
        ("https://app.example:8443/callback?x=1", True),
        ("http://127.0.0.1/callback", True),
        ("http://[::1]/callback", True),
        ("http://localhost:3000/callback", True),
        ("com.example.app:/callback", True),
        ("http://app.example/callback", False),
        ("https://app.example/callback#x", False),
        ("https://*.app.example/callback", False),
        ("https://user@app.example/callback", False),
        ("https:///callback", False),
        ("https://[2606:4700::1]:8443/callback", True),
        ("https://[::1]app.example/callback", False),
        ("https://app.example /callback", False),
        ("https://äpp.example/callback", False),
        ("https://app.example/<callback>", False),
        ("https://app.example:99999/", False),
        ("myapp:/callback", False),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("/callback", False),
        ("", False),
        ("https://app.example/\n", False),
    ],
)
def test_where_an_application_may_be_called_back(uri: str, good: bool) -> None:  # noqa: FBT001
    assert is_redirect_uri(uri) is good


async def test_a_registered_client_is_found_with_its_secret_until_it_is_disabled(
    desk: Desk, database: Database
) -> None:
    clients, now = Clients(PostgresClients(database)), desk.clock.now()
    client, secret = await desk.registrations.register(
        Registration("Site", ["https://a.example/cb"], CODE, ["openid"], confidential=True), SYSTEM
    )
    found = await clients.find(client.id)

    assert found == client
    assert secret is not None
    assert client.knows(secret, now)
    assert not client.knows(secret + "x", now)
    assert secret not in str(await database.rows("SELECT * FROM oauth_client"))
    await desk.registrations.disable(client.id, SYSTEM)
    assert await clients.find(client.id) is None
    with pytest.raises(Refused) as refusal:
        await desk.registrations.disable(client.id, SYSTEM)
    assert refusal.value.errors[0].code is UserErrorCode.NOT_FOUND
    assert await recorded(database) == ["client.registered", "client.disabled"]


async def recorded(database: Database) -> list[str]:
    rows = await database.rows("SELECT action FROM audit_entry WHERE resource_type = 'client' ORDER BY id")
    return [row[0] for row in rows]


async def test_a_secret_that_is_replaced_holds_as_long_as_it_was_said_to(
    desk: Desk, database: Database
) -> None:
    client, first = await desk.registrations.register(SERVICE, SYSTEM)
    kept, second = await desk.registrations.rotate_secret(client.id, timedelta(hours=1), SYSTEM)
    now = desk.clock.now()

    assert first is not None
    assert second is not None
    assert kept.knows(first, now)
    assert kept.knows(second, now)
    assert not kept.knows(first, now + timedelta(hours=1))
    assert kept.knows(second, now + timedelta(hours=1))
    at_once, third = await desk.registrations.rotate_secret(client.id, timedelta(), SYSTEM)
    assert not at_once.knows(first, now)
    assert not at_once.knows(second, now)
    assert at_once.knows(str(third), now)
    assert await PostgresClients(database).clients([client.id]) == {client.id: at_once}
    logged = str(await database.rows("SELECT before, after FROM audit_entry"))
    assert not any(str(secret) in logged for secret in (first, second, third))


@pytest.mark.parametrize("keep_old", [timedelta(seconds=-1), timedelta(days=8)])
async def test_an_old_secret_is_kept_a_week_at_most(desk: Desk, keep_old: timedelta) -> None:
    client, secret = await desk.registrations.register(SERVICE, SYSTEM)

    with pytest.raises(Refused):
        await desk.registrations.rotate_secret(client.id, keep_old, SYSTEM)

    (kept,) = await desk.registrations.store.all()
    assert kept.knows(str(secret), desk.clock.now())


async def test_a_public_client_gets_no_secret_by_asking_for_another(desk: Desk) -> None:
    client, _ = await desk.registrations.register(APP, SYSTEM)

    with pytest.raises(Refused) as refusal:
        await desk.registrations.rotate_secret(client.id, timedelta(), SYSTEM)

    assert refusal.value.errors[0].code is UserErrorCode.CONFLICT
    assert (await desk.registrations.store.all())[0].public


async def test_what_changes_is_kept_and_what_is_left_open_stays(desk: Desk, database: Database) -> None:
    client, _ = await desk.registrations.register(APP, SYSTEM)

    changed, ended = await desk.registrations.update(
        client.id, Changes(name=" Another ", scopes=["read:watchlist", "openid"], tier=Tier.PREMIUM), SYSTEM
    )
    again, _ = await desk.registrations.update(client.id, Changes(name="Another"), SYSTEM)

    assert (changed.name, changed.tier, ended) == ("Another", Tier.PREMIUM, 0)
    assert changed.redirect_uris == client.redirect_uris
    assert changed.scopes == {"read:watchlist", "openid"}
    assert again == changed
    assert await PostgresClients(database).clients([client.id]) == {client.id: changed}
    assert await recorded(database) == ["client.registered", "client.changed"]
    entry = await database.row("SELECT before, after FROM audit_entry WHERE action = 'client.changed'")
    assert entry is not None
    assert entry["before"] == {"name": "App", "scopes": ["read:watchlist"], "tier": "free"}


@pytest.mark.parametrize(
    ("changes", "ended"),
    [
        (Changes(scopes=[]), 1),
        (Changes(grants=["authorization_code"]), 1),
        (Changes(bound=True), 1),
        (Changes(name="Other", redirect_uris=["https://b.example/cb"]), 0),
        (Changes(scopes=["read:watchlist", "read:devices"]), 0),
    ],
)
async def test_sessions_end_where_a_client_may_do_less_than_they_say(
    desk: Desk, changes: Changes, ended: int
) -> None:
    client, _ = await desk.registrations.register(APP, SYSTEM)
    ada = await desk.service.register("ada@example.org", PASSWORD, Profile("Ada", "GB"), SYSTEM)
    theirs = await desk.sessions.start(ada, SYSTEM, client_id=client.id)
    other = await desk.sessions.start(ada, SYSTEM)

    found = await desk.registrations.update(client.id, changes, SYSTEM)

    assert found.ended == ended
    assert (await desk.sessions.identify(other.access.value)).account_id == ada.id
    if ended:
        with pytest.raises(Unauthenticated):
            await desk.sessions.identify(theirs.access.value)


async def test_a_disabled_client_takes_its_sessions_and_its_own_tokens_along(desk: Desk) -> None:
    client, _ = await desk.registrations.register(
        SERVICE._replace(grants=[*SERVICE.grants, *CODE], redirect_uris=["https://a.example/"]), SYSTEM
    )
    ada = await desk.service.register("ada@example.org", PASSWORD, Profile("Ada", "GB"), SYSTEM)
    theirs = await desk.sessions.start(ada, SYSTEM, client_id=client.id)
    own = desk.sessions.tokens.issue_to_service(client.id, frozenset(["read:content"]))
    assert (await desk.sessions.identify(own.value)).client_id == client.id

    done = await desk.registrations.disable(client.id, SYSTEM)

    assert done.ended == 1
    for token in (theirs.access.value, own.value):
        with pytest.raises(Unauthenticated):
            await desk.sessions.identify(token)


async def test_a_service_is_of_the_tier_that_an_administrator_says(desk: Desk) -> None:
    client, _ = await desk.registrations.register(SERVICE._replace(tier=Tier.ENTERPRISE), SYSTEM)
    token = desk.sessions.tokens.issue_to_service(client.id, client.scopes).value

    before = await desk.sessions.identify(token)
    await desk.registrations.update(client.id, Changes(tier=Tier.PREMIUM), SYSTEM)
    desk.clock.turn(6)

    assert before.tier is Tier.ENTERPRISE
    assert (await desk.sessions.identify(token)).tier is Tier.PREMIUM


async def test_a_token_of_a_service_grants_no_more_than_its_client_still_may(desk: Desk) -> None:
    wide = SERVICE._replace(scopes=["read:content", "read:schema"])
    client, _ = await desk.registrations.register(wide, SYSTEM)
    token = desk.sessions.tokens.issue_to_service(client.id, client.scopes).value
    before = await desk.sessions.identify(token)

    narrow = replace(client, scopes=frozenset(["read:content"]))
    await desk.registrations.store.put(narrow)  # as another process does
    desk.clock.turn(6)

    assert before.scopes == {"read:content", "read:schema"}
    assert (await desk.sessions.identify(token)).scopes == {"read:content"}


async def test_what_describes_itself_is_changed_by_nobody_else(desk: Desk) -> None:
    about = "https://app.example/client.json"
    known = OAuthClient(
        id=about,
        name="App",
        secret_hash=None,
        redirect_uris=(),
        grants=frozenset(),
        scopes=frozenset(),
        trusted=False,
        bound=False,
        created_at=desk.clock.now(),
    )
    await desk.registrations.store.keep(known)

    with pytest.raises(Refused) as refusal:
        await desk.registrations.update(about, Changes(trusted=True), SYSTEM)

    assert refusal.value.errors[0].code is UserErrorCode.CONFLICT
    assert not (await desk.registrations.store.all())[0].trusted


async def test_an_app_on_this_machine_takes_any_port_and_nothing_else_changes(desk: Desk) -> None:
    client, _ = await desk.registrations.register(Registration("App", ["http://127.0.0.1/cb"], CODE), SYSTEM)

    assert client.redirects_to("http://127.0.0.1:49152/cb")
    assert not client.redirects_to("http://127.0.0.1:49152/cb/")
    assert not client.redirects_to("http://127.0.0.2:49152/cb")
    assert not client.redirects_to("https://127.0.0.1:49152/cb")
    assert not client.redirects_to("http://127.0.0.1@evil.example/cb")
    assert not client.redirects_to("http://evil.example@127.0.0.1:49152/cb")
    assert not client.redirects_to("http://127.0.0.1:49152/cb?next=evil")
    assert not client.redirects_to("http://127.0.0.1:49152/cb#evil")
    assert not client.redirects_to("http://127.0.0.1:x/cb")
    assert not client.redirects_to("http://127.0.0.1:49152/c\nb")
    assert not client.redirects_to(" http://127.0.0.1:49152/cb")
    assert not client.redirects_to("HTTP://127.0.0.1:49152/cb")


async def test_an_app_by_its_newer_address_is_on_this_machine_alone(desk: Desk) -> None:
    client, _ = await desk.registrations.register(Registration("App", ["http://[::1]/cb"], CODE), SYSTEM)

    assert client.redirects_to("http://[::1]:49152/cb")
    assert not client.redirects_to("http://[::1]evil.example/cb")
    assert not client.redirects_to("http://[::1]evil.example:49152/cb")


@pytest.mark.parametrize(
    ("wanted", "paths"),
    [
        (Registration(" ", ["https://a.example/"]), ["name"]),
        (Registration("A\nB", ["https://a.example/"]), ["name"]),
        (Registration("App"), ["redirectUris"]),
        (Registration("App", ["http://a.example/"]), ["redirectUris"]),
        (Registration("App", grants=["password"]), ["grants"]),
        (Registration("App", grants=["client_credentials"]), ["grants"]),
        (Registration("App", ["https://a.example/"], CODE, ["admin:full"]), ["scopes"]),
        (Registration("App", ["https://a.example/"], CODE, ["write:security", "x"]), ["scopes", "scopes"]),
        (Registration("App", [f"https://a.example/{number}" for number in range(21)]), ["redirectUris"]),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_is_registered(
    desk: Desk, wanted: Registration, paths: list[str]
) -> None:
    with pytest.raises(Refused) as refusal:
        await desk.registrations.register(wanted, SYSTEM)

    assert [error.field[0] for error in refusal.value.errors] == paths
    assert await desk.registrations.store.all() == []


async def test_one_of_our_own_asks_consent_for_what_is_not_ordinary_alone(desk: Desk) -> None:
    wanted = Registration("TV", ["https://a.example/"], CODE, trusted=True)
    own, _ = await desk.registrations.register(wanted, SYSTEM)
    other, _ = await desk.registrations.register(wanted._replace(trusted=False), SYSTEM)

    assert not own.asks_consent([Scope.READ_WATCHLIST, *IDENTITY])
    assert own.asks_consent([Scope.READ_WATCHLIST, Scope.PLAYBACK_CONTROL])
    assert other.asks_consent([Scope.READ_WATCHLIST])
