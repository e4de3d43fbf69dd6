"""Registers clients on the database of the settings."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from domain.identity.audit import SYSTEM
from domain.identity.clients import GrantType, OAuthClient
from domain.identity.registrations import Registered, Registration, Registrations
from domain.platform.errors import Refused
from gateway.cli import identity
from gateway.cli.errors import Failed
from gateway.settings import Settings

URNS: Final = {"device_code": GrantType.DEVICE_CODE, "token_exchange": GrantType.TOKEN_EXCHANGE}
"""Short names of grants that have long ones."""
_SHORT: Final = {long: short for short, long in URNS.items()}


async def register(settings: Settings, wanted: Registration) -> Registered:
    """The new client; raises `Failed` with everything that is wrong."""
    async with _registrations(settings) as registrations:
        return await registrations.register(wanted, SYSTEM)


async def registered(settings: Settings) -> list[OAuthClient]:
    async with _registrations(settings) as registrations:
        return await registrations.store.all()


async def rotate_secret(settings: Settings, client_id: str, keep_old: timedelta) -> str:
    """The new secret; raises `Failed`."""
    async with _registrations(settings) as registrations:
        return str((await registrations.rotate_secret(client_id, keep_old, SYSTEM)).secret)


async def disable(settings: Settings, client_id: str) -> int:
    """How many sessions ended; raises `Failed` where there is no such client."""
    async with _registrations(settings) as registrations:
        return (await registrations.disable(client_id, SYSTEM)).ended


def described(client: OAuthClient) -> str:
    """One line."""
    kind = "public" if client.public else "confidential"
    traits = [
        kind,
        client.tier.value,
        *(["trusted"] if client.trusted else []),
        *(["dpop"] if client.bound else []),
    ]
    state = "" if client.disabled_at is None else f"  removed {client.disabled_at:%Y-%m-%d}"
    grants = ",".join(sorted(_SHORT.get(grant, grant) for grant in client.grants))
    return (
        f"{client.id}  {client.name}  {','.join(traits)}  {grants}  {' '.join(sorted(client.scopes))}  "
        f"{' '.join(client.redirect_uris)}{state}"
    )


@asynccontextmanager
async def _registrations(settings: Settings) -> AsyncIterator[Registrations]:
    """Raises `Failed` with everything that is refused."""
    try:
        async with identity.opened(settings) as opened:
            yield opened.registrations
    except Refused as refusal:
        raise Failed(" ".join(error.message for error in refusal.errors)) from None
