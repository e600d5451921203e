"""What every write has: the columns of an input object, the rows by primary key, and the keys that must be there."""

from collections.abc import Iterator, Mapping

from graphql import GraphQLInputField, GraphQLInputObjectType

from permissions.errors import GraphQLRefusal
from permissions.expressions import Compare, Expression, conjunction
from resolvers.documents.input_value import InputValue
from resolvers.walk.input_fields import input_fields
from resolvers.walk.walk import Walk
from schema.model import TableName
from schema.table_types.meaning import Meaning, OfColumn, meaning_of

Entries = Iterator[tuple[GraphQLInputField, Meaning | None, InputValue]]


def given_fields(walk: Walk, value: InputValue, type_: GraphQLInputObjectType, *required: str) -> Entries:
    """The keys of an input object with what they mean; raises when one of the `required` is missing."""
    if value.is_null:
        raise value.null(type_)
    fields = list(input_fields(walk, value, type_))
    given = {id(field) for field, _ in fields}
    for name in required:
        if id(type_.fields[name]) not in given:
            raise GraphQLRefusal("validation-failed", f"missing required field '{name}'", f"{value.path}.{name}")
    for field, entry in fields:
        yield field, meaning_of(field), entry


def equal(walk: Walk, meaning: Meaning | None, value: InputValue, table: TableName) -> Expression:
    """A column of a key, which has this value."""
    if not isinstance(meaning, OfColumn):
        raise TypeError(f"no key column: {value.path}")
    column = walk.catalog[table].columns[meaning.column]
    return walk.compared(table, Compare(column.name, "_eq", walk.bound.value(value, column.type)), value.path)


def primary_key(walk: Walk, value: InputValue, type_: GraphQLInputObjectType, table: TableName) -> Expression:
    """The row that `pk_columns` names."""
    fields: Mapping[str, object] = type_.fields
    return conjunction([equal(walk, meaning, entry, table) for _, meaning, entry in given_fields(walk, value, type_, *fields)])
