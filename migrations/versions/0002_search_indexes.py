"""Indexes of search: languages of texts, words of names, beginnings of words, vectors to remove"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_index("content_text_language", "content", ["text_language"], postgresql_where=sa.text("listed"))
    op.create_index(
        "content_gone_embedded",
        "content",
        ["id"],
        postgresql_where=sa.text("NOT listed AND embedded_as IS NOT NULL"),
    )
    op.create_index(
        "person_name_words",
        "person",
        [sa.text("to_tsvector('simple', name_key)")],
        postgresql_using="gin",
    )
    op.create_index(
        "search_word_prefix", "search_word", ["word"], postgresql_ops={"word": "text_pattern_ops"}
    )


def downgrade() -> None:
    op.drop_index("search_word_prefix", table_name="search_word")
    op.drop_index("person_name_words", table_name="person")
    op.drop_index("content_gone_embedded", table_name="content")
    op.drop_index("content_text_language", table_name="content")
