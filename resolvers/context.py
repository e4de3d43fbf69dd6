"""What one request carries: who asks, from where, and loaders that remember for that request."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TypeAlias

import strawberry

from domain.catalog.service import Catalog
from domain.identity.model import Caller
from domain.platform.errors import Unauthenticated
from loaders.catalog import CatalogLoaders


@dataclass(frozen=True)
class Services:
    """What the contexts can do, opened once for the process."""

    now: Callable[[], datetime]
    catalog: Catalog


@dataclass
class Context:
    """One operation of one caller."""

    services: Services
    caller: Caller
    region: str
    request_id: str

    @cached_property
    def catalog(self) -> CatalogLoaders:
        return CatalogLoaders(self.services.catalog)

    @property
    def account_id(self) -> str:
        """The caller's account; raises `Unauthenticated` for the anonymous."""
        if self.caller.account_id is None:
            raise Unauthenticated("Sign in first: this needs an access token.")
        return self.caller.account_id

    def forget(self) -> None:
        """Drops what the loaders remember; a stream does so before each event."""
        for name in LOADERS:
            self.__dict__.pop(name, None)


LOADERS = ("catalog",)

Info: TypeAlias = strawberry.Info[Context, None]
