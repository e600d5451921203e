"""What each GraphQL field, argument and input key stands for, so that readers of a document dispatch on meaning, not on names."""

from dataclasses import dataclass
from typing import Any, Literal, cast

from schema.model import PgType, TableName

MEANING = "meaning"

SelectKind = Literal["select", "select_by_pk", "select_aggregate", "select_stream"]
WriteKind = Literal["insert", "insert_one", "update", "update_by_pk", "update_many", "delete", "delete_by_pk"]
RootKind = SelectKind | WriteKind
RootType = Literal["query", "mutation", "subscription"]
UpdateOperatorName = Literal["_set", "_inc", "_append", "_prepend", "_delete_key", "_delete_elem", "_delete_at_path"]
ColumnUse = Literal["select", "insert", "update"]
ArgumentKind = Literal[
    "args",
    "where",
    "order_by",
    "limit",
    "offset",
    "distinct_on",
    "objects",
    "object",
    "pk_columns",
    "updates",
    "on_conflict",
    "constraint",
    "update_columns",
    "data",
    "columns",
    "distinct",
    "batch_size",
    "cursor",
    "initial_value",
    "ordering",
    "arguments",
    "filter",
    "predicate",
    "path",
]
PartKind = Literal["aggregate", "nodes", "count", "affected_rows", "returning"]


@dataclass(frozen=True, slots=True)
class TableRoot:
    """A root field over a table; `kind` is also the name Hasura's `query_root_fields` uses.

    With a `function` it is over the rows that this returns: a list, an aggregate, or (as by primary key) one row.
    """

    kind: RootKind
    table: TableName
    root: RootType
    function: TableName | None = None


@dataclass(frozen=True, slots=True)
class RootNamespace:
    """The field below which the root fields of a source stand."""


@dataclass(frozen=True, slots=True)
class OfColumn:
    """A column, by database name: selected, compared, ordered by, or written (`use` names the permission it needs)."""

    table: TableName
    column: str
    use: ColumnUse = "select"


@dataclass(frozen=True, slots=True)
class OfRelationship:
    table: TableName
    relationship: str


@dataclass(frozen=True, slots=True)
class NestedInsert:
    """Rows to be inserted through a relationship."""

    table: TableName
    relationship: str


@dataclass(frozen=True, slots=True)
class OfConstraint:
    """A primary key or unique constraint, by database name."""

    table: TableName
    name: str


@dataclass(frozen=True, slots=True)
class Placeholder:
    """Hasura: the value of an enum that would have none."""


@dataclass(frozen=True, slots=True)
class UpdateOperator:
    """`_set`, `_inc`, … of an update: an argument, or a key of one of many updates."""

    name: UpdateOperatorName


@dataclass(frozen=True, slots=True)
class OfRelationshipAggregate:
    table: TableName
    relationship: str


@dataclass(frozen=True, slots=True)
class OfComputedField:
    table: TableName
    name: str


@dataclass(frozen=True, slots=True)
class GivenTo:
    """One of the arguments that are given to a function, by its place among them."""

    place: int


@dataclass(frozen=True, slots=True)
class OfTableRow:
    """Rows inside a hand-written payload: the table by GraphQL name, and the payload's attributes that hold the primary key's values."""

    table: str
    key_attributes: tuple[str, ...]
    many: bool


@dataclass(frozen=True, slots=True)
class Part:
    """A fixed piece of an aggregate or of a mutation response over `table`."""

    kind: PartKind
    table: TableName


@dataclass(frozen=True, slots=True)
class AggregateFunction:
    """An aggregate function (`max`, `avg`, …) applied to the columns below it."""

    name: str
    table: TableName


@dataclass(frozen=True, slots=True)
class Argument:
    kind: ArgumentKind


@dataclass(frozen=True, slots=True)
class Logic:
    """`_and`, `_or`, `_not` of a boolean expression."""

    operator: Literal["_and", "_or", "_not"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison operator."""

    name: str


@dataclass(frozen=True, slots=True)
class Cast:
    """Comparisons of a value as one of another type; without `type` the object that holds those, by type (`_cast`)."""

    type: PgType | None = None


Meaning = (
    TableRoot
    | RootNamespace
    | OfColumn
    | OfRelationship
    | NestedInsert
    | OfConstraint
    | Placeholder
    | UpdateOperator
    | OfRelationshipAggregate
    | OfComputedField
    | GivenTo
    | OfTableRow
    | Part
    | AggregateFunction
    | Argument
    | Logic
    | Comparison
    | Cast
)


def meaning_of(element: Any) -> Meaning | None:
    """The meaning of a graphql-core field, argument or input field; None for most hand-written ones and introspection."""
    extensions: dict[str, Any] = element.extensions
    if (meaning := extensions.get(MEANING)) is not None:
        return cast(Meaning, meaning)
    definition = extensions.get("strawberry-definition")
    return None if definition is None else cast(Meaning | None, definition.metadata.get(MEANING))
