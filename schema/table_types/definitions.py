"""GraphQL types made directly from names, members and meanings, in graphql-core's own classes.

Strawberry would make a resolver, an annotation and a dataclass field of every member first: of two hundred tables that is seconds and
hundreds of megabytes, for fields that it never resolves.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLEnumValue,
    GraphQLEnumValueMap,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    Undefined,
)

from schema.model import PgType, TrackedTable
from schema.naming import Naming
from schema.table_types.meaning import MEANING, Meaning
from schema.table_types.scalars import BUILT_IN, graphql_scalar
from schema.type_names import TypeReference, scalar_name

# In the extensions of an enum.
EMPTY: Final = "empty"


@dataclass(slots=True, eq=False)
class Element:
    """A field of an object type, a key of an input object or an argument, until all types are known."""

    name: str
    type: TypeReference
    meaning: Meaning
    arguments: Sequence["Element"] = ()
    description: str | None = None
    default: Any = Undefined


def root_description(table: TrackedTable, kind: str, default: str) -> str | None:
    """The metadata's own description of a root field, otherwise the default one; an empty one is none."""
    return table.root_comments.get(kind, default) or None


def output(
    name: str, type_: TypeReference, meaning: Meaning, *, arguments: Sequence[Element] = (), description: str | None = None
) -> Element:
    """A field of an object type. It has no resolver: the value comes as JSON from the one statement of the operation."""
    return Element(name, type_, meaning, arguments, description)


def key(name: str, type_: TypeReference, meaning: Meaning, *, default: Any = Undefined, description: str | None = None) -> Element:
    """A key of an input object; `default` is the value that stands for an absent one."""
    return Element(name, type_, meaning, (), description, default)


def argument(name: str, type_: TypeReference, meaning: Meaning, *, description: str | None = None) -> Element:
    return Element(name, type_, meaning, (), description)


class Definitions:
    """Types by name. A type may be referred to before it is defined, as the types of two tables refer to each other.

    What is the same is one object: a meaning, an argument, a list of a type. Most of what a role does not see differently is then
    nothing more to keep for it.
    """

    def __init__(self, naming: Naming, enums: Mapping[str, GraphQLScalarType]) -> None:
        self.naming = naming
        # PostgreSQL's, which are scalars.
        self._enums = enums
        self._references: dict[str, TypeReference] = {}
        self._of_tables: dict[tuple[Any, str], TypeReference] = {}
        self._of_values: dict[str, TypeReference] = {}
        self._defined: dict[str, GraphQLNamedType] = {}
        self._members: list[tuple[GraphQLObjectType | GraphQLInputObjectType, Iterable[Element]]] = []
        self._types: dict[TypeReference, Any] = {}
        self._arguments: dict[Element, GraphQLArgument] = {}
        self._meanings: dict[Meaning, dict[str, Any]] = {}

    def of(self, table: TrackedTable, suffix: str = "") -> TypeReference:
        """The type of a table: its row, `bool_exp`, `stddev_pop_fields`, …"""
        place = table.base, suffix
        known = self._of_tables.get(place)
        if known is None:
            known = self._of_tables[place] = self[self.naming.type_name(table.base, suffix)]
        return known

    def value(self, type_: PgType) -> TypeReference:
        """The type of a column's value; an array is a list of non-null elements."""
        if type_.enum_table is not None:
            return self[type_.enum_table.name]
        known = self._of_values.get(type_.name)
        if known is None:
            known = self._of_values[type_.name] = self[scalar_name(type_.name)]
        return known.listed if type_.is_array else known

    def __getitem__(self, name: str) -> TypeReference:
        """The (maybe not yet defined) type of this name."""
        known = self._references.get(name)
        if known is None:
            known = self._references[name] = TypeReference(name)
        return known

    def __contains__(self, name: str) -> bool:
        return name in self._defined

    def object_type(self, name: str, members: Iterable[Element], *, description: str | None = None) -> TypeReference:
        """Defines an object type."""
        return self._with_members(GraphQLObjectType(name, {}, description=description), members)

    def input(self, name: str, members: Iterable[Element], *, description: str | None = None) -> TypeReference:
        """Defines an input object."""
        return self._with_members(GraphQLInputObjectType(name, {}, description=description), members)

    def enum(
        self,
        name: str,
        values: Iterable[tuple[str, Any]],
        *,
        description: str | None = None,
        describe: Callable[[Any], str | None] | None = None,
        empty: GraphQLEnumValueMap | None = None,
    ) -> TypeReference:
        """Defines an enum of (GraphQL name, what it stands for); `describe` says what the latter means.

        `empty` are its values for a role that sees none.
        """
        made = {
            graphql_name: GraphQLEnumValue(self._told(value)[MEANING], description=describe(value) if describe else None)
            for graphql_name, value in values
        }
        return self._define(GraphQLEnumType(name, made, description=description, extensions={EMPTY: empty} if empty else None))

    def complete(self) -> None:
        """Gives all types their members, when everything is defined: only now is it known what a name refers to."""
        for type_, members in self._members:
            # Names of members are the catalog's, which has only what GraphQL takes: graphql-core would look at each letter again.
            if isinstance(type_, GraphQLObjectType):
                type_.fields = self.fields(members)
            else:
                type_.fields = {member.name: self._key(member) for member in members}
        self._members.clear()

    def types(self) -> dict[str, GraphQLNamedType]:
        """All types by name, the scalars that something refers to among them."""
        return self._defined | {reference.name: self._named(reference) for reference in self._types if reference.element is None}

    def fields(self, members: Iterable[Element]) -> dict[str, GraphQLField]:
        """The fields of an object type."""
        return {member.name: self._field(member) for member in members}

    def _with_members(self, type_: GraphQLObjectType | GraphQLInputObjectType, members: Iterable[Element]) -> TypeReference:
        self._members.append((type_, members))
        return self._define(type_)

    def _define(self, type_: GraphQLNamedType) -> TypeReference:
        if type_.name in self._defined:
            raise ValueError(f"the type {type_.name} is defined twice")
        self._defined[type_.name] = type_
        return self[type_.name]

    def _field(self, member: Element) -> GraphQLField:
        field = GraphQLField(self._type(member.type), description=member.description, extensions=self._told(member.meaning))
        if member.arguments:
            field.args = {argument.name: self._argument(argument) for argument in member.arguments}
        return field

    def _key(self, member: Element) -> GraphQLInputField:
        told = self._told(member.meaning)
        return GraphQLInputField(self._type(member.type), member.default, description=member.description, extensions=told)

    def _argument(self, member: Element) -> GraphQLArgument:
        known = self._arguments.get(member)
        if known is None:
            told = self._told(member.meaning)
            known = self._arguments[member] = GraphQLArgument(self._type(member.type), description=member.description, extensions=told)
        return known

    def _type(self, reference: TypeReference) -> Any:
        known = self._types.get(reference)
        if known is None:
            inner: Any = self._named(reference) if reference.element is None else GraphQLList(self._type(reference.element))
            known = self._types[reference] = inner if reference.is_nullable else GraphQLNonNull(inner)
        return known

    def _named(self, reference: TypeReference) -> GraphQLNamedType:
        name = reference.name
        defined = self._defined.get(name)
        if defined is not None:
            return defined
        if name not in BUILT_IN and self._references.get(name) not in self._of_values.values():
            raise KeyError(f"the type {name} is referred to and not defined")
        return self._enums.get(name) or graphql_scalar(name)

    def _told(self, meaning: Any) -> dict[str, Any]:
        return self._meanings.setdefault(meaning, {MEANING: meaning})
