"""One role's view of the whole schema, derived with graphql-core's `map_schema_config` instead of building types again."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from graphql import GraphQLArgument, GraphQLField, GraphQLInputField, GraphQLSchema, get_named_type, is_non_null_type
from graphql.type import GraphQLEnumType, GraphQLInputObjectType, GraphQLNamedType, GraphQLObjectType
from graphql.utilities.map_schema_config import SchemaElementKind, map_schema_config
from strawberry import Schema

from resolvers.roles.published import publish
from resolvers.roles.visibility import Visibility
from schema.table_types.meaning import Argument, OfColumn, Placeholder, meaning_of

NO_QUERIES = "no_queries_available"
# Names of roles that see a hand-written root field, in the Strawberry field's metadata.
ROLES = "roles"


def derive(whole: Schema, visibility: Visibility, sees_action: Callable[[str, Any], bool]) -> Schema:
    """A Strawberry schema that holds exactly what the role sees, introspection included.

    `sees_action(name, strawberry_field)` decides on root fields that stand for no table.
    """
    view = _View(whole._schema, visibility, sees_action)
    config = cast(dict[str, Any], map_schema_config(whole._schema.to_kwargs(), lambda _: view.mappers()))
    config |= {"types": (), "assume_valid": True}
    for root in ("mutation", "subscription"):
        if config[root] is not None and config[root].name in view.pruned:
            config[root] = None
    schema = copy.copy(whole)
    schema._schema = GraphQLSchema(**config)
    publish(schema._schema)
    schema._schema._strawberry_schema = schema  # type: ignore[attr-defined]
    return schema


Member = GraphQLField | GraphQLInputField


@dataclass
class _View:
    """The visible members of each type; `pruned` are the types with none left."""

    schema: GraphQLSchema
    visibility: Visibility
    sees_action: Callable[[str, Any], bool]

    def __post_init__(self) -> None:
        self._roots = {root.name for root in (self.schema.query_type, self.schema.mutation_type, self.schema.subscription_type) if root}
        self.members = {type_.name: set(self._initial(type_)) for type_ in self.schema.type_map.values() if _has_members(type_)}
        self.pruned: set[str] = set()
        self._kept = set(self._rows_of_presets())
        while self._prune():
            self._unlink()
        query = cast(GraphQLObjectType, self.schema.query_type).name
        self.members[query] = (self.members[query] - {NO_QUERIES}) or {NO_QUERIES}
        self.pruned.discard(query)

    def _initial(self, type_: GraphQLNamedType) -> Iterator[str]:
        if isinstance(type_, GraphQLEnumType):
            yield from self._enum_values(type_)
            return
        for name, member in _members(type_).items():
            meaning = meaning_of(member)
            if type_.name in self._roots and meaning is None:
                if name == NO_QUERIES or self.sees_action(name, member.extensions["strawberry-definition"]):
                    yield name
            elif self.visibility.sees(meaning):
                yield name

    def _enum_values(self, type_: GraphQLEnumType) -> Iterator[str]:
        """Hasura: an enum without a value has a placeholder, so that an empty list of it can be given."""
        standing = [name for name, value in type_.values.items() if isinstance(value.value, Placeholder)]
        visible = [name for name, value in type_.values.items() if self._sees_value(value.value)]
        yield from visible or standing

    def _sees_value(self, value: object) -> bool:
        return not isinstance(value, Placeholder) and (not isinstance(value, OfColumn) or self.visibility.sees(value))

    def _rows_of_presets(self) -> Iterator[str]:
        """Rows that a role may insert stay, also where every column is preset: it gives an empty object."""
        root = self.schema.mutation_type
        for name in self.members[root.name] if root else ():
            for argument in cast(GraphQLObjectType, root).fields[name].args.values():
                if meaning_of(argument) in (Argument("object"), Argument("objects")):
                    yield get_named_type(argument.type).name

    def _prune(self) -> bool:
        """Types without a visible member are pruned; true if there are new ones."""
        pruned = {name for name, members in self.members.items() if not members} - self.pruned - self._kept
        self.pruned |= pruned
        return bool(pruned)

    def _unlink(self) -> None:
        """Members whose type is pruned, or that need an argument of a pruned type, go with it."""
        for name, visible in self.members.items():
            type_ = self.schema.type_map[name]
            if visible and not isinstance(type_, GraphQLEnumType):
                members = _members(type_)
                staying = {member for member in visible if self._stays(members[member])}
                lost = isinstance(type_, GraphQLInputObjectType) and any(is_non_null_type(members[key].type) for key in visible - staying)
                # Nobody could give an input object without what it needs.
                self.members[name] = set() if lost else staying

    def _stays(self, member: Member) -> bool:
        if get_named_type(member.type).name in self.pruned:
            return False
        arguments = getattr(member, "args", {}).values()
        return not any(is_non_null_type(argument.type) and not self._keeps(argument) for argument in arguments)

    def _keeps(self, argument: GraphQLArgument) -> bool:
        return get_named_type(argument.type).name not in self.pruned

    def mappers(self) -> Any:
        return {SchemaElementKind.OBJECT: self._fields, SchemaElementKind.INPUT_OBJECT: self._fields, SchemaElementKind.ENUM: self._values}

    def _fields(self, config: Any) -> Any:
        visible, fields = self.members.get(config["name"]), config["fields"]
        if visible is None:
            return config
        return {**config, "fields": lambda: {name: self._member(field) for name, field in fields().items() if name in visible}}

    def _member(self, member: Any) -> Any:
        redacted = isinstance(member, GraphQLField) and is_non_null_type(member.type) and self.visibility.redacts(meaning_of(member))
        if not redacted and not getattr(member, "args", None):
            return member
        member = copy.copy(member)
        if redacted:
            member.type = member.type.of_type
        if isinstance(member, GraphQLField):
            member.args = {name: argument for name, argument in member.args.items() if self._keeps(argument)}
        return member

    def _values(self, config: Any) -> Any:
        visible = self.members.get(config["name"])
        values = config["values"]() if callable(config["values"]) else config["values"]
        return {**config, "values": {name: value for name, value in values.items() if visible is None or name in visible}}


def _has_members(type_: GraphQLNamedType) -> bool:
    return isinstance(type_, (GraphQLObjectType, GraphQLInputObjectType, GraphQLEnumType)) and not type_.name.startswith("__")


def _members(type_: Any) -> dict[str, Member]:
    return cast(dict[str, Member], type_.fields)
