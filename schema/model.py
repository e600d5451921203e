"""What the engine knows of a tracked table: columns, relationships, computed fields and names. Pure data."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
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

    @property
    def stored(self) -> "PgType":
        """The type as PostgreSQL has it, whatever table its values refer to."""
        return self if self.enum_table is None else PgType(self.name, schema=self.schema)

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


@dataclass(frozen=True, slots=True)
class ComputedField:
    """A scalar SQL function of the row. `session_argument` names the argument that takes the session as json."""

    name: str
    function: TableName
    type: PgType
    table_argument: str | None = None
    session_argument: str | None = None
    comment: str | None = None


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


@dataclass(frozen=True, slots=True)
class TrackedTable:
    """`graphql_name` is the type of its rows, `base` what all its other names are made of (`Naming.type_name`)."""

    name: TableName
    graphql_name: str
    base: BaseName
    table: sa.Table
    columns: Mapping[str, Column]
    primary_key: tuple[str, ...]
    # Names of the primary key and unique constraints, for `on_conflict`.
    constraints: tuple[str, ...]
    root_fields: RootFields
    relationships: Mapping[str, Relationship] = field(default_factory=dict)
    computed_fields: Mapping[str, ComputedField] = field(default_factory=dict)
    comment: str | None = None
    # The descriptions that `custom_root_fields` give, by kind; an empty one is none.
    root_comments: Mapping[str, str] = field(default_factory=dict)
    writable: bool = True
    numbering: Numbering | None = None
    enum: EnumTable | None = None


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Catalog:
    """Every tracked table of one source, by name.

    `epoch` is SQL that tells of which history the database is, by another value for another one; None where nobody can say.
    """

    tables: Mapping[TableName, TrackedTable]
    epoch: str | None = None
    naming: Naming = field(default_factory=Naming)

    def __getitem__(self, name: TableName) -> TrackedTable:
        return self.tables[name]

    def __iter__(self) -> Iterator[TrackedTable]:
        return iter(self.tables.values())
