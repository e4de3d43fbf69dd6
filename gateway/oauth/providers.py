"""Other providers: how they are asked who somebody is. What they answer is checked, and never shown."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

import httpx
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from domain.identity.federation import Outsider
from gateway.settings_providers import ProviderKind, ProviderSetting

ALGORITHMS: Final = ("RS256", "ES256", "PS256", "EdDSA")
SECONDS: Final = 5.0
KEPT_SECONDS: Final = 600.0
SKEW_SECONDS: Final = 60
SECRET_SECONDS: Final = 300
MAX_BYTES: Final = 1 << 20
_ENDPOINTS: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")

GITHUB: Final = "https://github.com"
GITHUB_API: Final = "https://api.github.com"


class ProviderError(Exception):
    """The provider cannot be asked, or what it answers does not hold; why is for our own eyes."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a sign-in that was sent to a provider must come back with."""

    state: str
    nonce: str
    verifier: str = field(repr=False)
    redirect_uri: str


class Provider(Protocol):
    """Somebody who vouches for people."""

    @property
    def name(self) -> str: ...

    @property
    def posts(self) -> bool:
        """Whether it sends browsers back by a form, from its own site."""
        ...

    async def address(self, attempt: Attempt) -> str:
        """Where a browser is sent to sign in; raises `ProviderError`."""
        ...

    async def outsider(self, attempt: Attempt, answer: Mapping[str, str]) -> Outsider:
        """Who has signed in, by the parameters that came back; raises `ProviderError`."""
        ...


