"""A server that speaks what GitHub and Apple speak, with their quirks: it checks what they check."""

import asyncio
import base64
import hashlib
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.e2e.server import free_port

TEAM, KEY_ID, APPLE_CLIENT = "TEAM123456", "KEY1234567", "com.example.gateway"
GITHUB_CLIENT, GITHUB_SECRET = "Iv1.0123456789abcdef", "github-client-secret"


@dataclass
class Providers:
    """What the person at the provider is, and what came of the requests."""

    port: int
    apple_key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256"))
    signing: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "apple-1"}))
    person: dict[str, Any] = field(default_factory=dict)
    published: RSAKey | None = None
    """The key that Apple shows, where that is not the one that signs."""
    claims: dict[str, Any] = field(default_factory=dict)
    """Put over those of Apple's token, to spoil it."""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def settings(self) -> dict[str, Any]:
        return {
            "github": {"client_id": GITHUB_CLIENT, "client_secret": GITHUB_SECRET, "issuer": self.url},
            "apple": {
                "client_id": APPLE_CLIENT,
                "team_id": TEAM,
                "key_id": KEY_ID,
                "private_key": self.apple_key.as_pem(private=True).decode(),
                "issuer": self.url,
            },
        }

    def begun(self, asked: Request, *needed: str) -> str:
        """A code for an authorisation request."""
        given = dict(asked.query_params)
        missing = [name for name in (*needed, "state", "code_challenge") if not given.get(name)]
        assert not missing, missing
        code = f"code-{len(self.codes)}"
        self.codes[code] = given
        return code

    def redeemed(self, form: dict[str, str]) -> dict[str, str] | None:
        """What a code was given for; once, and for whoever knows the verifier."""
        asked = self.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            asked is None
            or asked["code_challenge"] != challenge
            or asked["redirect_uri"] != form["redirect_uri"]
        ):
            self.refusals.append("code")
            return None
        return asked


async def form_of(request: Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}


@asynccontextmanager
async def running_providers() -> AsyncIterator[Providers]:
    known = Providers(free_port())
    config = uvicorn.Config(_app(known), port=known.port, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(10):
            while not server.started:  # noqa: ASYNC110 - it has no event to wait for
                await asyncio.sleep(0.02)
        yield known
    finally:
        server.should_exit = True
        await serving


def _app(known: Providers) -> Starlette:
    return Starlette(routes=[*_github(known), *_apple(known)])


def _github(known: Providers) -> list[Route]:
    """https://docs.github.com/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps"""

    async def github_authorize(request: Request) -> Response:
        assert request.query_params["client_id"] == GITHUB_CLIENT
        assert set(request.query_params["scope"].split()) == {"read:user", "user:email"}
        code = known.begun(request)
        asked = request.query_params
        return RedirectResponse(
            f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"
        )

    async def github_token(request: Request) -> Response:
        form = await form_of(request)
        good = (form.get("client_id"), form.get("client_secret")) == (GITHUB_CLIENT, GITHUB_SECRET)
        granted = known.redeemed(form) if good else None
        found = {"access_token": "gho_token", "token_type": "bearer", "scope": "read:user,user:email"}
        if granted is None:  # with 200, as GitHub has it
            found = {"error": "bad_verification_code", "error_description": "The code is incorrect."}
        # A form, unless one asks for JSON.
        if "application/json" in request.headers.get("accept", ""):
            return JSONResponse(found)
        return PlainTextResponse(urlencode(found), media_type="application/x-www-form-urlencoded")

    def github_refuses(request: Request) -> Response | None:
        if request.headers.get("authorization") != "Bearer gho_token" or not request.headers.get(
            "user-agent"
        ):
            return JSONResponse({"message": "Bad credentials"}, 401)
        return None

    async def github_user(request: Request) -> Response:
        found = {"id": known.person["id"], "login": "octocat", "name": None, "email": "public@example.com"}
        return github_refuses(request) or JSONResponse(found)

    async def github_emails(request: Request) -> Response:
        return github_refuses(request) or JSONResponse(known.person["emails"])

    return [
        Route("/login/oauth/authorize", github_authorize),
        Route("/login/oauth/access_token", github_token, methods=["POST"]),
        Route("/api/v3/user", github_user),
        Route("/api/v3/user/emails", github_emails),
    ]


def _apple(known: Providers) -> list[Route]:
    """https://developer.apple.com/documentation/signinwithapplerestapi"""

    async def apple_metadata(_request: Request) -> Response:
        return JSONResponse(
            {
                "issuer": known.url,
                "authorization_endpoint": f"{known.url}/auth/authorize",
                "token_endpoint": f"{known.url}/auth/token",
                "jwks_uri": f"{known.url}/auth/keys",
            }
        )

    async def apple_authorize(request: Request) -> Response:
        # With a name or an address among the scopes, Apple insists on a form.
        assert request.query_params["response_mode"] == "form_post"
        assert set(request.query_params["scope"].split()) == {"openid", "email", "name"}
        code = known.begun(request, "nonce")
        fields = {"code": code, "state": request.query_params["state"]}
        if known.person.get("first_time"):
            fields["user"] = json.dumps({"name": {"firstName": "Ada", "lastName": "Byron"}, "email": "x@y"})
        return JSONResponse({"action": request.query_params["redirect_uri"], "fields": fields})

    async def apple_token(request: Request) -> Response:
        form = await form_of(request)
        try:
            secret = jwt.decode(form.get("client_secret", ""), known.apple_key, algorithms=["ES256"])
            jwt.JWTClaimsRegistry(
                iss={"essential": True, "value": TEAM},
                sub={"essential": True, "value": APPLE_CLIENT},
                aud={"essential": True, "value": known.url},
                iat={"essential": True},
                exp={"essential": True},
            ).validate(secret.claims)
            assert secret.header["kid"] == KEY_ID
            assert secret.claims["exp"] - secret.claims["iat"] <= 15_777_000
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it
            known.refusals.append(f"client secret: {error}")
            return JSONResponse({"error": "invalid_client"}, 400)
        granted = known.redeemed(form)
        if granted is None:
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims = {
            "iss": known.url,
            "aud": APPLE_CLIENT,
            "sub": known.person["sub"],
            "iat": now,
            "exp": now + 600,
            "nonce": granted["nonce"],
            "nonce_supported": True,
            "email": known.person["email"],
            "email_verified": "true",  # a text, at times
            "is_private_email": "true",
        } | known.claims
        token = jwt.encode({"alg": "RS256", "kid": "apple-1"}, claims, known.signing)
        return JSONResponse(
            {"access_token": "a", "token_type": "Bearer", "expires_in": 3600, "id_token": token}
        )

    async def apple_keys(_request: Request) -> Response:
        shown = known.published or known.signing
        key = {**shown.as_dict(private=False), "alg": "RS256", "use": "sig"}
        return JSONResponse({"keys": [key]})

    return [
        Route("/.well-known/openid-configuration", apple_metadata),
        Route("/auth/authorize", apple_authorize),
        Route("/auth/token", apple_token, methods=["POST"]),
        Route("/auth/keys", apple_keys),
    ]
