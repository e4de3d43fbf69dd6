"""What a caller is told when something fails: never more than they may know, always with a code."""

import re
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import structlog
from graphql import GraphQLError, VariableDefinitionNode

from domain.platform.errors import ErrorCode, GatewayError

FormattedError = dict[str, Any]
"""`message`, and where known `locations` and `path`; always `extensions.code`."""

_MAX_MESSAGE_CHARACTERS: Final = 500
_CODES: Final = frozenset(ErrorCode)
_SUGGESTION: Final = re.compile(r"\s*Did you mean [^?]*\?")


@dataclass(frozen=True, slots=True)
class Fault:
    """An unforeseen error, under the id by which the caller may ask about it."""

    error_id: str
    error: BaseException
    path: tuple[str | int, ...] = ()


def log_fault(fault: Fault) -> None:
    structlog.get_logger("gateway.engine").error(
        "graphql.fault",
        error_id=fault.error_id,
        path=".".join(map(str, fault.path)),
        exc_info=(type(fault.error), fault.error, fault.error.__traceback__),
    )


def short_id() -> str:
    return secrets.token_hex(6)


@dataclass(frozen=True, slots=True)
class ErrorFormatter:
    """Turns exceptions into the `errors` of a response.

    A GatewayError shows its message, code and extensions. What graphql-core says about the request itself
    is shown as BAD_USER_INPUT. A GraphQLError that was raised with a known `extensions.code` was meant for
    the caller. Everything else is masked: `on_fault` gets the exception, the caller an id.
    """

    on_fault: Callable[[Fault], None] = log_fault
    new_id: Callable[[], str] = short_id
    suggestions: bool = True
    """Whether messages may name types, fields and arguments the caller has not named."""
    docs_url: str | None = None
    """A page with a heading for each code; every error links to its own."""

    def suggesting(self) -> "ErrorFormatter":
        """The same for somebody who may see the schema."""
        return replace(self, suggestions=True)

    def of_request(self, errors: Iterable[GraphQLError]) -> list[FormattedError]:
        """Errors of a document or its variables, before anything was resolved."""
        return [self._linked(self._of_caller(error)) for error in errors]

    def of_execution(self, errors: Sequence[GraphQLError]) -> list[FormattedError]:
        """Errors of fields. One exception that nulls many fields is reported once, under one id."""
        ids: dict[int, str] = {}
        return [self._linked(self._of_field(error, ids)) for error in errors]

    def of_unexecuted(self, errors: Iterable[GraphQLError]) -> list[FormattedError]:
        """Errors that kept an operation from starting: of its variables, or of an extension of the schema."""
        return [self._linked(self._of_start(error)) for error in errors]

    def of_exception(self, error: BaseException) -> FormattedError:
        """An exception outside of any field: of making the context, or of the engine itself."""
        return self._linked(self._of_any(error))

    def _linked(self, error: FormattedError) -> FormattedError:
        if self.docs_url is not None:
            code = error["extensions"]["code"]
            error["extensions"]["docs"] = f"{self.docs_url}#{code.lower()}"
        return error

    def _of_any(self, error: BaseException) -> FormattedError:
        if isinstance(error, GatewayError):
            return _of_gateway(error)
        return self._masked(error, (), {})

    def _of_field(self, error: GraphQLError, ids: dict[int, str]) -> FormattedError:
        cause = _cause(error)
        place = _place(error)
        if isinstance(cause, GatewayError):
            return _of_gateway(cause) | place
        if isinstance(cause, GraphQLError):
            extensions = cause.extensions or {}
            if extensions.get("code") in _CODES:
                return {"message": cause.message, "extensions": dict(extensions)} | place
            if _is_of_arguments(cause):
                return self._of_caller(error)
        return self._masked(cause, tuple(error.path or ()), ids) | place

    def _of_start(self, error: GraphQLError) -> FormattedError:
        of_variables = error.nodes and all(isinstance(node, VariableDefinitionNode) for node in error.nodes)
        if of_variables or isinstance(_cause(error), GraphQLError):
            return self._of_caller(error)
        return self._of_any(_cause(error))

    def _of_caller(self, error: GraphQLError) -> FormattedError:
        cause = _cause(error)
        if isinstance(cause, GatewayError):
            return _of_gateway(cause) | _place(error)
        # graphql-core quotes values whole, and a value may be most of a request.
        message = _shortened(error.message)
        if not self.suggestions:
            message = _SUGGESTION.sub("", message)
        return {"message": message, "extensions": {"code": ErrorCode.BAD_USER_INPUT}} | _place(error)

    def _masked(
        self, cause: BaseException, path: tuple[str | int, ...], ids: dict[int, str]
    ) -> FormattedError:
        error_id = ids.get(id(cause))
        if error_id is None:
            error_id = ids[id(cause)] = self.new_id()
            self.on_fault(Fault(error_id, cause, path))
        return {
            "message": f"Something went wrong on our side. Quote the error id {error_id} when you report it.",
            "extensions": {"code": ErrorCode.INTERNAL, "errorId": error_id},
        }


def _shortened(message: str) -> str:
    if len(message) <= _MAX_MESSAGE_CHARACTERS:
        return message
    half = _MAX_MESSAGE_CHARACTERS // 2
    return f"{message[:half]} … {message[-half:]}"


def _of_gateway(error: GatewayError) -> FormattedError:
    return {"message": error.message, "extensions": {**error.extensions, "code": error.code}}


def _cause(error: GraphQLError) -> BaseException:
    """The exception behind the wrappers that graphql-core and strawberry put around it."""
    cause: BaseException = error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause


def _place(error: GraphQLError) -> FormattedError:
    place: FormattedError = {}
    if error.locations:
        place["locations"] = [{"line": at.line, "column": at.column} for at in error.locations]
    if error.path is not None:
        place["path"] = list(error.path)
    return place


def _is_of_arguments(error: GraphQLError) -> bool:
    """Whether graphql-core refused the value of an argument or directive, at the field that has it.

    Only variables can bring this about (literals are validated), so it is the caller's to mend. graphql-core
    marks it by nothing but the module that raises it.
    """
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_globals.get("__name__") == "graphql.execution.values"
