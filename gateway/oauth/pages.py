"""The pages of authorisation: consent, and letting devices in. They need no JavaScript."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AccessDeniedError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from domain.identity.clients import OAuthClient
from domain.platform.errors import TooManyRequests, Unauthenticated
from gateway.oauth.browser import Browser, Cookies
from gateway.oauth.desk import AUTHORIZE, DEVICE, OAuthDesk
from gateway.oauth.errors import ConsentRequiredError, LoginRequiredError
from gateway.oauth.reading import FRESH, actor, to_browser
from gateway.oauth.requests import Asked, Parameters, parameters_in
from gateway.oauth.server import Server
from gateway.oauth.signing_in import SignInPages, leading_to, ours
from gateway.routes.forms import BadForm, message, page

SEE_OTHER: Final = 303
"""After a form, so that nothing of it is sent on (RFC 9700, section 4.12)."""
FOUND: Final = 302
_AGE: Final = re.compile(r"[0-9]{1,9}")

Fields = Mapping[str, str]


@dataclass(frozen=True)
class Pages:
    """What people are shown, and what their forms do."""

    server: Server
    cookies: Cookies
    signing_in: SignInPages

    @property
    def desk(self) -> OAuthDesk:
        return self.server.desk

    async def authorize(self, request: Request) -> Response:
        """The authorisation endpoint (RFC 6749, section 3.1)."""
        try:
            asked = await self._asked(request, request.url.query)
        except OAuth2Error as error:
            return self._refused(request, error)
        browser = await self.cookies.browser(request)
        try:
            grant = await self.server.consent(asked, browser and browser.account)
        except OAuth2Error as error:
            return self._turned_away(request, asked, error, FOUND)
        missing = self._missing(asked, browser)
        if missing is None and browser is not None:
            return await self._go_on(request, asked, grant, browser, FOUND)
        if missing is not None and "none" in _prompts(asked):
            return self._turned_away(request, asked, missing(), FOUND, grant.redirect_uri)
        if browser is None or missing is LoginRequiredError:
            return await self.signing_in.form(request, _again(asked), grant.redirect_uri)
        return self._consent(request, asked, browser, grant.redirect_uri)

    async def decide(self, request: Request, fields: Fields) -> Response:
        """What the owner said on the consent page."""
        query, browser = fields.get("request", ""), await self.cookies.browser(request)
        if browser is None or not browser.sealed(f"consent {query}", fields.get("seal", "")):
            raise BadForm
        try:
            asked = await self._asked(request, query)
            grant = await self.server.consent(asked, browser.account)
        except OAuth2Error as error:
            return self._refused(request, error)
        if fields.get("decision") != "allow":
            return self._turned_away(request, asked, AccessDeniedError(), SEE_OTHER, grant.redirect_uri)
        return await self._go_on(request, asked, grant, browser, SEE_OTHER)

    async def sign_out(self, request: Request, fields: Fields) -> Response:
        """Signs out on our pages, for somebody else to sign in."""
        following, browser = fields.get("next", ""), await self.cookies.browser(request)
        if not ours(following):
            raise BadForm
        response = RedirectResponse(following, SEE_OTHER, FRESH)
        if browser is not None:
            if not browser.sealed(f"sign-out {following}", fields.get("seal", "")):
                raise BadForm
            await self.cookies.sign_out(response, browser, actor(request))
        return response

    async def device(self, request: Request) -> Response:
        """Asks for the code that a device shows, and shows who wants in (RFC 8628, section 3.3)."""
        code = request.query_params.get("user_code", "")
        following = f"{DEVICE}?{urlencode({'user_code': code})}" if code else DEVICE
        browser = await self.cookies.browser(request)
        if browser is None:
            return await self.signing_in.form(request, following)
        if not code:
            return page(request, "oauth/device.html", wrong=None, **self._whose(browser, following))
        try:
            device = await self.desk.grants.waiting(code, browser.account.id)
        except TooManyRequests as error:
            response = page(
                request, "oauth/device.html", 429, wrong="too_many", **self._whose(browser, DEVICE)
            )
            response.headers["retry-after"] = str(error.extensions["retryAfter"])
            return response
        client = None if device is None else await self.desk.clients.find(device.client_id)
        if device is None or client is None:
            return page(request, "oauth/device.html", 404, wrong="unknown", **self._whose(browser, DEVICE))
        return page(
            request,
            "oauth/device_confirm.html",
            client=client.name,
            code=code,
            scopes=sorted(device.scopes),
            address=device.address,
            seal=browser.seal(f"device {device.user_code}"),
            user_code=device.user_code,
            **self._whose(browser, following),
        )

    async def decide_device(self, request: Request, fields: Fields) -> Response:
        """What the owner said about a device."""
        code, browser = fields.get("user_code", ""), await self.cookies.browser(request)
        if browser is None or not browser.sealed(f"device {code}", fields.get("seal", "")):
            raise BadForm
        device = await self.desk.grants.store.waiting_device(code, self.desk.now())
        if device is None:
            return message(request, "oauth.device.over", 410)
        if fields.get("decision") != "allow":
            await self.desk.grants.deny(device)
            return message(request, "oauth.device.denied")
        by = actor(request).known_as(browser.account.id)
        try:
            allowed = await self.desk.grants.allow(device, browser.session, by)
        except Unauthenticated:
            return await self.signing_in.form(request, f"{DEVICE}?{urlencode({'user_code': code})}")
        if not allowed:
            return message(request, "oauth.device.over", 410)
        return message(request, "oauth.device.allowed")

    async def _asked(self, request: Request, query: str) -> Asked:
        parameters = await self.server.pushed(parameters_in(query))
        return Asked("GET", AUTHORIZE, parameters, request.headers, actor(request))

    async def _go_on(
        self, request: Request, asked: Asked, grant: Any, browser: Browser, status: int
    ) -> Response:
        """Back to the client, with a code; to sign in anew where the session has ended meanwhile."""
        grant.session = browser.session
        try:
            answer = await self.server.authorized(asked, browser.account, grant)
        except Unauthenticated:
            return await self.signing_in.form(request, _again(asked), grant.redirect_uri)
        return to_browser(answer, status)

    def _missing(self, asked: Asked, browser: Browser | None) -> type[OAuth2Error] | None:
        """What has to happen before the client gets a code; nothing where everything has."""
        prompts = _prompts(asked)
        if browser is None or "login" in prompts or self._signed_in_too_long_ago(browser, asked):
            return LoginRequiredError
        client: OAuthClient = asked.client.client
        if "consent" in prompts or client.asks_consent(asked.scope.split()):
            return ConsentRequiredError
        return None

    def _consent(self, request: Request, asked: Asked, browser: Browser, redirect_uri: str) -> Response:
        query, client = _query(asked), asked.client.client
        response = page(
            request,
            "oauth/consent.html",
            client=client.name,
            scopes=asked.scope.split(),
            asked=query,
            seal=browser.seal(f"consent {query}"),
            host=_named(redirect_uri),
            **self._whose(browser, _again(asked)),
        )
        response.headers["content-security-policy"] = leading_to(redirect_uri)
        return response

    def _whose(self, browser: Browser, following: str) -> dict[str, Any]:
        """Who is signed in, and how somebody else can be instead."""
        return {
            "whose": browser.account.email or browser.account.display_name,
            "next": following,
            "sign_out_seal": browser.seal(f"sign-out {following}"),
        }

    def _signed_in_too_long_ago(self, browser: Browser, asked: Asked) -> bool:
        age = asked.form.get("max_age", "")
        if not _AGE.fullmatch(age):
            return False
        return (self.desk.now() - browser.session.authenticated_at).total_seconds() > int(age)

    def _turned_away(
        self,
        request: Request,
        asked: Asked,
        error: OAuth2Error,
        status: int,
        redirect_uri: str | None = None,
    ) -> Response:
        """Back to the client with an error; a page that says it where we do not know whose it is."""
        error.redirect_uri = redirect_uri or error.redirect_uri
        if error.redirect_uri is None:
            return self._refused(request, error)
        error.state = asked.payload.state
        return to_browser(self.server.turned_away(asked, error), status)

    def _refused(self, request: Request, error: OAuth2Error) -> Response:
        return message(request, "oauth.refused", 400, error=error.error)


def _prompts(asked: Asked) -> set[str]:
    """How the client wants its user to be asked (OpenID Connect Core, section 3.1.2.1)."""
    return set(asked.form.get("prompt", "").split())


def _query(asked: Asked) -> str:
    parameters: Parameters = asked.payload
    return urlencode([(name, value) for name, values in parameters.datalist.items() for value in values])


def _again(asked: Asked) -> str:
    """The same request once more, after somebody has signed in as it wanted."""
    parameters: Parameters = asked.payload
    pairs = [(name, value) for name, values in parameters.datalist.items() for value in values]
    kept = [
        (name, " ".join(part for part in value.split() if part != "login") if name == "prompt" else value)
        for name, value in pairs
        if name != "max_age"
    ]
    return f"{AUTHORIZE}?{urlencode(kept)}"


def _named(redirect_uri: str) -> str:
    """Where somebody is sent back to, for them to recognise."""
    parts = urlsplit(redirect_uri)
    return parts.netloc if parts.scheme in {"http", "https"} else parts.scheme
