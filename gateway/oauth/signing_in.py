"""The pages of signing in: by password, by passkey, and the second step. Only passkeys need JavaScript."""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import orjson
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from domain.identity.factors import Asked, Factor, Given
from domain.identity.model import BROWSER, Account, Method, Terms
from domain.identity.service import Accounts
from domain.identity.sign_ins import SignIns
from domain.platform.errors import Forbidden, Refused, TooManyRequests, UserErrorCode
from gateway.oauth.browser import Cookies, seal
from gateway.oauth.desk import AUTHORIZE, DEVICE, WITH, OAuthDesk
from gateway.oauth.reading import FRESH, actor
from gateway.oauth.requests import parameters_in
from gateway.routes.forms import POLICY, BadForm, page

SEE_OTHER: Final = 303
SCRIPTED: Final = POLICY.replace("default-src 'none'", "default-src 'none'; script-src 'self'")
"""For the script that asks for passkeys; it loads nothing and talks to nobody."""
_DIGITS: Final = re.compile(r"[0-9 ]{6,7}")
_WRONG: Final = {UserErrorCode.NOT_FOUND: "late", UserErrorCode.NOT_VERIFIED: "unverified"}
_CODES: Final = frozenset({Factor.TOTP, Factor.BACKUP_CODE})
"""What is typed."""

Fields = Mapping[str, str]


@dataclass(frozen=True)
class SignInPages:
    """How people sign in on our pages, and go on where they came from."""

    desk: OAuthDesk
    accounts: Accounts
    sign_ins: SignIns
    cookies: Cookies
    providers: Mapping[str, str]
    """Others that people may sign in with: what they are called, by short names."""

    async def sign_in(self, request: Request, fields: Fields) -> Response:
        """By e-mail address and password."""
        following = self._following(request, fields)
        by, email = actor(request), fields.get("email", "")
        try:
            account = await self.accounts.sign_in(email, fields.get("password", ""), by)
        except Refused as refusal:
            unverified = refusal.errors[0].code is UserErrorCode.NOT_VERIFIED
            wrong = "unverified" if unverified else "credentials"
            return await self.form(request, following, wrong=wrong, email=email, status=401)
        except Forbidden:
            return await self.form(request, following, wrong="suspended", email=email, status=403)
        except TooManyRequests as error:
            response = await self.form(request, following, wrong="too_many", email=email, status=429)
            return _retrying(response, error)
        return await self.proven(request, account, following)

    async def passkey(self, request: Request, fields: Fields) -> Response:
        """By a passkey alone."""
        following, by = self._following(request, fields), actor(request)
        try:
            account, methods = await self.sign_ins.complete_passkey(
                fields.get("challenge", ""), _credential(fields), by
            )
        except Refused as refusal:
            wrong = _WRONG.get(refusal.errors[0].code, "passkey")
            return await self.form(request, following, wrong=wrong, status=401)
        except Forbidden:
            return await self.form(request, following, wrong="suspended", status=403)
        return await self._signed_in(request, account, following, Terms(methods=methods))

    async def proven(
        self, request: Request, account: Account, following: str, terms: Terms | None = None
    ) -> Response:
        """Goes on with whoever has taken the first step: with the second, where there is one."""
        try:
            asked = await self.sign_ins.second_step(account)
        except Refused:
            return await self.form(request, following, wrong="late", status=401)
        if asked is not None:
            first = Method.PASSWORD if terms is None else Method(terms.methods[0])
            return self._second_step(request, following, asked, first)
        return await self._signed_in(request, account, following, terms)

    async def second_step(self, request: Request, fields: Fields) -> Response:
        """By a code, of an authenticator app or a backup code, or a passkey, after the first step."""
        following, secret = fields.get("next", ""), self.cookies.form_secret(request)
        challenge, by = fields.get("challenge", ""), actor(request)
        sealed = seal(secret, f"second-step {challenge} {fields.get('first')} {following}")
        if not ours(following) or not same(sealed, fields.get("seal", "")):
            raise BadForm
        first = Method(fields["first"])
        try:
            account, methods = await self.sign_ins.complete(challenge, _given(fields), by, first)
        except Refused as refusal:
            again = await self._asked_again(challenge, refusal)
            if again is None:
                return await self.form(request, following, wrong="late", status=401)
            return self._second_step(request, following, again, first, wrong="wrong", status=401)
        except Forbidden:
            return await self.form(request, following, wrong="suspended", status=403)
        except TooManyRequests as error:
            again = await self._asked_again(challenge)
            if again is None:
                response = await self.form(request, following, wrong="too_many", status=429)
            else:
                response = self._second_step(request, following, again, first, wrong="too_many", status=429)
            return _retrying(response, error)
        return await self._signed_in(request, account, following, Terms(methods=methods))

    async def form(  # noqa: PLR0913 - what a form may show
        self,
        request: Request,
        following: str,
        redirect_uri: str | None = None,
        *,
        wrong: str | None = None,
        email: str = "",
        status: int = 200,
    ) -> Response:
        """`email` is what was typed, for it not to be typed again."""
        secret, passkey = self.cookies.form_secret(request), await self.sign_ins.begin_passkey()
        response = page(
            request,
            "oauth/sign_in.html",
            status,
            email=email,
            next=following,
            seal=seal(secret, following),
            wrong=wrong,
            providers=self._ways(secret, following),
            challenge=passkey.token,
            options=_shown(passkey),
        )
        self.cookies.keep_form_secret(response, secret)
        # The way on may lead to the client without another page, and browsers hold the form to that.
        return _scripted(response, redirect_uri or _redirect_uri_in(following))

    async def _asked_again(self, challenge: str, refusal: Refused | None = None) -> Asked | None:
        """The question that still stands after a wrong answer; None where it does not."""
        if refusal is not None and refusal.errors[0].code is not UserErrorCode.CREDENTIALS:
            return None
        try:
            return await self.sign_ins.second_step_again(challenge)
        except Refused:
            return None

    def _second_step(  # noqa: PLR0913 - what a form may show
        self,
        request: Request,
        following: str,
        asked: Asked,
        first: Method,
        *,
        wrong: str | None = None,
        status: int = 200,
    ) -> Response:
        secret = self.cookies.form_secret(request)
        response = page(
            request,
            "oauth/second_step.html",
            status,
            next=following,
            seal=seal(secret, f"second-step {asked.token} {first.value} {following}"),
            challenge=asked.token,
            first=first.value,
            wrong=wrong,
            codes=[factor.value for factor in asked.factors if factor in _CODES],
            options=_shown(asked),
        )
        self.cookies.keep_form_secret(response, secret)
        return _scripted(response, _redirect_uri_in(following))

    async def _signed_in(
        self, request: Request, account: Account, following: str, terms: Terms | None = None
    ) -> Response:
        """Goes on in a new session; that which the browser was in, if any, is over."""
        by, before = actor(request), await self.cookies.browser(request)
        try:
            tokens = await self.desk.sessions.sign_in(
                account, by.known_as(account.id), terms, client_id=BROWSER
            )
        except Refused:
            return await self.form(request, following, wrong="late", status=401)
        response = RedirectResponse(following, SEE_OTHER, FRESH)
        if before is not None:
            await self.cookies.sign_out(response, before, by)
        self.cookies.sign_in(response, tokens)
        return response

    def _following(self, request: Request, fields: Fields) -> str:
        """Where a form leads on; raises `BadForm` for one that this browser was not given."""
        following, secret = fields.get("next", ""), self.cookies.form_secret(request)
        if not ours(following) or not same(seal(secret, following), fields.get("seal", "")):
            raise BadForm
        return following

    def _ways(self, secret: str, following: str) -> list[tuple[str, str]]:
        """The other ways to sign in: addresses, and what they are called."""

        def address(key: str) -> str:
            sealed = seal(secret, f"{key} {following}")
            return f"{WITH}/{key}?{urlencode({'next': following, 'seal': sealed})}"

        return [(address(key), name) for key, name in self.providers.items()]


