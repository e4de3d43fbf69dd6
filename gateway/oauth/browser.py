"""Who is signed in on our pages: a session of its own, whose secret lies in a cookie."""

import hmac
import secrets
from typing import Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from domain.identity import refreshing
from domain.identity.audit import Actor
from domain.identity.model import BROWSER, Account, IssuedTokens, LoginSession, SessionEnd
from gateway.oauth.desk import OAuthDesk

SESSION: Final = "mg-session"
FORM: Final = "mg-form"
"""Ties a sign-in form to the browser that was given it, before anybody is signed in."""


class Browser(NamedTuple):
    """An account that is signed in on our pages."""

    account: Account
    session: LoginSession
    secret: str

    def seal(self, what: str) -> str:
        """What only a page that this browser was given can send along."""
        return seal(self.secret, what)

    def sealed(self, what: str, sent: str) -> bool:
        return hmac.compare_digest(self.seal(what).encode(), sent.encode())


class Cookies:
    """Ours, kept from scripts and, with TLS, from whoever answers under another name or without it."""

    def __init__(self, desk: OAuthDesk) -> None:
        self._desk = desk
        self._secure = desk.issuer.startswith("https:")
        self._prefix = "__Host-" if self._secure else ""

    async def browser(self, request: Request) -> Browser | None:
        """Who is signed in, if anybody is."""
        secret = request.cookies.get(self._prefix + SESSION, "")
        if not secret.startswith(refreshing.PREFIX) or len(secret) > refreshing.MAX_CHARACTERS:
            return None
        shown = await self._desk.sessions.store.presented(refreshing.fingerprint(secret))
        if shown is None or shown.session.client_id != BROWSER or not shown.session.stands(self._desk.now()):
            return None
        account = await self._desk.account(shown.session.account_id)
        return None if account is None else Browser(account, shown.session, secret)

    def sign_in(self, response: Response, tokens: IssuedTokens) -> None:
        left = tokens.session.expires_at - self._desk.now()
        self._set(response, SESSION, tokens.refresh_token, int(left.total_seconds()))

    async def sign_out(self, response: Response, browser: Browser, by: Actor) -> None:
        await self._desk.sessions.end(
            browser.account.id, [browser.session.id], SessionEnd.SIGNED_OUT, by.known_as(browser.account.id)
        )
        self._set(response, SESSION, "", 0)

    def form_secret(self, request: Request) -> str:
        """The browser's secret for sign-in forms: its own, or a new one that `keep_form_secret` gives it."""
        return request.cookies.get(self._prefix + FORM) or secrets.token_urlsafe(32)

    def keep_form_secret(self, response: Response, secret: str) -> None:
        self._set(response, FORM, secret, 3600)

    def keep(self, response: Response, name: str, value: str, seconds: int, *, crossing: bool) -> None:
        """A cookie for so many seconds; `crossing` ones come with forms of another site as well."""
        self._set(response, name, value, seconds, crossing=crossing)

    def kept(self, request: Request, name: str) -> str:
        return request.cookies.get(self._prefix + name, "")

    def _set(
        self, response: Response, name: str, value: str, seconds: int, *, crossing: bool = False
    ) -> None:
        # Lax, as a client sends the browser here from its own site.
        response.set_cookie(
            self._prefix + name,
            value,
            max_age=seconds,
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="none" if crossing else "lax",
        )


def seal(secret: str, what: str) -> str:
    return hmac.digest(secret.encode(), what.encode(errors="surrogatepass"), "sha256").hex()
