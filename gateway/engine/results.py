"""What an operation answers, and its bytes."""

from dataclasses import field
from typing import Any

import orjson

from domain.platform.errors import ErrorCode
from domain.platform.values import value
from gateway.engine.errors import FormattedError
from gateway.engine.plan.cache_policy import Policy


@value
class OperationResult:
    """One response: of a query or mutation, or of one event of a subscription."""

    data: dict[str, Any] | None = None
    errors: list[FormattedError] = field(default_factory=list)
    extensions: dict[str, Any] | None = None
    policy: Policy | None = None
    """For how long, and for whom, `data` stays true; None where that is not known."""
    executed: bool = True
    """False for a request error: nothing was resolved, and the response has no `data` entry at all."""
    known_bytes: bytes | None = None
    """What `to_bytes` answers, where that was known before."""

    @classmethod
    def rejected(cls, errors: list[FormattedError]) -> "OperationResult":
        return cls(errors=errors, executed=False)

    @property
    def code(self) -> ErrorCode | None:
        """Why nothing was executed; None if something was."""
        return None if self.executed else ErrorCode(self.errors[0]["extensions"]["code"])

    def payload(self) -> dict[str, Any]:
        """The response map, errors first as the specification advises."""
        payload: dict[str, Any] = {}
        if self.errors:
            payload["errors"] = self.errors
        if self.executed:
            payload["data"] = self.data
        if self.extensions:
            payload["extensions"] = self.extensions
        return payload

    def to_bytes(self) -> bytes:
        """JSON in UTF-8. TypeError if a scalar answered with something that is no JSON."""
        if self.known_bytes is not None:
            return self.known_bytes
        return orjson.dumps(self.payload())
