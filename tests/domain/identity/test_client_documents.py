"""Clients that are known by the address of a document about them."""

from typing import Any

import pytest

from domain.identity.client_documents import SCOPES, described, is_document
from domain.identity.clients import GrantType
from domain.identity.policy import Scope
from tests.accounts import Clock

ID = "https://assistant.example/oauth/client.json"
DOCUMENT = {
    "client_id": ID,
    "client_name": "Assistant",
    "redirect_uris": ["http://127.0.0.1/callback", "https://assistant.example/callback"],
    "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
    "token_endpoint_auth_method": "none",
}


@pytest.mark.parametrize(
    "address",
    [
        "http://assistant.example/client.json",
        "https://assistant.example",
        "https://assistant.example/",
        "https://assistant.example/client.json?x=1",
        "https://assistant.example/client.json#x",
        "https://user@assistant.example/client.json",
        "https://assistant.example/a/../client.json",
        "https://assistant.example:x/client.json",
        "https:///client.json",
        "https://assistant.example/" + "x" * 500,
        "6f1c5c1e-5f3c-4b0e-9d3e-0a2b7f6f9f10",
    ],
)
def test_what_is_no_such_address_is_never_asked(address: str) -> None:
    assert not is_document(address)


def test_a_document_makes_a_public_client_that_can_be_granted_little() -> None:
    client = described(ID, DOCUMENT, Clock().now)

    assert client is not None
    assert is_document(ID)
    assert client.public
    assert not client.trusted
    assert client.name == "Assistant (assistant.example)"
    assert client.grants == {GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN}
    assert client.scopes == SCOPES
    assert SCOPES.isdisjoint({Scope.WRITE_SECURITY, Scope.ADMIN_FULL, Scope.PLAYBACK_CONTROL})
    assert client.redirects_to("http://127.0.0.1:49152/callback")
    assert not client.redirects_to("http://localhost:49152/callback")


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": "https://elsewhere.example/client.json"},
        {"client_secret": "x"},
        {"token_endpoint_auth_method": "client_secret_basic"},
        {"redirect_uris": "https://assistant.example/callback"},
        {"redirect_uris": ["javascript:alert(1)"]},
        {"redirect_uris": ["http://assistant.example/callback"]},
        {"redirect_uris": [f"https://assistant.example/{number}" for number in range(21)]},
        {"grant_types": [1]},
    ],
)
def test_a_document_that_is_not_right_makes_no_client(change: dict[str, Any]) -> None:
    assert described(ID, DOCUMENT | change, Clock().now) is None


@pytest.mark.parametrize("document", [None, [], "x", 1, {}])
def test_what_is_no_document_makes_no_client(document: Any) -> None:
    assert described(ID, document, Clock().now) is None