class OpenIdProvider:
    """One of OpenID Connect, found by discovery."""

    def __init__(
        self, key: str, setting: ProviderSetting, http: httpx.AsyncClient, now: Callable[[], datetime]
    ) -> None:
        self.key = key
        self.name = setting.name or key
        self._setting = setting
        self._http = http
        self._now = now
        self._kept: dict[str, tuple[float, Any]] = {}

    @property
    def posts(self) -> bool:
        return self._setting.kind is ProviderKind.APPLE

    async def address(self, attempt: Attempt) -> str:
        metadata = await self._metadata()
        async with self._client(attempt) as client:
            extra = {"response_mode": "form_post"} if self.posts else {}
            url, _ = client.create_authorization_url(
                metadata["authorization_endpoint"],
                state=attempt.state,
                nonce=attempt.nonce,
                code_challenge=create_s256_code_challenge(attempt.verifier),
                code_challenge_method="S256",
                **extra,
            )
        return str(url)

    async def outsider(self, attempt: Attempt, answer: Mapping[str, str]) -> Outsider:
        metadata = await self._metadata()
        says_who = metadata.get("authorization_response_iss_parameter_supported", False)
        # Whoever mixes providers up leaves it out (RFC 9207, section 2.4).
        if answer.get("iss", None if says_who else metadata["issuer"]) != metadata["issuer"]:
            raise ProviderError("issuer of the answer")
        token = await self._token(metadata["token_endpoint"], attempt, answer)
        claims = await self._claims(str(token.get("id_token", "")), attempt.nonce)
        return Outsider(
            provider=self.key,
            subject=str(claims["sub"]),
            email=_text(claims.get("email")),
            email_verified=claims.get("email_verified") in (True, "true"),
            name=_text(claims.get("name")) or _first_name(answer.get("user", "")),
            language=_language(claims.get("locale")),
        )

    async def _token(self, endpoint: str, attempt: Attempt, answer: Mapping[str, str]) -> Mapping[str, Any]:
        async with self._client(attempt) as client:
            try:
                token: Mapping[str, Any] = await client.fetch_token(
                    endpoint, code=answer.get("code", ""), code_verifier=attempt.verifier
                )
            except Exception as error:
                # Authlib raises errors of its own, of httpx, and of whatever cannot be read.
                raise ProviderError("token") from error
        return token

    async def _claims(self, token: str, nonce: str) -> Mapping[str, Any]:
        """What the provider's signature vouches for, of this sign-in."""
        for fresh in (False, True):
            try:
                keys = await self._keys(fresh=fresh)
                found = jwt.decode(token, keys, algorithms=list(ALGORITHMS), registry=_REGISTRY)
                break
            except (JoseError, ValueError, TypeError, KeyError) as error:
                if fresh:
                    raise ProviderError("signature") from error
        try:
            jwt.JWTClaimsRegistry(
                now=int(self._now().timestamp()),
                leeway=SKEW_SECONDS,
                iss={"essential": True, "value": (await self._metadata())["issuer"]},
                aud={"essential": True, "value": self._setting.client_id},
                sub={"essential": True},
                exp={"essential": True},
                iat={"essential": True},
                nonce={"essential": True, "value": nonce},
            ).validate(found.claims)
        except JoseError as error:
            raise ProviderError("claims") from error
        if found.claims.get("azp", self._setting.client_id) != self._setting.client_id:
            raise ProviderError("authorized party")
        return found.claims

    async def _metadata(self) -> Mapping[str, str]:
        issuer = str(self._setting.issuer)
        found: object = await self._document(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if not isinstance(found, dict) or found.get("issuer") != issuer:
            raise ProviderError("issuer of the metadata")
        if not all(isinstance(found.get(name), str) for name in _ENDPOINTS):
            raise ProviderError("endpoints of the metadata")
        return found

    async def _keys(self, *, fresh: bool) -> KeySet:
        address = (await self._metadata())["jwks_uri"]
        if fresh:
            self._kept.pop(address, None)
        return KeySet.import_key_set(await self._document(address))

    async def _document(self, address: str) -> Any:
        until, kept = self._kept.get(address, (0.0, None))
        if time.monotonic() < until:
            return kept
        found = await self._asked(address)
        self._kept[address] = (time.monotonic() + KEPT_SECONDS, found)
        return found

    async def _asked(self, address: str, headers: Mapping[str, str] | None = None) -> Any:
        """The JSON that is answered there."""
        try:
            async with self._http.stream("GET", address, headers=headers) as response:
                response.raise_for_status()
                body = bytearray()
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > MAX_BYTES:
                        raise ProviderError("size")
            return json.loads(body)
        except (httpx.HTTPError, ValueError, RecursionError) as error:
            raise ProviderError("unreachable") from error

    def _client(self, attempt: Attempt) -> AsyncOAuth2Client:
        return AsyncOAuth2Client(
            self._setting.client_id,
            self._secret(),
            scope=self._setting.wanted,
            redirect_uri=attempt.redirect_uri,
            token_endpoint_auth_method="client_secret_post",  # noqa: S106 - its name
            timeout=SECONDS,
        )

    def _secret(self) -> str:
        setting = self._setting
        if setting.kind is not ProviderKind.APPLE or setting.private_key is None:
            return "" if setting.client_secret is None else setting.client_secret.get_secret_value()
        now = int(self._now().timestamp())
        claims = {
            "iss": setting.team_id,
            "sub": setting.client_id,
            "aud": setting.issuer,
            "iat": now,
            "exp": now + SECRET_SECONDS,
        }
        key = ECKey.import_key(setting.private_key.get_secret_value())
        return jwt.encode({"alg": "ES256", "kid": setting.key_id}, claims, key, algorithms=["ES256"])


class GitHubProvider(OpenIdProvider):
    """GitHub, which says who somebody is by an interface of its own."""

    async def outsider(self, attempt: Attempt, answer: Mapping[str, str]) -> Outsider:
        places = await self._metadata()
        token = await self._token(places["token_endpoint"], attempt, answer)
        headers = {"authorization": f"Bearer {token.get('access_token')}", "accept": "application/json"}
        about = await self._asked(places["userinfo_endpoint"], headers)
        addresses = await self._asked(places["userinfo_endpoint"] + "/emails", headers)
        if not isinstance(about, dict) or "id" not in about or not isinstance(addresses, list):
            raise ProviderError("form")
        proven = [
            str(each.get("email"))
            for each in addresses
            if isinstance(each, dict) and each.get("primary") is True and each.get("verified") is True
        ]
        return Outsider(
            provider=self.key,
            subject=str(about["id"]),
            email=proven[0] if proven else None,
            email_verified=bool(proven),
            name=_text(about.get("name")) or _text(about.get("login")),
        )

    async def _metadata(self) -> Mapping[str, str]:
        """Of github.com, or of an Enterprise Server."""
        own = self._setting.issuer
        base, api = (GITHUB, GITHUB_API) if own is None else (own.rstrip("/"), own.rstrip("/") + "/api/v3")
        return {
            "authorization_endpoint": f"{base}/login/oauth/authorize",
            "token_endpoint": f"{base}/login/oauth/access_token",
            "userinfo_endpoint": f"{api}/user",
        }


class _Registry(jws.JWSRegistry):
    """The algorithms above; the parent warns of the name EdDSA at each use."""

    def get_alg(self, name: str) -> Any:
        if name not in ALGORITHMS:
            raise ProviderError("algorithm")
        return self.algorithms[name]


_REGISTRY: Final = _Registry()


def providers_of(
    settings: Mapping[str, ProviderSetting], http: httpx.AsyncClient, now: Callable[[], datetime]
) -> Mapping[str, Provider]:
    kinds = {ProviderKind.GITHUB: GitHubProvider}
    return {
        key: kinds.get(setting.kind, OpenIdProvider)(key, setting, http, now)
        for key, setting in settings.items()
    }


def _first_name(told: str) -> str | None:
    """What Apple has the browser bring along the first time; nobody vouches for it, as for any name."""
    try:
        name = json.loads(told)["name"]
        return " ".join(str(name[part]) for part in ("firstName", "lastName") if name.get(part)) or None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _language(locale: object) -> str | None:
    text = str(locale).replace("_", "-") if isinstance(locale, str) else ""
    return text if text and len(text) <= 35 and text.replace("-", "").isalnum() else None  # noqa: PLR2004
