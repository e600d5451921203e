"""Hasura metadata as typed entries, each with its place in the source."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from permissions.allow_list import AllowList
from permissions.api_limits import ApiLimits
from permissions.reading.nodes import Node, Position, Problem
from schema.model import TableName
from schema.naming import Naming

Action = Literal["select", "insert", "update", "delete"]


@dataclass(frozen=True, slots=True)
class ColumnConfig:
    """`comment`: None takes PostgreSQL's own, an empty text means none."""

    custom_name: str | None
    comment: str | None
    position: Position


@dataclass(frozen=True, slots=True)
class Configuration:
    """A table's own names and comments. `root_fields` maps `select_by_pk` and the like to names, `root_comments` to descriptions."""

    custom_name: str | None = None
    comment: str | None = None
    columns: Mapping[str, ColumnConfig] = field(default_factory=dict)
    root_fields: Mapping[str, str] = field(default_factory=dict)
    root_comments: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ForeignKeyOn:
    """Follows the foreign key of this table's columns."""

    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReverseForeignKeyOn:
    """Follows the foreign key that the columns of another table have on this one."""

    table: TableName
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ManualMapping:
    """Joins this table's columns with those of any table."""

    table: TableName
    columns: tuple[tuple[str, str], ...]
    after_parent: bool = False


@dataclass(frozen=True, slots=True)
class RelationshipEntry:
    name: str
    kind: Literal["object", "array"]
    using: ForeignKeyOn | ReverseForeignKeyOn | ManualMapping
    comment: str | None
    position: Position


@dataclass(frozen=True, slots=True)
class ComputedFieldEntry:
    name: str
    function: TableName
    table_argument: str | None
    session_argument: str | None
    comment: str | None
    position: Position


@dataclass(frozen=True, slots=True)
class FunctionEntry:
    """A tracked function; `roles` have an explicit permission."""

    name: TableName
    position: Position
    custom_name: str | None = None
    root_field: str | None = None
    aggregate_field: str | None = None
    session_argument: str | None = None
    exposed_as: Literal["query", "mutation"] | None = None
    roles: frozenset[str] = frozenset()
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class PermissionEntry:
    """One role's permission for one action on one table. Expressions are still as they were written.

    `columns` is None for `'*'` (and for an insert permission without the key): all of them.
    """

    role: str
    action: Action
    position: Position
    columns: tuple[Node, ...] | None = ()
    filter: Node | None = None
    check: Node | None = None
    presets: Mapping[str, Node] = field(default_factory=dict)
    limit: int | None = None
    allow_aggregations: bool = False
    computed_fields: tuple[Node, ...] = ()
    query_root_fields: frozenset[str] | None = None
    subscription_root_fields: frozenset[str] | None = None
    backend_only: bool = False


@dataclass(frozen=True, slots=True)
class TableEntry:
    name: TableName
    position: Position
    configuration: Configuration = field(default_factory=Configuration)
    relationships: tuple[RelationshipEntry, ...] = ()
    computed_fields: tuple[ComputedFieldEntry, ...] = ()
    permissions: tuple[PermissionEntry, ...] = ()
    is_enum: bool = False


@dataclass(frozen=True, slots=True)
class ActionEntry:
    name: str
    roles: tuple[str, ...]
    position: Position


@dataclass(frozen=True, slots=True)
class InheritedRoleEntry:
    """A role that may do what its parents may."""

    role: str
    parents: tuple[str, ...]
    position: Position


@dataclass(frozen=True, slots=True)
class Metadata:
    """Tables and functions of the PostgreSQL source, and the actions; `problems` are entries that could not be read and are left out."""

    tables: tuple[TableEntry, ...]
    actions: tuple[ActionEntry, ...]
    problems: tuple[Problem, ...]
    inherited_roles: tuple[InheritedRoleEntry, ...] = ()
    source: str = "default"
    naming: Naming = field(default_factory=Naming)
    # Roles that may not ask for their schema.
    without_introspection: Mapping[str, Position] = field(default_factory=dict)
    # What is written and has no effect here.
    unused: tuple[Problem, ...] = ()
    unknown: tuple[Problem, ...] = ()
    functions: tuple[FunctionEntry, ...] = ()
    api_limits: ApiLimits = field(default_factory=ApiLimits)
    allow_list: AllowList = field(default_factory=AllowList)
    # Roles that are named where requests as a whole are ruled, and where.
    roles_of_requests: Mapping[str, Position] = field(default_factory=dict)

    @property
    def enum_tables(self) -> frozenset[TableName]:
        """The tables whose rows are part of the schema."""
        return frozenset(table.name for table in self.tables if table.is_enum)
