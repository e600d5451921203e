"""A schema as introspection tells of it: in Hasura's order, which is that of names, and with nothing of drafts."""

import copy
from typing import Any, Final

from graphql import DirectiveLocation, GraphQLDirective, GraphQLEnumType, GraphQLSchema, is_introspection_type

# The specification of September 2025; graphql-core knows drafts of the next one.
_LOCATIONS: Final = frozenset(DirectiveLocation) - {DirectiveLocation.FRAGMENT_VARIABLE_DEFINITION, DirectiveLocation.DIRECTIVE_DEFINITION}


def publish(schema: GraphQLSchema) -> None:
    """Changes what the schema lists, not what it means."""
    schema.directives = tuple(_directive(directive) for directive in schema.directives)
    schema.type_map = {name: _type(schema.type_map[name]) for name in sorted(schema.type_map)}


def _directive(directive: GraphQLDirective) -> GraphQLDirective:
    pinned = copy.copy(directive)
    pinned.locations = tuple(location for location in directive.locations if location in _LOCATIONS)
    return pinned


def _type(type_: Any) -> Any:
    """graphql-core's own types belong to all schemas and stay as they are."""
    if is_introspection_type(type_):
        return _locations(type_) if type_.name == "__DirectiveLocation" else type_
    if isinstance(type_, GraphQLEnumType):
        type_.values = dict(sorted(type_.values.items()))
    elif hasattr(type_, "fields"):
        type_.fields = dict(sorted(type_.fields.items()))
        for field in type_.fields.values():
            if len(getattr(field, "args", ())) > 1:
                field.args = dict(sorted(field.args.items()))
    return type_


def _locations(type_: GraphQLEnumType) -> GraphQLEnumType:
    """A copy; its name is reserved, and `copy.copy` would make the type anew, which is refused."""
    own = object.__new__(GraphQLEnumType)
    vars(own).update(vars(type_))
    own.values = {name: value for name, value in type_.values.items() if value.value in _LOCATIONS}
    return own
