"""Signing in with another provider: the way there, and the way back."""

import base64
import binascii
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import orjson
import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from domain.identity.federation import Federation
from domain.identity.model import Method, Terms
from domain.platform.errors import Forbidden, Refused
from gateway.oauth.browser import seal
from gateway.oauth.desk import WITH
from gateway.oauth.pages import Fields, Pages
from gateway.oauth.providers import Attempt, Provider, ProviderError
from gateway.oauth.reading import FRESH, actor
from gateway.oauth.signing_in import ours, same
from gateway.routes.forms import BadForm, message

log = structlog.get_logger(__name__)

COOKIE: Final = "mg-elsewhere"
SECONDS: Final = 600
FOUND: Final = 302


@dataclass(frozen=True)
class Elsewhere:
    """Beside the pages, for whoever has an account of another provider."""

    pages: Pages
    providers: Mapping[str, Provider]
    federation: Federation

    async def leave(self, request: Request) -> Response:
        """Sends the browser to the provider; a cookie holds what it must come back with."""
        key, following = request.path_params["provider"], request.query_params.get("next", "")
        provider, secret = self.providers.get(key), self.pages.cookies.form_secret(request)
        sealed = seal(secret, f"{key} {following}")
        if provider is None or not ours(following) or not same(sealed, request.query_params.get("seal", "")):
            raise BadForm
        attempt = Attempt(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
            redirect_uri=self.pages.desk.url(f"{WITH}/{key}/callback"),
        )
        try:
            address = await provider.address(attempt)
        except ProviderError as error:
            return self._failed(request, key, error)
        response = RedirectResponse(address, FOUND, FRESH)
        kept = asdict(attempt) | {"provider": key, "next": following}
        self.pages.cookies.keep(response, COOKIE, _packed(kept), SECONDS, crossing=provider.posts)
        return response

    async def arrive(self, request: Request, answer: Fields) -> Response:
        """Takes what the provider has the browser bring back, and signs in whom it vouches for."""
        key = request.path_params["provider"]
        kept, provider = _unpacked(self.pages.cookies.kept(request, COOKIE)), self.providers.get(key)
        if provider is None or kept is None or kept.get("provider") != key:
            raise BadForm
        following = str(kept.pop("next"))
        kept.pop("provider")
        attempt = Attempt(**kept)
        if not hmac.compare_digest(attempt.state.encode(), answer.get("state", "").encode()):
            raise BadForm
        if not ours(following):  # somebody may have planted the cookie
            raise BadForm
        try:
            outsider = await provider.outsider(attempt, answer)
            account = await self.federation.account(outsider, actor(request))
        except ProviderError as error:
            return self._failed(request, key, error)
        except Forbidden:
            return await self.pages.signing_in.form(request, following, wrong="suspended", status=403)
        except Refused:
            return await self.pages.signing_in.form(request, following, wrong="not_linked", status=409)
        response = await self.pages.signing_in.proven(
            request, account, following, Terms(methods=(Method.FEDERATED,))
        )
        self.pages.cookies.keep(response, COOKIE, "", 0, crossing=provider.posts)
        return response

    def _failed(self, request: Request, key: str, error: ProviderError) -> Response:
        log.warning("provider.failed", provider=key, reason=str(error))
        return message(request, "oauth.provider.failed", 502)


def _packed(kept: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(kept)).decode()


def _unpacked(text: str) -> dict[str, Any] | None:
    try:
        found = orjson.loads(base64.urlsafe_b64decode(text))
    except (binascii.Error, ValueError):
        return None
    names = {"state", "nonce", "verifier", "redirect_uri", "provider", "next"}
    whole = isinstance(found, dict) and found.keys() == names
    return found if whole and all(isinstance(value, str) for value in found.values()) else None
