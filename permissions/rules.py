"""What the metadata grants each role, table by table, in database names. Absent means denied."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from permissions.expressions import Expression, Operand
from schema.model import TableName


@dataclass(frozen=True, slots=True)
class SelectRule:
    columns: frozenset[str]
    filter: Expression
    limit: int | None = None
    allow_aggregations: bool = False
    computed_fields: frozenset[str] = frozenset()
    # None: all of them; otherwise of `select`, `select_by_pk`, `select_aggregate` (and `select_stream`).
    query_root_fields: frozenset[str] | None = None
    subscription_root_fields: frozenset[str] | None = None
    # Of an inherited role: columns and computed fields that are null in rows where their expression doesn't hold.
    redactions: Mapping[str, Expression] = field(default_factory=dict)
    computed_redactions: Mapping[str, Expression] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class InsertRule:
    columns: frozenset[str]
    check: Expression
    presets: Mapping[str, Operand] = field(default_factory=dict)
    backend_only: bool = False


@dataclass(frozen=True, slots=True)
class UpdateRule:
    columns: frozenset[str]
    filter: Expression
    check: Expression | None = None
    presets: Mapping[str, Operand] = field(default_factory=dict)
    backend_only: bool = False


@dataclass(frozen=True, slots=True)
class DeleteRule:
    filter: Expression
    backend_only: bool = False


@dataclass(frozen=True, slots=True)
class RoleRules:
    """Everything one role may do. `actions` are names of actions the role may call; `introspection`: it may ask for its schema."""

    role: str
    select: Mapping[TableName, SelectRule] = field(default_factory=dict)
    insert: Mapping[TableName, InsertRule] = field(default_factory=dict)
    update: Mapping[TableName, UpdateRule] = field(default_factory=dict)
    delete: Mapping[TableName, DeleteRule] = field(default_factory=dict)
    actions: frozenset[str] = frozenset()
    introspection: bool = True
    # Tracked functions that the role may call, where it may select from their tables.
    functions: frozenset[TableName] = frozenset()
