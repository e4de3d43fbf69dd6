"""How imports of other services' files are shown and taken back."""

from dataclasses import dataclass, field
from typing import Annotated

import strawberry
from strawberry import ID, Parent

from domain.identity.model import Viewer
from domain.interchange.service import Import
from domain.platform.errors import UserError
from domain.platform.paging import Cut, Page
from resolvers.arguments import After, First
from resolvers.context import Info
from resolvers.descriptions import entry
from resolvers.mutations import refusing


@entry
class UndoImportInput:
    """Which import is taken back."""

    import_id: ID
    """As `HistoryImport.importId` shows it."""


@dataclass(frozen=True, slots=True)
class UndoImportPayload:
    undone: Import | None = None
    user_errors: list[UserError] = field(default_factory=list)


@refusing(UndoImportPayload)
async def undo_import(
    info: Info, input: Annotated[UndoImportInput, strawberry.argument(description="Which one.")]
) -> UndoImportPayload:
    undone = await info.context.services.interchange.undo(info.context.account_id, input.import_id)
    return UndoImportPayload(undone=undone)


async def imports(
    viewer: Parent[Viewer], info: Info, first: First = None, after: After = None
) -> Page[Import]:
    cut = Cut.of(first, after)
    return await info.context.services.interchange.imports.page(viewer.account_id, cut)
