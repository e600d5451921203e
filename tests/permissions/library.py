"""A small library of tables as SQLAlchemy knows them, for tests without a database."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from schema.model import PgType, TableName
from schema.pg_functions import PgArgument, PgFunction

metadata = sa.MetaData()

author = sa.Table(
    "author",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, comment="as printed"),
    sa.Column("mentor_id", sa.ForeignKey("author.id")),
)
book = sa.Table(
    "book",
    metadata,
    sa.Column("id", postgresql.UUID, primary_key=True),
    sa.Column("author_id", sa.Integer, nullable=False),
    sa.Column("title", sa.String(80), nullable=False, unique=True),
    sa.Column("pages", sa.Integer),
    sa.Column("stock", sa.BigInteger, nullable=False),
    sa.Column("tags", postgresql.ARRAY(sa.Text)),
    sa.Column("info", postgresql.JSONB),
    sa.Column("raw", postgresql.JSON),
    sa.Column("binding", sa.Enum("hard", "soft", name="binding")),
    sa.Column("printed_at", sa.DateTime(timezone=True)),
    sa.Column("price", sa.Numeric(6, 2)),
    sa.Column("double_pages", sa.Integer, sa.Computed("pages * 2")),
    sa.Column("odd name", sa.Text),
    sa.ForeignKeyConstraint(["author_id"], ["author.id"], name="book_author", info={"trusted": True}),
    comment="what one reads",
)
sa.Table("price_list", metadata, sa.Column("title", sa.Text), schema="shop", info={"writes": frozenset()})

TEXT = PgType("text")
BOOK_ROW = PgArgument("book", TableName("public", "book"), PgType("book"), takes_row=True)
SESSION = PgArgument("session", TableName("pg_catalog", "json"), PgType("json"))


def _function(name: str, *arguments: PgArgument, volatile: bool = False, returns_set: bool = False) -> PgFunction:
    return PgFunction(TableName("public", name), arguments, TEXT, volatile=volatile, returns_set=returns_set)


functions = (
    _function("label", BOOK_ROW),
    _function("link", BOOK_ROW, SESSION),
    _function("shuffle", BOOK_ROW, volatile=True),
    _function("copies", BOOK_ROW, returns_set=True),
    _function("of_author", PgArgument("author", TableName("public", "author"), PgType("author"), takes_row=True)),
)
