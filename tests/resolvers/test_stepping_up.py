"""What must not be done by whoever finds a device unlocked: each such act asks anew who it is."""

from collections.abc import AsyncIterator

import pyotp
import pytest
from graphql import GraphQLObjectType
from strawberry.schema.schema_converter import GraphQLCoreConverter

from domain.identity.factors import Given
from domain.identity.model import Caller, Role
from domain.identity.policy import Scope
from domain.platform.errors import ErrorCode, StepUpRequired
from domain.platform.postgres import Database
from resolvers.ids import global_id
from schema.access import access_of
from schema.graph import Graph, graph
from tests.accounts import NOBODY, PASSWORD, Desk, opened_desk
from tests.resolvers.test_administration import House

APP = 'name: "App", redirectUris: ["https://app.example/"]'
ERRORS = "{ userErrors { code } }"
OWNERS = {
    "createApiKey": 'createApiKey(input: {name: "k", scopes: ["read:watchlist"]})',
    "changeEmail": 'changeEmail(input: {email: "new@example.org"})',
    "enrolTotp": "enrolTotp(input: {})",
    "confirmTotp": 'confirmTotp(input: {code: "000000"})',
    "renewBackupCodes": "renewBackupCodes(input: {})",
    "addPasskey": 'addPasskey(input: {challenge: "x", passkey: {}, name: "x"})',
    "removeSecondFactor": "removeSecondFactor(input: {totp: true})",
    "unlinkProvider": 'unlinkProvider(input: {provider: "google"})',
    "closeAccount": 'closeAccount(input: {email: "ada@example.org"})',
    "exportData": 'exportData(input: {email: "ada@example.org"})',
    "beginChallenge": "beginChallenge(input: {purpose: ADD_PASSKEY})",
    "setParentalPin": 'setParentalPin(input: {pin: "4711"})',
}
ADMINISTRATORS = {
    "setAccountRoles": "setAccountRoles(input: {accountId: $id, roles: [ADMIN]})",
    "confirmAccountEmail": "confirmAccountEmail(input: {accountId: $id})",
    "closeAnyAccount": "closeAnyAccount(input: {accountId: $id})",
    "registerClient": f"registerClient(input: {{{APP}}})",
    "updateClient": 'updateClient(input: {clientId: "x", name: "y"})',
    "rotateClientSecret": 'rotateClientSecret(input: {clientId: "x"})',
}
NEVER = {
    "changePassword": "asks for the password, and for a second factor where there is one",
    **dict.fromkeys(("revokeSession", "revokeApiKey"), "only takes away"),
    **dict.fromkeys(
        ("suspendAccount", "endAccountSessions", "revokeAnyApiKey", "disableClient"), "only takes away"
    ),
    **dict.fromkeys(("restoreAccount", "setAccountTier"), "makes nobody more than a viewer"),
    **dict.fromkeys(
        ("setRateLimit", "resetRateLimit", "setCostBudget", "resetCostBudget"), "is undone by the next"
    ),
    **dict.fromkeys(("announce", "withdrawAnnouncement"), "signs nobody in, and can be withdrawn"),
}
"""Mutations under the same scopes that do not ask, and why."""


@pytest.fixture(scope="module")
def schema() -> Graph:
    return graph()


@pytest.fixture
async def house(database: Database, schema: Graph) -> AsyncIterator[House]:
    async with opened_desk(database) as desk:
        yield House(desk, schema)


def test_each_mutation_of_these_scopes_asks_or_is_known_not_to(schema: Graph) -> None:
    mutation = schema._schema.mutation_type
    assert isinstance(mutation, GraphQLObjectType)
    found = set()
    for name, field in mutation.fields.items():
        access = access_of(field.extensions[GraphQLCoreConverter.DEFINITION_BACKREF])
        if access is not None and {Scope.WRITE_SECURITY, Scope.ADMIN_FULL}.intersection(access.scopes):
            found.add(name)

    # The last two are of other scopes: who begins with a passkey may have none yet.
    assert found == {*OWNERS, *ADMINISTRATORS, *NEVER} - {"beginChallenge", "setParentalPin"}


async def refused(house: House, caller: Caller, document: str) -> StepUpRequired:
    ada = await house.account("subject")
    error = await house.refusal(
        caller,
        f"mutation ($id: ID!) {{ {document} {ERRORS} }}"
        if "$id" in document
        else f"mutation {{ {document} {ERRORS} }}",
        **({"id": global_id(ada)} if "$id" in document else {}),
    )
    assert error.code is ErrorCode.STEP_UP_REQUIRED, error
    assert isinstance(error, StepUpRequired)
    return error


@pytest.mark.parametrize("name", [*OWNERS, *ADMINISTRATORS])
async def test_who_signed_in_long_ago_is_asked_who_they_are(house: House, name: str) -> None:
    caller = await house.signed_in("ada", Role.ADMIN)
    house.desk.clock.turn(601)

    error = await refused(house, caller, (OWNERS | ADMINISTRATORS)[name])

    assert error.extensions["accepted"] == ["PASSWORD"]


async def test_another_password_asks_for_the_second_factor_as_well(house: House) -> None:
    caller = await house.signed_in("ada")
    app = await with_app(house.desk, caller)
    change = f'changePassword(input: {{currentPassword: "{PASSWORD}", newPassword: "Better horse 8"}})'

    error = await refused(house, caller, change)
    account = await house.desk.sessions.account(str(caller.account_id))
    assert account is not None
    await house.desk.step_up.by_factor(caller, account, Given(code=app.at(house.desk.clock.at)), None, NOBODY)
    changed = await house.data(caller, f"mutation {{ {change} {ERRORS} }}")

    assert error.extensions["accepted"] == ["TOTP", "BACKUP_CODE"]
    assert changed == {"changePassword": {"userErrors": []}}


async def with_app(desk: Desk, caller: Caller) -> pyotp.TOTP:
    account = await desk.sessions.account(str(caller.account_id))
    assert account is not None
    app = pyotp.TOTP((await desk.factors.enrol_totp(account)).secret)
    await desk.factors.confirm_totp(account, app.at(desk.clock.at), NOBODY)
    desk.clock.turn(60)
    return app
