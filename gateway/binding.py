"""Whether an access token was meant for this place, and is used by whoever it was given to."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from domain.identity.dpop import InvalidProof, NonceMissing, Proofs
from domain.identity.model import Caller
from domain.platform.errors import Unauthenticated
from gateway.authentication import Presented
from gateway.routes.connection import PROOF, Connection


@dataclass(frozen=True)
class Binding:
    """Of tokens to the resource at `url` (RFC 8707), and to the keys of their clients (RFC 9449)."""

    url: str
    issuer: str
    """Tokens that name no resource are for everything of the issuer."""
    proofs: Callable[[], Proofs]

    @cached_property
    def _here(self) -> frozenset[str]:
        return frozenset({self.url, self.issuer})

    async def check(self, connection: Connection, presented: Presented, caller: Caller) -> None:
        """Raises `Unauthenticated` for a token that is meant for elsewhere, or shown without its key."""
        if caller.audience and caller.audience.isdisjoint(self._here):
            raise Unauthenticated("The access token is meant for another resource.", error="invalid_token")
        if caller.key_thumbprint is None and not presented.bound:
            return
        held = connection.proven.get(presented.token) if presented.bound else None
        if held is None:
            held = await self._shown(connection, presented)
        if held is None or held != caller.key_thumbprint:
            raise Unauthenticated(
                "The access token is bound to a key: send it as `Authorization: DPoP …`, with a proof for "
                "this request in the header `DPoP`.",
                error="invalid_dpop_proof",
            )
        connection.proven[presented.token] = held

    async def _shown(self, connection: Connection, presented: Presented) -> str | None:
        """The key that the proof of this connection is of; nothing where there is none that counts."""
        # On a WebSocket the client sends its proof, for the GET of the handshake, beside the token.
        proof = connection.parameters.get(PROOF) or connection.headers.get("dpop")
        if not presented.bound or not isinstance(proof, str):
            return None
        try:
            return await self.proofs().thumbprint(
                proof, connection.method, self.issuer.rstrip("/") + connection.path, presented.token
            )
        except NonceMissing as error:
            raise Unauthenticated(
                "The proof in the header `DPoP` has to contain the nonce of the header `DPoP-Nonce`.",
                error="use_dpop_nonce",
                dpopNonce=error.nonce,
            ) from None
        except InvalidProof:
            return None
