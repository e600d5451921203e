"""What the engine knows of tracked tables and functions: columns, relationships, computed fields and names. Pure data."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

import sqlalchemy as sa

from schema.naming import BaseName, Naming


class TableName(NamedTuple):
    """A table's (or function's) place in PostgreSQL."""

    schema: str
    name: str

    def __str__(self) -> str:
        return self.name if self.schema == "public" else f"{self.schema}.{self.name}"


class EnumType(NamedTuple):
    """The GraphQL names of an enum table: its type, the input that compares it, and by name its values."""

    name: str
    comparison: str
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class PgType:
    """A PostgreSQL type by the name of `pg_type.typname`: `int4`, `uuid`, `mood`; arrays name their element."""

    name: str
    is_array: bool = False
    is_enum: bool = False
    # Only outside `pg_catalog` and `public`.
    schema: str | None = None
    # The values of an enum, in its order.
    labels: tuple[str, ...] = ()
    # The GraphQL enum of a column that refers to an enum table; `labels` are its values then.
    enum_table: EnumType | None = None
    # The aggregate functions that PostgreSQL has for it; None where no database was asked.
    aggregates: frozenset[str] | None = field(default=None, compare=False, repr=False)
    # Whether what is declared is a domain, or an array of one, that operators and functions of this type don't take without a cast.
    declared_otherwise: bool = field(default=False, compare=False, repr=False)
    # Whether what is declared is a domain, which may take no null.
    is_domain: bool = field(default=False, compare=False, repr=False)
    # The characters that a varchar or a char was declared for; None where it may have any number.
    length: int | None = field(default=None, compare=False, repr=False)

    @property
    def stored(self) -> "PgType":
        """The type as PostgreSQL has it, whatever table its values refer to."""
        return self if self.enum_table is None else PgType(self.name, schema=self.schema)

    @property
    def element(self) -> "PgType":
        """The type of an array's elements."""
        return replace(self, is_array=False)

    @property
    def sql(self) -> str:
        """The type as it is written in a cast."""
        name = f'"{self.name}"' if self.schema is None else f'"{self.schema}"."{self.name}"'
        return f"{name}[]" if self.is_array else name


@dataclass(frozen=True, slots=True)
class Leakproof:
    """What may be done to a type's values without telling of them anything but the result, as PostgreSQL says of its functions.

    `operators` are pairs of an operator and the type on its right; `sorting` is the comparison behind ORDER BY and DISTINCT.
    """

    operators: frozenset[tuple[str, PgType]] = frozenset()
    sorting: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """`leakproof` is nothing where nobody asked a database."""

    name: str
    graphql_name: str
    type: PgType
    nullable: bool
    comment: str | None = None
    leakproof: Leakproof = Leakproof()


@dataclass(frozen=True, slots=True)
class EnumValue:
    name: str
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class EnumTable:
    """The GraphQL enum that the rows of a table are."""

    type: EnumType
    values: tuple[EnumValue, ...]


@dataclass(frozen=True, slots=True)
class Relationship:
    """`columns` pairs a column of the owning table with one of the target, in database names."""

    name: str
    target: TableName
    columns: tuple[tuple[str, str], ...]
    kind: Literal["object", "array"]
    # Hasura: an object relationship is non-null iff it follows a foreign key whose columns are all NOT NULL.
    nullable: bool = True
    comment: str | None = None
    # Whether a nested insert writes its rows after the parent row, which gives them the key.
    after_parent: bool = False


@dataclass(frozen=True, slots=True)
class Parameter:
    """An input argument of a function: the caller's, the row that a computed field belongs to, or the session as JSON.

    `graphql_name` is its key in `args`, where it is the caller's, and `scalar` its type there.
    """

    name: str | None
    type: PgType
    kind: Literal["given", "row", "session"] = "given"
    has_default: bool = False
    graphql_name: str = ""
    scalar: PgType | None = None


@dataclass(frozen=True, slots=True)
class SqlFunction:
    """A function as it is called. It `returns` a value of a type, or rows of a table; without `returns_set` exactly one."""

    name: TableName
    parameters: tuple[Parameter, ...]
    returns: PgType | TableName
    returns_set: bool = False
    is_volatile: bool = False

    @property
    def given(self) -> tuple[Parameter, ...]:
        """What the caller gives, in order."""
        return tuple(parameter for parameter in self.parameters if parameter.kind == "given")

    @property
    def needs_given(self) -> bool:
        """Whether something has to be given."""
        return any(not parameter.has_default for parameter in self.given)

    @property
    def table(self) -> TableName:
        """The table whose rows it returns."""
        if isinstance(self.returns, PgType):
            raise TypeError(f"{self.name} returns no rows")
        return self.returns


