"""Every table of the system, gathered for Alembic."""

from sqlalchemy import MetaData
from sqlmodel import SQLModel

from domain.catalog import tables as catalog
from domain.identity import tables as identity
from domain.identity import tables_avatars as avatars
from domain.identity import tables_factors as factors
from domain.identity import tables_keys as keys
from domain.identity import tables_letters as letters
from domain.identity import tables_oauth as oauth
from domain.identity import tables_viewing as viewing
from domain.interchange import tables as interchange
from domain.news import tables as news
from domain.playback import tables as playback
from domain.sync import tables as sync
from gateway.documents import tables as documents

TABLES = (
    catalog,
    identity,
    keys,
    letters,
    factors,
    viewing,
    avatars,
    oauth,
    sync,
    playback,
    interchange,
    news,
    documents,
)


def metadata() -> MetaData:
    return SQLModel.metadata
