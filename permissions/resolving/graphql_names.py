"""GraphQL names that tables claim: what Hasura calls them, and what two of them can't share."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from permissions.reading.entries import FunctionEntry, TableEntry
from permissions.reading.nodes import MetadataError, Position, Problem
from schema.model import EnumType, PgType, SqlFunction, TrackedFunction
from schema.naming import FOR_BACKENDS, NAMESPACES, BaseName, Naming
from schema.type_names import BUILT_IN, GIVEN, ORDERING, TABLE_TYPES, compared_names, predicate_names, scalar_name

# GraphQL keeps names with `__` for itself, boolean expressions their logic.
_NAME = re.compile(r"(?!__)(?!_(and|or|not)$)[_A-Za-z][_0-9A-Za-z]*")


def is_name(text: str) -> bool:
    """Whether a table, a column or a field can be called this in GraphQL."""
    return _NAME.fullmatch(text) is not None


@dataclass(slots=True)
class ClaimedNames:
    """The names that are taken: those of the engine, of scalars and their comparisons, and of the tables and functions so far."""

    naming: Naming
    types: set[str]
    root_fields: set[str] = field(default_factory=set)
    tables: set[str] = field(default_factory=set)

    @classmethod
    def before_tables(cls, naming: Naming, columns: Iterable[PgType]) -> "ClaimedNames":
        """What is there before any table: `columns` are the types that have comparisons."""
        types = {*GIVEN, naming.source_type(ORDERING), *(name for type_ in columns for name in compared_names(naming, type_))}
        if naming.namespace is not None:
            types |= {naming.namespace_type(root) for root in (*NAMESPACES.values(), FOR_BACKENDS)}
        return cls(naming, types)

    def claim(self, entry: TableEntry) -> Problem | None:
        """Takes the names of one more table, or says why it can't have them."""
        base = base_name(self.naming, entry)
        name = self.naming.type_name(base)
        fields = list(self.naming.root_fields(base, entry.configuration.root_fields).values())
        types = {self.naming.type_name(base, suffix) for suffix in TABLE_TYPES} | predicate_names(self.naming, base)
        if name in self.tables:
            return Problem(entry.position, f"Two tables are called {name} in GraphQL; give this one a `custom_name`.")
        if bad := [text for text in (name, *fields) if not is_name(text)]:
            return Problem(entry.position, f"{bad[0]} can't be a GraphQL name; give the table a `custom_name`.")
        if shared := sorted(types & self.types):
            return Problem(entry.position, f"{entry.name} would bring a second GraphQL type {shared[0]}; give the table a `custom_name`.")
        if shared := sorted({text for text in fields if text in self.root_fields or fields.count(text) > 1}):
            return Problem(entry.position, f"{entry.name} would bring a second root field {shared[0]}; choose another name.")
        self.tables.add(name)
        self.types |= types
        self.root_fields.update(fields)
        return None

    def claim_enum(self, enum: EnumType, entry: TableEntry) -> Problem | None:
        """Takes the names of the enum that a table is."""
        types = {enum.name, enum.comparison}
        if shared := sorted(types & self.types):
            return Problem(entry.position, f"{entry.name} would bring a second GraphQL type {shared[0]}; give the table a `custom_name`.")
        if len({name for name, _ in enum.values}) < len(enum.values):
            return Problem(entry.position, f"Two values of {entry.name} have the same name in GraphQL; rename one of them.")
        self.types |= types
        return None

    def scalar_taken(self, name: str) -> bool:
        """Whether a column's type can't be called this, because something else is; GraphQL's own scalars are what they are."""
        return name in self.types and name not in BUILT_IN.values()

    def claim_function(self, entry: FunctionEntry, tracked: TrackedFunction) -> None:
        """The same for a function; raises MetadataError when it can't have its names."""
        fields = {name for name in (tracked.root_field, tracked.aggregate_field) if name is not None}
        if shared := sorted(fields & self.root_fields):
            raise MetadataError(Problem(entry.position, f"{entry.name} would bring a second root field {shared[0]}; choose another name."))
        self.claim_given(tracked.function, tracked.args_type, entry.position, str(entry.name))
        self.root_fields |= fields

    def claim_given(self, function: SqlFunction, type_: str, position: Position, who: str) -> None:
        """Takes the type of what is given to a function, if anything is; raises MetadataError when another one has a name that it needs."""
        if not function.given:
            return
        scalars = {scalar_name((parameter.scalar or parameter.type).name) for parameter in function.given}
        if taken := sorted(name for name in scalars if self.scalar_taken(name)):
            raise MetadataError(Problem(position, f"{who} takes a value of the type {taken[0]}, and something else has this name."))
        if type_ in self.types:
            raise MetadataError(Problem(position, f"{who} would bring a second GraphQL type {type_}; choose another name."))
        self.types.add(type_)


def base_name(naming: Naming, entry: TableEntry) -> BaseName:
    """What a table's names are made of."""
    return naming.base(entry.name.schema, entry.name.name, entry.configuration.custom_name)
