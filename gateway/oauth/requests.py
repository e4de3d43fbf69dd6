"""What Authlib is asked, and what it answers, independent of the web framework."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Payload, OAuth2Request

from domain.identity.audit import Actor

MAX_PARAMETERS: Final = 40
MAX_BYTES: Final = 16 << 10
REPEATABLE: Final = frozenset({"resource", "audience"})

KEPT: Final = frozenset({"www-authenticate", "dpop-nonce"})
"""Headers of Authlib's answers; the others are ours."""

Headers = Sequence[tuple[str, str]]


class Parameters(OAuth2Payload):  # type: ignore[misc]
    """The parameters of a request: the first value of each, and all of them."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self._lists: defaultdict[str, list[str]] = defaultdict(list)
        for name, value in pairs:
            if value:  # a parameter without a value is as if it were not sent (RFC 6749, section 3.1)
                self._lists[name].append(value)
        self._first = {name: values[0] for name, values in self._lists.items()}

    @property
    def data(self) -> dict[str, str]:
        return self._first

    @property
    def datalist(self) -> defaultdict[str, list[str]]:
        return self._lists

    def repeated(self) -> str | None:
        """A parameter that is there twice though it may be there once."""
        return next(
            (name for name, values in self._lists.items() if len(values) > 1 and name not in REPEATABLE), None
        )


class Asked(OAuth2Request):  # type: ignore[misc]
    """A request to the authorisation server, and who sends it."""

    def __init__(
        self, method: str, path: str, parameters: Parameters, headers: Mapping[str, str], by: Actor
    ) -> None:
        # Whether TLS was used is the proxy's affair and the operator's; Authlib wants to see it in the URL.
        super().__init__(method, f"https://localhost{path}", headers=headers)
        self.payload = parameters
        self.by = by
        self.key_thumbprint: str | None = None
        """The key that the client has proven to hold (DPoP)."""

    @property
    def form(self) -> dict[str, str]:
        parameters: Parameters = self.payload
        return parameters.data

    @property
    def args(self) -> dict[str, str]:
        return self.form

    @property
    def resources(self) -> tuple[str, ...]:
        """Whom the tokens are to be for (RFC 8707)."""
        parameters: Parameters = self.payload
        return tuple(dict.fromkeys(parameters.datalist.get("resource", ())))


@dataclass(slots=True)
class Answer:
    """A response: JSON, or a way to go on; `location` is where."""

    status: int
    body: Any
    headers: Headers
    location: str | None = None

    @staticmethod
    def of(status: int, body: Any, headers: Headers) -> "Answer":
        location = next((value for name, value in headers if name.lower() == "location"), None)
        kept = [(name, value) for name, value in headers if name.lower() in KEPT]
        if isinstance(body, Sequence) and not isinstance(body, str | bytes):
            body = dict(body)
        return Answer(status, body, kept, location)


def parameters_in(text: str) -> Parameters:
    """Of a query or a form; raises `InvalidRequestError` for what cannot be one."""
    try:
        pairs = parse_qsl(
            text, keep_blank_values=True, strict_parsing=False, errors="strict", max_num_fields=MAX_PARAMETERS
        )
    except ValueError:
        raise InvalidRequestError("The parameters cannot be read.") from None
    parameters = Parameters(pairs)
    if any("\0" in value for _, value in pairs):
        raise InvalidRequestError("The parameters cannot be read.")
    if (name := parameters.repeated()) is not None and name.isidentifier():
        raise InvalidRequestError(f"The parameter {name} was sent twice.")
    return parameters
