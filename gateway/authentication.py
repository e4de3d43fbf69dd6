"""From a connection to its caller, and from the settings to the keys that callers' tokens are signed with."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import Any, Final, NamedTuple

import structlog

from domain.identity.key_file import kept_key
from domain.identity.keys import KeyMaterialError, SigningKeys
from domain.identity.model import ANONYMOUS, Caller
from domain.identity.revocations import REASONS, Revocations
from domain.platform.errors import Unauthenticated
from gateway.engine.lifetime import Lifetime
from gateway.routes.connection import Connection
from gateway.settings import PREFIX, Settings, SettingsError
from resolvers.context import Context

log = structlog.get_logger(__name__)

KEY_FILE: Final = "signing-key.json"
_NAME: Final = "authorization"


class Presented(NamedTuple):
    """An access token as it was sent; `bound` says that its client claims to hold a key (RFC 9449)."""

    token: str
    bound: bool


Check = Callable[[Connection, Presented, Caller], Awaitable[None]]


async def caller_of(
    connection: Connection, identify: Callable[[str], Awaitable[Caller]], check: Check | None = None
) -> Caller:
    """Whom the connection's token stands for, nobody without one; raises `Unauthenticated` for a bad one, and
    what `check` raises.

    What `connection_init` says counts before the header, as it is the application that says it.
    """
    presented = _presented(_parameter(connection)) or _presented(connection.headers.get(_NAME))
    if presented is None:
        return ANONYMOUS
    caller = await identify(presented.token)
    if check is not None:
        await check(connection, presented, caller)
    return caller


def lifetime_of(
    now: Callable[[], datetime], revocations: Callable[[], Revocations]
) -> Callable[[Context], AbstractContextManager[Lifetime]]:
    """For how long a stream of a context may run: as long as its token holds and its session stands."""

    @contextmanager
    def lifetime(context: Context) -> Iterator[Lifetime]:
        caller = context.caller
        left = None if caller.expires_at is None else max(0.0, (caller.expires_at - now()).total_seconds())
        found = Lifetime(left)
        if caller.session_id is None:
            yield found
            return
        with revocations().watching(caller.session_id, lambda end: found.end(REASONS[end])):
            yield found

    return lifetime


def signing_keys(settings: Settings) -> SigningKeys:
    """The keys of the settings, or those that development keeps; raises `SettingsError`."""
    if settings.signing_key is not None:
        try:
            return SigningKeys.of(settings.signing_key.get_secret_value())
        except KeyMaterialError as error:
            raise SettingsError(f"{PREFIX}SIGNING_KEY: {error}") from None
    path = settings.data_dir.resolve() / KEY_FILE
    try:
        kept = kept_key(path)
        keys = SigningKeys.of(kept.text)
    except KeyMaterialError as error:
        raise SettingsError(f"{path}: {error}; delete the file to have a new one made") from None
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be used ({error.strerror}); set {PREFIX}SIGNING_KEY or {PREFIX}DATA_DIR"
        ) from None
    log.info("signing_key.made" if kept.made else "signing_key.kept", path=str(path), kid=keys.current.kid)
    return keys


def _parameter(connection: Connection) -> Any:
    found = [value for name, value in connection.parameters.items() if name.lower() == _NAME]
    if len(found) > 1:
        raise _malformed()
    return found[0] if found else None


def _presented(authorization: Any) -> Presented | None:
    """The token of `Bearer …` (RFC 6750, section 2.1) or `DPoP …`; nothing where nothing is said."""
    if authorization is None or authorization == "":
        return None
    scheme, _, token = authorization.partition(" ") if isinstance(authorization, str) else ("", "", "")
    token = token.strip(" ")
    if scheme.lower() not in {"bearer", "dpop"} or not token or " " in token:
        raise _malformed()
    return Presented(token, bound=scheme.lower() == "dpop")


def _malformed() -> Unauthenticated:
    return Unauthenticated("Send the access token as `Authorization: Bearer …`.", error="invalid_request")
