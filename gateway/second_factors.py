"""Second factors and viewing profiles, joined with what they need."""

import ipaddress
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from domain.identity.factors import SecondFactors
from domain.identity.key_file import kept_key
from domain.identity.passkeys import RelyingParty
from domain.identity.postgres import PostgresAccounts
from domain.identity.postgres_factors import PostgresChallenges, PostgresFactors, PostgresProofs
from domain.identity.postgres_viewing import PostgresViewing
from domain.identity.sealing import Sealer, new_key
from domain.identity.service import Accounts
from domain.identity.sessions import Sessions
from domain.identity.step_up import StepUp
from domain.identity.viewing import Viewing
from domain.platform.postgres import Database
from gateway.settings import PREFIX, Settings, SettingsError

KEY_FILE: Final = "sealing-keys"
NAME: Final = "Media Gateway"


def second_factors_of(settings: Settings, accounts: Accounts, database: Database) -> SecondFactors:
    return SecondFactors(
        store=PostgresFactors(database),
        challenges=PostgresChallenges(database),
        relying_party=relying_party_of(settings),
        sealer=sealer_of(settings),
        letters=accounts.letters,
        attempts=accounts.attempts,
        audit=accounts.audit,
        now=accounts.now,
        new_id=accounts.new_id,
    )


def step_up_of(
    factors: SecondFactors, accounts: Accounts, sessions: Sessions, viewing: Viewing, database: Database
) -> StepUp:
    return StepUp(
        factors=factors,
        proofs=PostgresProofs(database),
        hashes=PostgresAccounts(database),
        passwords=accounts.passwords,
        hold=sessions.hold_session,
        limited=viewing.limits,
        now=accounts.now,
    )


def viewing_of(accounts: Accounts, sessions: Sessions, database: Database) -> Viewing:
    return Viewing(
        store=PostgresViewing(database),
        sessions=sessions,
        recent=accounts.recent,
        passwords=accounts.passwords,
        attempts=accounts.attempts,
        audit=accounts.audit,
        now=accounts.now,
        new_id=accounts.new_id,
    )


def sealer_of(settings: Settings) -> Sealer:
    """The keys of the settings, or those that development keeps; raises `SettingsError`."""
    if settings.sealing_keys is not None:
        return _sealer(settings.sealing_keys.get_secret_value(), f"{PREFIX}SEALING_KEYS")
    path: Path = settings.data_dir.resolve() / KEY_FILE
    try:
        text = kept_key(path, new_key).text
    except OSError as error:
        raise SettingsError(f"{path} cannot be used ({error.strerror}); set {PREFIX}SEALING_KEYS") from None
    return _sealer(text, str(path))


def relying_party_of(settings: Settings) -> RelyingParty:
    """Pages of the issuer and of the allowed origins may ask for passkeys."""
    issuer = urlsplit(settings.issuer)
    host = issuer.hostname or "localhost"
    origins = [f"{issuer.scheme}://{issuer.netloc}"]
    origins += [origin.rstrip("/") for origin in settings.allowed_origins if origin != "*"]
    if settings.development and not _is_address(host):
        origins.append(f"http://{host}:{settings.port}")
    return RelyingParty(settings.passkey_domain or host, NAME, tuple(dict.fromkeys(origins)))


def _sealer(text: str, source: str) -> Sealer:
    try:
        return Sealer.of(text)
    except ValueError as error:
        raise SettingsError(f"{source}: {error}") from None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