def same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def ours(following: str) -> bool:
    """Whether somebody may be sent there: to our own pages, and nowhere else."""
    parts = urlsplit(following)
    return (
        not parts.scheme
        and not parts.netloc
        and parts.path in {AUTHORIZE, DEVICE}
        and following.startswith(parts.path)
        and "\\" not in following
        and following.isprintable()
    )


def _redirect_uri_in(following: str) -> str | None:
    """Where an application's request leads back to; the page of devices leads nowhere else."""
    parts = urlsplit(following)
    return parameters_in(parts.query).data.get("redirect_uri") if parts.path == AUTHORIZE else None


def leading_to(redirect_uri: str | None, policy: str = POLICY) -> str:
    """The policy that lets a form of the page lead on to the client."""
    parts = urlsplit(redirect_uri or "")
    if not re.fullmatch(r"[a-z][a-z0-9+.-]*", parts.scheme) or not re.fullmatch(
        r"[\w.:\[\]-]*", parts.netloc, re.ASCII
    ):
        return policy
    target = f"{parts.scheme}://{parts.netloc}" if parts.scheme in {"http", "https"} else f"{parts.scheme}:"
    return policy.replace("form-action 'self'", f"form-action 'self' {target}")


def _scripted(response: Response, redirect_uri: str | None) -> Response:
    response.headers["content-security-policy"] = leading_to(redirect_uri, SCRIPTED)
    return response


def _retrying(response: Response, error: TooManyRequests) -> Response:
    response.headers["retry-after"] = str(error.extensions["retryAfter"])
    return response


def _shown(asked: Asked) -> str | None:
    """What the script asks a passkey, if it can be asked for one."""
    return None if asked.passkey_options is None else orjson.dumps(asked.passkey_options).decode()


def _given(fields: Fields) -> Given:
    if fields.get("credential"):
        return Given(passkey=_credential(fields))
    code = fields.get("code", "").strip()
    return Given(code=code) if _DIGITS.fullmatch(code) else Given(backup_code=code)


def _credential(fields: Fields) -> Mapping[str, Any]:
    """What a browser's passkey answered; raises `BadForm` for what is none."""
    try:
        found = orjson.loads(fields.get("credential", ""))
    except ValueError:
        raise BadForm from None
    if not isinstance(found, dict):
        raise BadForm
    return found
