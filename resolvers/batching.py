"""Resolvers that answer many sources at once."""

import inspect
from collections.abc import Awaitable, Callable, Sequence
from functools import wraps
from typing import Any, Final, Union, get_args, get_origin

from aiodataloader import DataLoader
from strawberry import Parent

from domain.platform.soon import Soon
from resolvers.context import Info

BATCH: Final = "__batch__"
"""Where the engine looks for a resolver's batch function."""


def batched(answer: Callable[..., Soon[Sequence[Any]]]) -> Callable[..., Awaitable[Any]]:
    """A resolver from `answer(sources, info, …)`, which returns a value for each source, in their order, or
    what to await for them.

    The engine calls `answer` once for all the objects that have the field. Where graphql-core asks for them
    one by one, the sources of one turn of the event loop are gathered.
    """

    @wraps(answer)
    async def resolve(*, info: Info, **arguments: Any) -> Any:
        source = arguments.pop(first.name)

        async def ask(sources: list[Any]) -> list[Any]:
            answered = answer(sources, info, **arguments)
            return list(await answered if isinstance(answered, Awaitable) else answered)

        # The same node of a document has the same arguments.
        node = info._raw_info.field_nodes[0]  # noqa: SLF001 - strawberry shows it to nobody
        gathered = info.context.gathered
        if (answer, id(node)) not in gathered:
            gathered[answer, id(node)] = DataLoader(ask, cache=False)
        return await gathered[answer, id(node)].load(source)

    signature = inspect.signature(answer)
    first, *rest = signature.parameters.values()
    (one,) = get_args(first.annotation)
    answers = signature.return_annotation
    if get_origin(answers) is Union:  # Soon
        answers = get_args(answers)[0]
    (element,) = get_args(answers)
    parent: Any = Parent
    resolve.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[first.replace(annotation=parent[one]), *rest],
        return_annotation=element,
    )
    resolve.__annotations__ = {"return": element}
    setattr(resolve, BATCH, answer)
    return resolve
