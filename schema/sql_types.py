"""PostgreSQL types as SQLAlchemy sees them, and back."""

import re
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.base import PGDialect

from schema.model import PgType

# `pg_type.typname` of the types whose SQL name is another one.
_TYPNAMES = {
    "BIGINT": "int8",
    "BIGSERIAL": "int8",
    "BIT VARYING": "varbit",
    "BOOLEAN": "bool",
    "CHAR": "bpchar",
    "CHARACTER": "bpchar",
    "CHARACTER VARYING": "varchar",
    "DECIMAL": "numeric",
    "DOUBLE PRECISION": "float8",
    "FLOAT": "float8",
    "INT": "int4",
    "INTEGER": "int4",
    "REAL": "float4",
    "SERIAL": "int4",
    "SMALLINT": "int2",
    "SMALLSERIAL": "int2",
    "TIME WITH TIME ZONE": "timetz",
    "TIME WITHOUT TIME ZONE": "time",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
    "TIMESTAMP WITHOUT TIME ZONE": "timestamp",
}


# Numbered parameters: with the usual ones SQLAlchemy doubles every `%`, in names too. PostgreSQL's names have up to 63 characters,
# and SQLAlchemy shortens what is longer than this less six, where it refers to a written row's column too, but not where it names it.
DIALECT = PGDialect(paramstyle="numeric_dollar", label_length=63 + 6)  # type: ignore[no-untyped-call]


class Native(sa.types.UserDefinedType[Any]):
    """A type by its PostgreSQL name: for casts and reflected columns, with no conversion in Python."""

    cache_ok = True

    def __init__(self, pg: PgType) -> None:
        self.pg = pg

    def get_col_spec(self, **_: Any) -> str:
        return self.pg.sql


def as_its_type(value: sa.ColumnElement[Any], type_: PgType) -> sa.ColumnElement[Any]:
    """A value that is declared as a domain, as what PostgreSQL has operators and functions for.

    Never the other way round: what a caller compares with need not be in the domain.
    """
    return sa.cast(value, Native(type_)) if type_.declared_otherwise else value


def comparable(value: sa.ColumnElement[Any], table: sa.Table, name: str) -> sa.ColumnElement[Any]:
    """The column of this name, from wherever its table's rows are read, as `=` takes it."""
    return as_its_type(value, pg_type(table.columns[name].type))


def pg_type(column_type: sa.types.TypeEngine[Any]) -> PgType:
    """The PostgreSQL type behind a column of a reflected table or of a model."""
    if isinstance(column_type, Native):
        return column_type.pg
    if isinstance(column_type, sa.types.TypeDecorator):
        return pg_type(column_type.impl_instance)
    if isinstance(column_type, sa.ARRAY):
        element = pg_type(column_type.item_type)
        return PgType(element.name, is_array=True, is_enum=element.is_enum, schema=element.schema, labels=element.labels)
    if isinstance(column_type, sa.Enum) and column_type.native_enum:
        schema = None if column_type.schema == "public" else column_type.schema
        return PgType(str(column_type.name), is_enum=True, schema=schema, labels=tuple(column_type.enums))
    spec = column_type.compile(dialect=DIALECT)
    # `NUMERIC(8, 2)`, `TIMESTAMP(3) WITH TIME ZONE`: the modifier is no part of the name.
    name = re.sub(r"\s*\([^)]*\)", "", spec).strip('"')
    length = column_type.length if isinstance(column_type, sa.String) else None
    return PgType(_TYPNAMES.get(name.upper(), name.lower()), length=length)
