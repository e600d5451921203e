"""One role's view of the whole schema: types that it sees as they are belong to all roles, of the others it has copies.

A copy makes its members when somebody first looks at them. Who looks twice at once makes the same twice, and one of them stays.
"""

import copy
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeVar, cast

from graphql import GraphQLArgument, GraphQLField, GraphQLNamedType, GraphQLObjectType, GraphQLSchema, get_named_type, is_non_null_type
from graphql.type import GraphQLEnumType, GraphQLEnumValue
from strawberry import Schema

from resolvers.roles.shape import Member, Shape
from resolvers.roles.visibility import Visibility
from resolvers.roles.visible_members import VisibleMembers, changed
from resolvers.roles.whole_schema import EngineSchema
from schema.table_types.definitions import EMPTY
from schema.table_types.meaning import OfColumn, meaning_of

T = TypeVar("T")

# Names of roles that see a hand-written root field, in the Strawberry field's metadata.
ROLES = "roles"
# What graphql-core keeps of a type once it has looked.
_LOOKED_AT = frozenset({"fields", "values", "_value_lookup"})


def derive(whole: EngineSchema, visibility: Visibility, sees_action: Callable[[str, Any], bool]) -> Schema:
    """A Strawberry schema that holds exactly what the role sees, introspection included.

    `sees_action(name, strawberry_field)` decides on root fields that stand for no table.
    """
    shape, everything = whole.shape, whole._schema

    def sees(root: str, name: str) -> bool:
        field = cast(GraphQLObjectType, everything.type_map[root]).fields[name]
        return sees_action(name, field.extensions["strawberry-definition"])

    visible = VisibleMembers(shape, visibility, sees)
    types = _RoleTypes(everything, shape, visible, visibility).types
    role: GraphQLSchema = _like(everything)
    role.query_type, role.mutation_type, role.subscription_type = (
        None if root is None else cast(GraphQLObjectType | None, types.get(root.name))
        for root in (everything.query_type, everything.mutation_type, everything.subscription_type)
    )
    role.type_map = types
    role._sub_type_map = {}
    schema = copy.copy(whole)
    schema.forget_shape()
    schema._schema = role
    role._strawberry_schema = schema  # type: ignore[attr-defined]
    return schema


class _RoleTypes:
    """`types` by name, in order."""

    def __init__(self, whole: GraphQLSchema, shape: Shape, visible: VisibleMembers, visibility: Visibility) -> None:
        self._visibility, self._names = visibility, visibility.other_names
        reached = visible.reached()
        redacted = {name for name in reached if self._has_redacted(shape, name)} if visibility.redacts_anything else set[str]()
        others = changed(shape, visible, reached, redacted | self._names.keys())
        # Where nothing is hidden all members are visible.
        self._visible = {name: shape.same(visible.of[name]) for name in others if visible.hides(name)}
        # By the names of the whole schema.
        self._own = {name: self._copy(type_) if name in others else type_ for name, type_ in whole.type_map.items() if name in reached}
        self.types = _by_name(self._own.values()) if self._names else self._own
        # Lists and non-nulls of a type, and arguments, are many places' own.
        self._wrapped: dict[int, Any] = {}
        self._arguments: dict[int, GraphQLArgument] = {}

    def _has_redacted(self, shape: Shape, name: str) -> bool:
        return any(isinstance(meaning, OfColumn) and self._visibility.redacts(meaning) for meaning in shape.meanings.get(name, {}).values())

    def _copy(self, type_: GraphQLNamedType) -> GraphQLNamedType:
        own: Any = _like(type_)
        own.name = self._names.get(type_.name, type_.name)
        if isinstance(type_, GraphQLEnumType):
            own._values = partial(self._values, type_)
        else:
            own._fields = partial(self._fields, type_)
        return cast(GraphQLNamedType, own)

    def _values(self, type_: GraphQLEnumType) -> dict[str, GraphQLEnumValue]:
        visible = self._visible.get(type_.name, type_.values)
        values = {**type_.values, **type_.extensions.get(EMPTY, {})}
        return {name: value for name, value in values.items() if name in visible}

    def _fields(self, type_: Any) -> dict[str, Member]:
        visible = self._visible.get(type_.name, type_.fields)
        return {name: self._member(member) for name, member in type_.fields.items() if name in visible}

    def _member(self, member: Member) -> Member:
        """The member as it is, unless something of it is another for this role."""
        type_, arguments = self._type(member.type), self._given(member)
        if isinstance(member, GraphQLField) and is_non_null_type(type_) and self._visibility.redacts(meaning_of(member)):
            type_ = type_.of_type
        if type_ is member.type and arguments is None:
            return member
        own: Any = _like(member)
        own.type = type_
        if arguments is not None:
            own.args = arguments
        return cast(Member, own)

    def _given(self, member: Member) -> dict[str, GraphQLArgument] | None:
        """Its arguments; None where they are those of the whole schema."""
        if not isinstance(member, GraphQLField) or not member.args:
            return None
        given = {name: self._argument(argument) for name, argument in member.args.items() if self._keeps(argument)}
        same = len(given) == len(member.args) and all(member.args[name] is argument for name, argument in given.items())
        return None if same else given

    def _keeps(self, argument: GraphQLArgument) -> bool:
        return get_named_type(argument.type).name in self._own

    def _argument(self, argument: GraphQLArgument) -> GraphQLArgument:
        known = self._arguments.get(id(argument))
        if known is None:
            type_ = self._type(argument.type)
            known = argument
            if type_ is not argument.type:
                known = _like(argument)
                known.type = type_
            self._arguments[id(argument)] = known
        return known

    def _type(self, type_: Any) -> Any:
        if isinstance(type_, GraphQLNamedType):
            return self._own.get(type_.name, type_)
        known = self._wrapped.get(id(type_))
        if known is None:
            inner = self._type(type_.of_type)
            known = self._wrapped[id(type_)] = type_ if inner is type_.of_type else type(type_)(inner)
        return known


def _like(element: T) -> T:
    """A copy that has not been looked at.

    graphql-core's own way would make a type anew, with a look at every letter of every name, and a schema by going through all types.
    """
    own: T = object.__new__(type(element))
    for name, value in vars(element).items():
        if name not in _LOOKED_AT:
            setattr(own, name, value)
    return own


def _by_name(types: Iterable[GraphQLNamedType]) -> dict[str, GraphQLNamedType]:
    return {type_.name: type_ for type_ in sorted(types, key=lambda type_: type_.name)}
