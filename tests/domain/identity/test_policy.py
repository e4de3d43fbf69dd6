"""Who may do what: every role against every scope."""

import pytest

from domain.identity.model import ANONYMOUS, Caller, Role
from domain.identity.policy import (
    NEEDS_CONSENT,
    NOT_ON_REQUEST,
    PUBLIC,
    SIGNED_IN,
    Access,
    Policy,
    Scope,
    granted,
    implied,
    needs,
    own,
)
from domain.platform.errors import Forbidden, Unauthenticated

POLICY = Policy()
KEEPING = {Scope.WRITE_CONTENT, Scope.READ_SCHEMA}
ADMINISTERING = {*KEEPING, Scope.ADMIN_READ, Scope.ADMIN_FULL}
WATCHING = set(Scope) - ADMINISTERING


def caller(*roles: Role, account_id: str = "1") -> Caller:
    return Caller(account_id=account_id, roles=frozenset(roles), scopes=granted(roles))


@pytest.mark.parametrize(
    ("asking", "expected"),
    [
        (ANONYMOUS, {Scope.READ_CONTENT, Scope.READ_RECOMMENDATIONS}),
        (caller(), WATCHING),
        (caller(Role.VIEWER), WATCHING),
        (caller(Role.EDITOR), WATCHING | KEEPING),
        (caller(Role.ADMIN), WATCHING | ADMINISTERING),
        (Caller(account_id="1", roles=frozenset(Role)), set()),
        (Caller(scopes=frozenset(Scope)), {Scope.READ_CONTENT, Scope.READ_RECOMMENDATIONS}),
    ],
    ids=["anonymous", "none", "viewer", "editor", "admin", "token without scopes", "scopes without account"],
)
@pytest.mark.parametrize("scope", Scope)
def test_each_role_reaches_its_scopes_and_no_other(
    asking: Caller, expected: set[Scope], scope: Scope
) -> None:
    assert POLICY.holds(asking, scope) is (scope in expected)


def test_whoever_may_write_may_read() -> None:
    for write in (scope for scope in Scope if scope.value.startswith("write:")):
        assert implied([write]) == {write, Scope(write.value.replace("write:", "read:"))}
    assert implied(["playback:control"]) == {
        Scope.PLAYBACK_CONTROL, Scope.READ_DEVICES, Scope.READ_PROGRESS
    }  # fmt: skip
    assert implied(["admin:full"]) == {Scope.ADMIN_FULL, Scope.ADMIN_READ}
    assert implied(["write:watchlist"]) == {Scope.WRITE_WATCHLIST, Scope.READ_WATCHLIST}
    assert implied(["read:watchlist", "watchlist", ""]) == {Scope.READ_WATCHLIST}


def test_what_is_nobodys_is_not_the_anonymous_callers() -> None:
    assert not POLICY.owns(ANONYMOUS, None)
    assert not POLICY.owns(caller(), None)
    assert not POLICY.owns(caller(account_id="1"), "2")
    assert POLICY.owns(caller(account_id="1"), "1")


def test_accounts_are_seen_by_their_owner_and_by_administrators() -> None:
    without_scope = Caller(account_id="1", roles=frozenset({Role.ADMIN}), scopes=granted([]))
    without_role = Caller(account_id="1", scopes=granted([Role.ADMIN]))

    seen = [POLICY.sees_account(asking, "2") for asking in (
        ANONYMOUS, caller(), caller(Role.EDITOR), without_scope, without_role, caller(Role.ADMIN),
        caller(account_id="2"),
    )]  # fmt: skip

    assert seen == [False, False, False, False, False, True, True]


def test_a_scope_that_is_lacking_is_named_and_sign_in_is_asked_for_first() -> None:
    both = needs(Scope.WRITE_WATCHLIST, Scope.ADMIN_FULL)
    POLICY.check(caller(), needs(Scope.WRITE_WATCHLIST))
    with pytest.raises(Unauthenticated) as anonymous:
        POLICY.check(ANONYMOUS, both)
    with pytest.raises(Forbidden) as signed_in:
        POLICY.check(caller(), both)

    assert anonymous.value.extensions == {"scope": "write:watchlist admin:full"}
    assert signed_in.value.extensions == {"scope": "admin:full"}
    assert signed_in.value.message == "The access token does not grant admin:full."
    with pytest.raises(Forbidden, match="The API key does not grant read:watchlist"):
        POLICY.check(Caller("1", key_id="2"), needs(Scope.READ_WATCHLIST))


NARROW = Caller(account_id="1", scopes=frozenset({Scope.READ_PROGRESS}))


@pytest.mark.parametrize(
    ("access", "anonymous", "narrow", "viewer"),
    [
        (PUBLIC, True, True, True),
        (SIGNED_IN, False, True, True),
        (own(), True, True, True),
        (own(Scope.READ_PROGRESS), True, True, True),
        (own(Scope.READ_WATCHLIST), True, False, True),
        (needs(Scope.READ_PROGRESS), False, True, True),
        (needs(Scope.READ_WATCHLIST), False, False, True),
        (needs(Scope.READ_PROGRESS, Scope.READ_WATCHLIST), False, False, True),
        (needs(Scope.ADMIN_READ), False, False, False),
    ],
)
def test_who_has_what_is_needed(access: Access, anonymous: bool, narrow: bool, viewer: bool) -> None:  # noqa: FBT001 - a table
    found = tuple(POLICY.allows(asking, access) for asking in (ANONYMOUS, NARROW, caller()))

    assert found == (anonymous, narrow, viewer)


def test_administering_is_never_had_by_asking() -> None:
    assert {Scope.WRITE_SECURITY, Scope.ADMIN_FULL} == NOT_ON_REQUEST
    assert ADMINISTERING < NEEDS_CONSENT
    assert {Scope.PLAYBACK_CONTROL} < NEEDS_CONSENT
