"""Passkeys: WebAuthn (https://www.w3.org/TR/webauthn-3/), with the checks that the library makes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
import webauthn
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from domain.identity.model import Account

MAX_CREDENTIAL_BYTES = 16_384
_TRANSPORTS = {transport.value: transport for transport in AuthenticatorTransport}

Options = dict[str, Any]
"""What a page hands to `navigator.credentials`, as `parseCreationOptionsFromJSON` and its sister read it."""


class PasskeyRefused(Exception):
    """An answer is not one to the question, or not signed by the passkey: for our own eyes."""


# What the JSON of a stranger brings about in the code that reads it.
_UNACCEPTABLE = (
    WebAuthnException,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    OverflowError,
    RecursionError,
)


@dataclass(frozen=True, slots=True)
class Passkey:
    """A key pair of an authenticator, of which we have the public half."""

    id: str
    account_id: str
    credential_id: bytes = field(repr=False)
    public_key: bytes = field(repr=False)
    sign_count: int
    transports: tuple[str, ...]
    synced: bool
    """Whether it is kept by a service that syncs it between devices."""
    name: str
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Who asks for passkeys: the domain they are bound to, and the pages that may."""

    id: str
    name: str
    origins: tuple[str, ...]

    def creation(self, account: Account, known: Sequence[Passkey], nonce: bytes) -> Options:
        """How to make one; not on an authenticator that has one of `known`."""
        options = webauthn.generate_registration_options(
            rp_id=self.id,
            rp_name=self.name,
            user_id=UUID(account.id).bytes,
            user_name=account.email or account.display_name,
            user_display_name=account.display_name,
            challenge=nonce,
            exclude_credentials=[_descriptor(passkey) for passkey in known],
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
        )
        return _json(webauthn.options_to_json(options))

    def request(self, known: Sequence[Passkey], nonce: bytes) -> Options:
        """How to use one of `known`, or any there is where none is given."""
        options = webauthn.generate_authentication_options(
            rp_id=self.id,
            challenge=nonce,
            allow_credentials=[_descriptor(passkey) for passkey in known],
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return _json(webauthn.options_to_json(options))

    def created(self, credential: Mapping[str, Any], nonce: bytes, into: Passkey) -> Passkey:
        """`into`, with the key that was made; raises `PasskeyRefused`."""
        try:
            _refuse_large(credential)
            made = webauthn.verify_registration_response(
                credential=dict(credential),
                expected_challenge=nonce,
                expected_rp_id=self.id,
                expected_origin=list(self.origins),
                require_user_verification=True,
            )
            transports = credential["response"].get("transports") or []
        except _UNACCEPTABLE as error:
            raise PasskeyRefused(str(error)) from error
        return Passkey(
            id=into.id,
            account_id=into.account_id,
            credential_id=made.credential_id,
            public_key=made.credential_public_key,
            sign_count=made.sign_count,
            transports=tuple(transport for transport in transports if transport in _TRANSPORTS),
            synced=made.credential_backed_up,
            name=into.name,
            created_at=into.created_at,
            last_used_at=None,
        )

    def used(self, credential: Mapping[str, Any], nonce: bytes, passkey: Passkey) -> int:
        """The authenticator's new count of uses; raises `PasskeyRefused`, also for one that went back, as a
        copy's does.
        """
        try:
            _refuse_large(credential)
            verified = webauthn.verify_authentication_response(
                credential=dict(credential),
                expected_challenge=nonce,
                expected_rp_id=self.id,
                expected_origin=list(self.origins),
                credential_public_key=passkey.public_key,
                credential_current_sign_count=passkey.sign_count,
                require_user_verification=True,
            )
        except _UNACCEPTABLE as error:
            raise PasskeyRefused(str(error)) from error
        return verified.new_sign_count


def credential_id_of(credential: Mapping[str, Any]) -> bytes:
    """Which passkey an answer claims to be of; raises `PasskeyRefused`."""
    try:
        _refuse_large(credential)
        return base64url_to_bytes(credential["id"])
    except _UNACCEPTABLE as error:
        raise PasskeyRefused(str(error)) from error


def _refuse_large(credential: Mapping[str, Any]) -> None:
    if len(orjson.dumps(credential)) > MAX_CREDENTIAL_BYTES:
        raise PasskeyRefused("too large")


def _descriptor(passkey: Passkey) -> PublicKeyCredentialDescriptor:
    transports = [_TRANSPORTS[transport] for transport in passkey.transports]
    return PublicKeyCredentialDescriptor(id=passkey.credential_id, transports=transports or None)


def _json(text: str) -> Options:
    options: Options = orjson.loads(text)
    return options
