"""Applications: what may be registered, and where people are sent back to."""

import pytest

from domain.identity.audit import SYSTEM, Audit
from domain.identity.clients import Clients, Registration, is_redirect_uri
from domain.identity.model import IDENTITY
from domain.identity.policy import Scope
from domain.identity.postgres_audit import PostgresAudit
from domain.identity.postgres_clients import PostgresClients
from domain.platform.errors import Refused, UserErrorCode
from domain.platform.postgres import Database
from tests.accounts import Clock, new_id

CODE = ("authorization_code", "refresh_token")


@pytest.fixture
def clients(database: Database) -> Clients:
    clock = Clock()
    return Clients(PostgresClients(database), Audit(PostgresAudit(database), clock.now), clock.now, new_id)


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


async def test_a_registered_client_is_found_with_its_secret_until_it_is_removed(
    clients: Clients, database: Database
) -> None:
    client, secret = await clients.register(
        Registration("Site", ["https://a.example/cb"], CODE, ["openid"], confidential=True), SYSTEM
    )
    found = await clients.find(client.id)

    assert found == client
    assert secret is not None
    assert client.knows(secret)
    assert not client.knows(secret + "x")
    assert secret not in str(await database.rows("SELECT * FROM oauth_client"))
    await clients.disable(client.id, SYSTEM)
    assert await clients.find(client.id) is None
    with pytest.raises(Refused) as refusal:
        await clients.disable(client.id, SYSTEM)
    assert refusal.value.errors[0].code is UserErrorCode.NOT_FOUND
    actions = await database.rows("SELECT action FROM audit_entry ORDER BY id")
    assert [row[0] for row in actions] == ["client.registered", "client.disabled"]


async def test_an_app_on_this_machine_takes_any_port_and_nothing_else_changes(clients: Clients) -> None:
    client, _ = await clients.register(Registration("App", ["http://127.0.0.1/cb"], CODE), SYSTEM)

    assert client.redirects_to("http://127.0.0.1:49152/cb")
    assert not client.redirects_to("http://127.0.0.1:49152/cb/")
    assert not client.redirects_to("http://127.0.0.2:49152/cb")
    assert not client.redirects_to("https://127.0.0.1:49152/cb")
    assert not client.redirects_to("http://127.0.0.1@evil.example/cb")
    assert not client.redirects_to("http://127.0.0.1:x/cb")


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
    clients: Clients, wanted: Registration, paths: list[str]
) -> None:
    with pytest.raises(Refused) as refusal:
        await clients.register(wanted, SYSTEM)

    assert [error.field[0] for error in refusal.value.errors] == paths
    assert await clients.store.all() == []


async def test_one_of_our_own_asks_consent_for_what_is_not_ordinary_alone(clients: Clients) -> None:
    wanted = Registration("TV", ["https://a.example/"], CODE, trusted=True)
    own, _ = await clients.register(wanted, SYSTEM)
    other, _ = await clients.register(wanted._replace(trusted=False), SYSTEM)

    assert not own.asks_consent([Scope.READ_WATCHLIST, *IDENTITY])
    assert own.asks_consent([Scope.READ_WATCHLIST, Scope.PLAYBACK_CONTROL])
    assert other.asks_consent([Scope.READ_WATCHLIST])