@dataclass(frozen=True, slots=True)
class ComputedField:
    """What a function makes of the row: one value, or rows of a table."""

    name: str
    function: SqlFunction
    comment: str | None = None

    @property
    def type(self) -> PgType | None:
        """The type of its value; None where it has rows."""
        return self.function.returns if isinstance(self.function.returns, PgType) else None

    def value_type(self) -> PgType:
        """The same where it is known to have a value."""
        if self.type is None:
            raise TypeError(f"{self.name} has rows")
        return self.type

    def args_type(self, naming: Naming, table: BaseName) -> str:
        """The GraphQL type of what is given to it, where it is a field of this table."""
        return naming.computed_field_args(self.name, table)


@dataclass(frozen=True, slots=True)
class TrackedFunction:
    """A function as a root field over the rows that it returns. A mutation has no `aggregate_field`."""

    function: SqlFunction
    exposed_as: Literal["query", "mutation"]
    root_field: str
    aggregate_field: str | None
    args_type: str
    description: str


@dataclass(frozen=True, slots=True)
class RootFields:
    """The names of a table's root fields (Hasura's defaults, or `custom_root_fields`)."""

    select: str
    select_by_pk: str
    select_aggregate: str
    select_stream: str
    insert: str
    insert_one: str
    update: str
    update_by_pk: str
    update_many: str
    delete: str
    delete_by_pk: str


@dataclass(frozen=True, slots=True)
class Numbering:
    """`column` numbers the rows of each `room` in the order of their commits: a number is taken under a lock that is held until then."""

    room: str
    column: str


WriteAction = Literal["insert", "update", "delete"]
WRITE_ACTIONS: tuple[WriteAction, ...] = ("insert", "update", "delete")


@dataclass(frozen=True, slots=True)
class TrackedTable:
    """`graphql_name` is the type of its rows, `base` what all its other names are made of (`Naming.type_name`).

    `writes` is what PostgreSQL takes: a view may be inserted into and not be updated. `constraints` are the primary key and the unique
    constraints with their columns, for `on_conflict`.
    """

    name: TableName
    graphql_name: str
    base: BaseName
    table: sa.Table
    columns: Mapping[str, Column]
    primary_key: tuple[str, ...]
    constraints: Mapping[str, tuple[str, ...]]
    root_fields: RootFields
    relationships: Mapping[str, Relationship] = field(default_factory=dict)
    computed_fields: Mapping[str, ComputedField] = field(default_factory=dict)
    comment: str | None = None
    # The descriptions that `custom_root_fields` give, by kind; an empty one is none.
    root_comments: Mapping[str, str] = field(default_factory=dict)
    writes: frozenset[WriteAction] = frozenset(WRITE_ACTIONS)
    partitioned: bool = False
    # Columns with which an index over all rows begins.
    indexed: frozenset[str] = frozenset()
    # The first two columns of each: the rows with one value of the first stand in it in the order of the second.
    ordered: frozenset[tuple[str, str]] = frozenset()
    numbering: Numbering | None = None
    enum: EnumTable | None = None

    def leads_to(self, name: str) -> TableName:
        """The table that a relationship leads to, or a computed field that returns rows."""
        relationship = self.relationships.get(name)
        return self.computed_fields[name].function.table if relationship is None else relationship.target


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Catalog:
    """Every tracked table and function of one source, by name.

    `epoch` is SQL that tells of which history the database is, by another value for another one; None where nobody can say.
    With `numbers_as_text` answers tell numbers that JSON's readers may not hold exactly as text.
    """

    tables: Mapping[TableName, TrackedTable]
    epoch: str | None = None
    naming: Naming = field(default_factory=Naming)
    functions: Mapping[TableName, TrackedFunction] = field(default_factory=dict)
    numbers_as_text: bool = False

    def __getitem__(self, name: TableName) -> TrackedTable:
        return self.tables[name]

    def __iter__(self) -> Iterator[TrackedTable]:
        return iter(self.tables.values())
