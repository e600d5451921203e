"""A function call as SQL: what stands for each of its arguments, by place as long as none is left out, then by name."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import quoted_name

from schema.model import ComputedField, Parameter, PgType, SqlFunction, TrackedTable
from schema.sql_types import DIALECT, Native

Value = sa.ColumnElement[Any]
# By the GraphQL name of an argument; what is absent has its default.
Given = Mapping[str, Value]


def call(function: SqlFunction, given: Given, session: Value | None, row: Value | None = None) -> sa.sql.functions.Function[Any]:
    """The call. `session` is the session as text, where the function asks for it, and `row` the row that it is about."""
    arguments: list[Value] = []
    by_name = False
    for parameter in function.parameters:
        value = _value(parameter, given, session, row)
        if value is None:
            by_name = True
        elif by_name and parameter.name is not None:
            name = DIALECT.identifier_preparer.quote_identifier(parameter.name)
            arguments.append(sa.literal_column(name).op("=>")(value))
        else:
            arguments.append(value)
    name, schema = _quoted(function.name.name), _quoted(function.name.schema)
    type_ = Native(function.returns) if isinstance(function.returns, PgType) else None
    return sa.sql.functions.Function(name, *arguments, packagenames=(schema,), type_=type_)


def _quoted(name: str) -> quoted_name:
    """In any case: SQLAlchemy would leave capitals alone. It makes a format of a function's name, in which a `%` has to be two."""
    return quoted_name(name.replace("%", "%%"), True)


def returned_rows(called: sa.sql.functions.Function[Any], tracked: TrackedTable, name: str | None) -> sa.TableValuedAlias:
    """The rows that a call returns, in a FROM, with the columns of their table."""
    columns = [sa.column(column.name, column.type) for column in tracked.table.columns]
    return called.table_valued(*columns, name=name)


def asks_session(field: ComputedField) -> bool:
    return any(parameter.kind == "session" for parameter in field.function.parameters)


def _value(parameter: Parameter, given: Given, session: Value | None, row: Value | None) -> Value | None:
    match parameter.kind:
        case "row":
            return row
        case "session":
            return None if session is None else sa.cast(session, Native(parameter.type))
        case "given":
            return given.get(parameter.graphql_name)
