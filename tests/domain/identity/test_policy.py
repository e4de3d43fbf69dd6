"""Who may do what: every role against every scope."""

import pytest

from domain.identity.model import ANONYMOUS, Caller, Role
from domain.identity.policy import IMPLIED, Policy, Scope, granted, implied
from domain.platform.errors import Forbidden, Unauthenticated

POLICY = Policy()
KEEPING = {Scope.WRITE_CONTENT, Scope.READ_SCHEMA}
ADMINISTERING = {*KEEPING, Scope.ADMIN_FULL}
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
    assert all(read.value == write.value.replace("write:", "read:") for write, read in IMPLIED.items())
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
    POLICY.require(caller(), Scope.WRITE_WATCHLIST)
    with pytest.raises(Unauthenticated):
        POLICY.require(ANONYMOUS, Scope.WRITE_WATCHLIST)
    with pytest.raises(Forbidden) as refusal:
        POLICY.require(caller(), Scope.ADMIN_FULL)

    assert refusal.value.extensions == {"scope": "admin:full"}
