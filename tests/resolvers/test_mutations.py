"""What a rule refuses is answered in the payload."""

from dataclasses import dataclass, field

import pytest

from domain.platform.errors import BadInput, Refused, UserError, UserErrorCode, refuse
from resolvers.mutations import field_path, refusing


@dataclass(frozen=True)
class Payload:
    name: str | None = None
    user_errors: list[UserError] = field(default_factory=list)


@refusing(Payload)
async def rename(name: str) -> Payload:
    """Renames it."""
    if not name:
        raise refuse("A name has a letter at least.", UserErrorCode.INVALID, "input", "name")
    if name == "both":
        raise Refused(UserError("first"), UserError("second", UserErrorCode.CONFLICT))
    if name == "fault":
        raise BadInput("not understood")
    return Payload(name)


async def test_what_is_done_is_answered_as_it_is() -> None:
    assert await rename("Ada") == Payload("Ada", [])


async def test_a_refusal_is_an_empty_payload_with_its_reason() -> None:
    found = await rename("")

    assert found.name is None
    assert found.user_errors == [
        UserError("A name has a letter at least.", UserErrorCode.INVALID, ("input", "name"))
    ]
    assert field_path(found.user_errors[0]) == ["input", "name"]


async def test_every_reason_is_told_in_order() -> None:
    assert [error.message for error in (await rename("both")).user_errors] == ["first", "second"]


async def test_what_is_no_refusal_ends_the_request() -> None:
    with pytest.raises(BadInput, match="not understood"):
        await rename("fault")


def test_the_resolver_keeps_its_name_and_words() -> None:
    assert rename.__name__ == "rename"
    assert rename.__doc__ == "Renames it."
