"""Applications whose tokens are bound to keys of theirs (DPoP, RFC 9449)."""

import base64
import hashlib
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from tests.conftest import fresh_database
from tests.e2e.oauth import EMAIL, VERIFIER, App, Browser, code_for
from tests.e2e.server import Server, register, running


def new_key() -> ECKey:
    return ECKey.generate_key("P-256")


def proof(key: Any, method: str, url: str, token: str | None = None, **changes: Any) -> str:
    """A DPoP proof, right in everything that the test does not change."""
    claims = {"jti": str(uuid.uuid4()), "htm": method, "htu": url, "iat": int(time.time())}
    if token is not None:
        digest = hashlib.sha256(token.encode()).digest()
        claims["ath"] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": key.as_dict(private=False)}
    header |= changes.pop("header", {})
    return jwt.encode(header, claims | changes, key, algorithms=[header["alg"]])


async def bound(server: Server, app: App, ada: Browser, key: Any) -> dict[str, Any]:
    code = await code_for(ada, app)
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "code_verifier": VERIFIER,
        "client_id": app.id,
    }
    header = {"dpop": proof(key, "POST", f"{server.issuer}/oauth/token")}
    async with httpx.AsyncClient(base_url=server.url) as http:
        answer = await http.post("/oauth/token", data=fields, headers=header)
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture(scope="module")
async def demanding(scratch: Path, postgres_url: str) -> AsyncIterator[Server]:
    """A server that asks for its nonces."""
    settings = {
        "database_url": await fresh_database(postgres_url, "media_gateway_nonces"),
        "demo_catalogue": "false",
        "issuer": "http://127.0.0.1:{port}",
        "dpop_nonces": "true",
    }
    async with running(scratch / "nonces", **settings) as server:
        await register(server, EMAIL)
        yield server
