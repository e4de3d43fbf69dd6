"""Imports and exports, joined to what they are about."""

from domain.interchange.postgres import PostgresImports
from domain.interchange.postgres_matching import PostgresShelf
from domain.interchange.service import Interchange
from domain.platform.postgres import Database
from domain.sync.service import Sync
from gateway.time_and_ids import new_id


def interchange_of(database: Database, sync: Sync) -> Interchange:
    return Interchange(sync, PostgresShelf(database), PostgresImports(database, new_id))
