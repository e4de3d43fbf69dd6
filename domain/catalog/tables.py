"""The catalogue's tables."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    ForeignKey,
    Identity,
    Index,
    Numeric,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlmodel import Field, SQLModel

from domain.platform.columns import keys, moment, texts


def content_key(*, primary: bool = True, index: bool = False) -> Column[int]:
    """A reference to a work that goes with it."""
    return Column(
        BigInteger,
        ForeignKey("content.id", ondelete="CASCADE"),
        primary_key=primary,
        index=index,
        nullable=False,
        autoincrement=False,
    )


class ContentRow(SQLModel, table=True):
    """A work or a part of one; parts point at their whole by `parent_id`."""

    __tablename__ = "content"
    __table_args__ = (
        Index("content_popularity", text("popularity DESC"), "id", postgresql_where=text("listed")),
        Index("content_title", "title_key", "id", postgresql_where=text("listed")),
        Index("content_year", text("coalesce(year, 0) DESC"), "id", postgresql_where=text("listed")),
        Index("content_title_prefix", "title_key", postgresql_ops={"title_key": "text_pattern_ops"}),
        Index("content_genres", "genres", postgresql_using="gin"),
        Index("content_keywords", "keywords", postgresql_using="gin"),
        Index("content_search", "search", postgresql_using="gin"),
        Index("content_parent", "parent_id", "disc", "number"),
        Index("content_text_language", "text_language", postgresql_where=text("listed")),
        Index("content_unembedded", "id", postgresql_where=text("listed AND embedded_as IS NULL")),
        Index("content_gone_embedded", "id", postgresql_where=text("NOT listed AND embedded_as IS NOT NULL")),
        CheckConstraint("runtime_seconds > 0", name="content_runtime_positive"),
        CheckConstraint("end_credits_seconds > 0", name="content_end_credits_positive"),
        CheckConstraint("year BETWEEN 1800 AND 2100", name="content_year_plausible"),
    )

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))
    kind: str = Field(sa_type=Text)
    parent_id: int | None = Field(
        default=None, sa_column=Column(BigInteger, ForeignKey("content.id", ondelete="CASCADE"))
    )
    number: int | None = None
    disc: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
    slug: str | None = Field(default=None, sa_type=Text, unique=True)
    title: str = Field(sa_type=Text)
    title_key: str = Field(sa_type=Text)
    original_title: str | None = Field(default=None, sa_type=Text)
    synopsis: str | None = Field(default=None, sa_type=Text)
    text_language: str = Field(default="en", sa_type=Text, sa_column_kwargs={"server_default": "en"})
    release_date: date | None = None
    year: int | None = None
    genres: list[str] = Field(sa_column=texts())
    keywords: list[str] = Field(sa_column=texts())
    original_language: str | None = Field(default=None, sa_type=Text)
    countries: list[str] = Field(sa_column=texts())
    maturity_rating: str | None = Field(default=None, sa_type=Text)
    popularity: float = Field(default=0.0, sa_column_kwargs={"server_default": "0"})
    runtime_seconds: int | None = None
    end_credits_seconds: int | None = None
    status: str | None = Field(default=None, sa_type=Text)
    episode_count: int | None = None
    label: str | None = Field(default=None, sa_type=Text)
    search: str | None = Field(default=None, sa_column=Column(TSVECTOR))
    embedded_as: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = Field(sa_column=moment(default_now=True))
    updated_at: datetime = Field(sa_column=moment(default_now=True))
    deleted_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    listed: bool = Field(
        sa_column=Column(
            Boolean,
            Computed("kind IN ('movie', 'series', 'album') AND deleted_at IS NULL", persisted=True),
            nullable=False,
        )
    )


class PersonRow(SQLModel, table=True):
    """Somebody or a band; `qualifier` tells two of one name apart."""

    __tablename__ = "person"
    __table_args__ = (
        UniqueConstraint("name", "qualifier"),
        Index("person_name_key", "name_key"),
        Index("person_name_words", text("to_tsvector('simple', name_key)"), postgresql_using="gin"),
    )

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))
    name: str = Field(sa_type=Text)
    name_key: str = Field(sa_type=Text)
    qualifier: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": ""})


class CreditRow(SQLModel, table=True):
    __tablename__ = "credit"

    content_id: int = Field(sa_column=content_key())
    role: str = Field(sa_type=Text, primary_key=True)
    position: int = Field(primary_key=True)
    person_id: int = Field(
        sa_column=Column(BigInteger, ForeignKey("person.id", ondelete="CASCADE"), nullable=False, index=True)
    )
    character: str | None = Field(default=None, sa_type=Text)


class ExternalIdRow(SQLModel, table=True):
    __tablename__ = "external_id"

    source: str = Field(sa_type=Text, primary_key=True)
    value: str = Field(sa_type=Text, primary_key=True)
    content_id: int = Field(sa_column=content_key(primary=False, index=True))


class RatingRow(SQLModel, table=True):
    __tablename__ = "rating"

    content_id: int = Field(sa_column=content_key())
    source: str = Field(sa_type=Text, primary_key=True)
    value: float
    scale: float
    vote_count: int | None = None


class ArtworkRow(SQLModel, table=True):
    __tablename__ = "artwork"

    content_id: int = Field(sa_column=content_key())
    kind: str = Field(sa_type=Text, primary_key=True)
    position: int = Field(default=0, primary_key=True)
    url: str = Field(sa_type=Text)
    width: int | None = None
    height: int | None = None


class OfferRow(SQLModel, table=True):
    """One way to watch: platforms, regions, kinds and qualities each have their own row."""

    __tablename__ = "offer"
    __table_args__ = (
        Index("offer_platform", "platform", "region", "content_id"),
        Index("offer_link", "platform", "link_id"),
        Index("offer_begins", "available_from", postgresql_where=text("available_from IS NOT NULL")),
        Index("offer_ends", "expires_at", postgresql_where=text("expires_at IS NOT NULL")),
        CheckConstraint("(price IS NULL) = (currency IS NULL)", name="offer_price_has_currency"),
    )

    content_id: int = Field(sa_column=content_key())
    region: str = Field(sa_type=Text, primary_key=True)
    platform: str = Field(sa_type=Text, primary_key=True)
    kind: str = Field(sa_type=Text, primary_key=True)
    quality: str = Field(default="", sa_type=Text, primary_key=True)
    price: Decimal | None = Field(default=None, sa_column=Column(Numeric(12, 2)))
    currency: str | None = Field(default=None, sa_type=Text)
    link_id: str = Field(sa_type=Text)
    available_from: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    expires_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    last_verified_at: datetime = Field(sa_column=moment(default_now=True))
    demonstration: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})


class SearchWordRow(SQLModel, table=True):
    """The words of titles and names, to mend what is misspelt; `trigrams` finds the near ones."""

    __tablename__ = "search_word"
    __table_args__ = (
        Index("search_word_trigrams", "trigrams", postgresql_using="gin"),
        Index("search_word_prefix", "word", postgresql_ops={"word": "text_pattern_ops"}),
    )

    word: str = Field(sa_type=Text, primary_key=True)
    trigrams: list[str] = Field(sa_column=texts())


class CatalogChangeRow(SQLModel, table=True):
    """What one statement of the transaction `xid` changed; written by triggers, see migration 0005."""

    __tablename__ = "catalog_change"
    __table_args__ = (Index("catalog_change_xid", "xid"), Index("catalog_change_at", "at"))

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))
    xid: int = Field(
        sa_column=Column(
            BigInteger, nullable=False, server_default=text("(pg_current_xact_id()::text::bigint)")
        )
    )
    everything: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    content_ids: list[int] = Field(sa_column=keys())
    person_ids: list[int] = Field(sa_column=keys())
    at: datetime = Field(sa_column=moment(default_now=True))
