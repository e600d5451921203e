"""The keys of an input object with their definitions, and the enum values among what they hold."""

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import GraphQLEnumType, GraphQLInputField, GraphQLInputObjectType, GraphQLList

from permissions.errors import GraphQLRefusal
from resolvers.documents.input_value import EnumName, InputValue
from resolvers.documents.limits import VALUE
from resolvers.walk.walk import Walk, unknown_field, variable_type


def input_fields(walk: Walk, value: InputValue, type_: GraphQLInputObjectType) -> Iterator[tuple[GraphQLInputField, InputValue]]:
    """The given keys of an input object with their definitions, variables replaced; an absent variable counts as null."""
    for name, entry in known_entries(walk, value, type_).items():
        definition = type_.fields[name]
        resolved = entry.resolved(variable_type(definition))
        yield definition, InputValue(None, entry.path, walk.variables) if resolved is None else resolved


def known_entries(walk: Walk, value: InputValue, type_: GraphQLInputObjectType) -> Mapping[str, InputValue]:
    """The given keys. Raises for those that the role's type has not, before anything is said of others, as Hasura does."""
    entries = value.entries(type_.name)
    for name, entry in entries.items():
        walk.budget.spend(VALUE, entry.path)
        if name not in type_.fields:
            raise unknown_field(name, type_.name, entry.path)
    return entries


def column_names(walk: Walk, value: InputValue, type_: GraphQLEnumType) -> tuple[str, ...]:
    """Columns named by a list of `t_select_column` values."""
    if value.is_null:
        raise value.null(GraphQLList(type_))
    names = []
    for item in value.items(type_):
        meaning = enum_value(item, type_)
        walk.cell(meaning.table, meaning.column, item.path)
        names.append(meaning.column)
    return tuple(names)


def enum_value(value: InputValue, type_: GraphQLEnumType) -> Any:
    """What an enum value stands for; a bare name in the document, a string in the variables."""
    if value.is_null:
        raise value.null(type_)
    name = value.pinned()
    if isinstance(name, EnumName):
        name = name.name
    elif value.variable is None or not isinstance(name, str):
        raise value.expected("an enum value", type_.name)
    if name not in type_.values:
        allowed = ", ".join(f"'{known}'" for known in type_.values)
        raise GraphQLRefusal(
            "validation-failed", f"expected one of the values [{allowed}] for type '{type_.name}', but found '{name}'", value.path
        )
    return type_.values[name].value
