"""A schema as introspection tells of it: in Hasura's order, which is that of names, and with nothing of drafts."""

import copy
from typing import Any, Final, TypeVar

from graphql import (
    DirectiveLocation,
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLDirective,
    GraphQLEnumType,
    GraphQLInt,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    is_introspection_type,
)

T = TypeVar("T")

# The specification of September 2025; graphql-core knows drafts of the next one.
_OF_DIRECTIVES: Final = frozenset({"name", "description", "isRepeatable", "locations", "args"})
_LOCATIONS: Final = frozenset(DirectiveLocation) - {DirectiveLocation.FRAGMENT_VARIABLE_DEFINITION, DirectiveLocation.DIRECTIVE_DEFINITION}
# Frontends of Hasura Cloud send it, and tools that check their documents have to know it.
_CACHED: Final = GraphQLDirective(
    "cached",
    [DirectiveLocation.QUERY],
    {
        "ttl": GraphQLArgument(GraphQLNonNull(GraphQLInt), 60, "measured in seconds"),
        "refresh": GraphQLArgument(GraphQLNonNull(GraphQLBoolean), False, "refresh the cache entry"),
    },
    description="whether this query should be cached (every answer is made anew here)",
)


def publish(schema: GraphQLSchema) -> None:
    """Changes what the schema lists, not what it means."""
    schema.directives = (*(_directive(directive) for directive in schema.directives), _CACHED)
    schema.type_map = {name: _type(schema.type_map[name]) for name in sorted(schema.type_map)}


def _directive(directive: GraphQLDirective) -> GraphQLDirective:
    pinned = copy.copy(directive)
    pinned.locations = tuple(location for location in directive.locations if location in _LOCATIONS)
    return pinned


def _type(type_: Any) -> Any:
    """graphql-core's own types belong to all schemas and stay as they are."""
    if is_introspection_type(type_):
        if type_.name == "__DirectiveLocation":
            return _locations(type_)
        return _directive_fields(type_) if type_.name == "__Directive" else type_
    if isinstance(type_, GraphQLEnumType):
        type_.values = dict(sorted(type_.values.items()))
    elif hasattr(type_, "fields"):
        type_.fields = dict(sorted(type_.fields.items()))
        for field in type_.fields.values():
            if len(getattr(field, "args", ())) > 1:
                field.args = dict(sorted(field.args.items()))
    return type_


def _locations(type_: GraphQLEnumType) -> GraphQLEnumType:
    own = _copy(type_)
    own.values = {name: value for name, value in type_.values.items() if value.value in _LOCATIONS}
    return own


def _directive_fields(type_: GraphQLObjectType) -> GraphQLObjectType:
    own = _copy(type_)
    own.fields = {name: field for name, field in type_.fields.items() if name in _OF_DIRECTIVES}
    return own


def _copy(type_: T) -> T:
    """Its name is reserved, and `copy.copy` would make the type anew, which is refused."""
    own: T = object.__new__(type(type_))
    vars(own).update(vars(type_))
    return own
