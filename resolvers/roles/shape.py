"""What of the whole schema decides on the view of any role: its members by meaning, and which type leads to which. Names alone."""

from collections.abc import Iterator, Mapping, Set
from typing import Any, Final, NamedTuple, cast

from graphql import (
    GraphQLEnumType,
    GraphQLEnumValueMap,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_non_null_type,
)

from schema.model import TableName
from schema.table_types.definitions import EMPTY
from schema.table_types.meaning import Argument, RootNamespace, TableRoot, meaning_of

NO_QUERIES: Final = "no_queries_available"
_OBJECTS: Final = (Argument("object"), Argument("objects"))

Member = GraphQLField | GraphQLInputField


class Referrer(NamedTuple):
    """A member that leads to a type; it can't be without the type where it `needs` it: as its own, or for a required argument.

    Without a `required` one, an input object could not be given at all.
    """

    owner: str
    member: str
    needs: bool
    required: bool


class Shape:
    """Made once for the roles of a whole schema, in the time that looking at every member takes."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self.roots = tuple(root.name for root in (schema.query_type, schema.mutation_type, schema.subscription_type) if root is not None)
        self.query = cast(GraphQLObjectType, schema.query_type).name
        # What each member of a type means, enum values by what they stand for.
        self.meanings: dict[str, Mapping[str, Any]] = {}
        # A meaning is one object wherever it stands: all of them, and those within each type, by what tells objects apart.
        self.distinct: dict[int, Any] = {}
        self.meant: dict[str, frozenset[int]] = {}
        # The names of the types that each member of a type leads to.
        self.references: dict[str, Mapping[str, tuple[str, ...]]] = {}
        self.referrers: dict[str, list[Referrer]] = {}
        # Enums, each with the values that it has for a role that sees none.
        self.enums: dict[str, GraphQLEnumValueMap] = {}
        self.inputs: set[str] = set()
        # The types of rows, each with its table.
        self.rows: dict[str, TableName] = {}
        self._mutations = () if schema.mutation_type is None else (schema.mutation_type, *_namespaces(schema.mutation_type))
        self._interned: dict[tuple[str, ...], tuple[str, ...]] = {}
        # Of several types, and of several roles, the same members are visible.
        self._visible: dict[frozenset[str], frozenset[str]] = {}
        for type_ in schema.type_map.values():
            if not type_.name.startswith("__"):
                self._note(type_)
        # Whatever a role sees, introspection can be asked for, and directives be given.
        self.always = self._always(schema)

    def rows_to_insert(self, visible: Mapping[str, Set[str]]) -> Iterator[str]:
        """The types of what is given to those root fields that insert, by the visible members of each type."""
        for type_ in self._mutations:
            for field in (type_.fields[name] for name in visible[type_.name]):
                for argument in field.args.values():
                    if meaning_of(argument) in _OBJECTS:
                        yield get_named_type(argument.type).name

    def same(self, members: Set[str]) -> frozenset[str]:
        """The one set of these members."""
        frozen = frozenset(members)
        return self._visible.setdefault(frozen, frozen)

    def _note(self, type_: GraphQLNamedType) -> None:
        if isinstance(type_, GraphQLEnumType):
            self.enums[type_.name] = type_.extensions.get(EMPTY, {})
            self.meanings[type_.name] = {name: value.value for name, value in type_.values.items()}
        elif isinstance(type_, (GraphQLObjectType, GraphQLInputObjectType)):
            if isinstance(type_, GraphQLInputObjectType):
                self.inputs.add(type_.name)
            members = cast(Mapping[str, Member], type_.fields)
            self.meanings[type_.name] = {name: meaning_of(member) for name, member in members.items()}
            self.references[type_.name] = {name: self._references(type_.name, name, member) for name, member in members.items()}
            for name, meaning in self.meanings[type_.name].items():
                if isinstance(meaning, TableRoot) and meaning.kind == "select":
                    self.rows[get_named_type(members[name].type).name] = meaning.table
        found = {id(meaning): meaning for meaning in self.meanings.get(type_.name, {}).values()}
        self.distinct |= found
        self.meant[type_.name] = frozenset(found)

    def _references(self, owner: str, name: str, member: Member) -> tuple[str, ...]:
        required = is_non_null_type(member.type)
        found = {get_named_type(member.type).name: True}
        for argument in member.args.values() if isinstance(member, GraphQLField) else ():
            given = get_named_type(argument.type).name
            found[given] = found.get(given, False) or is_non_null_type(argument.type)
        for type_name, needs in found.items():
            self.referrers.setdefault(type_name, []).append(Referrer(owner, name, needs, required))
        names = tuple(found)
        return self._interned.setdefault(names, names)

    def _always(self, schema: GraphQLSchema) -> frozenset[str]:
        names = {get_named_type(argument.type).name for directive in schema.directives for argument in directive.args.values()}
        for type_ in schema.type_map.values():
            if type_.name.startswith("__"):
                names.add(type_.name)
                for field in getattr(type_, "fields", {}).values():
                    names |= {get_named_type(part.type).name for part in (field, *field.args.values())}
        return frozenset(names)


def _namespaces(root: GraphQLObjectType) -> Iterator[GraphQLObjectType]:
    """The types of those fields of a root below which root fields stand."""
    for field in root.fields.values():
        if isinstance(meaning_of(field), RootNamespace):
            yield cast(GraphQLObjectType, field.type)
