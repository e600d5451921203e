"""A validated operation over tables, free of GraphQL: what `walk/` makes and `sql/` turns into statements."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from permissions.expressions import TRUE, Bound, Expression
from permissions.session import Session
from schema.model import SqlFunction, TableName
from schema.table_types.meaning import RootKind, UpdateOperatorName

# Fills one parameter (a `Bound`) for a request. Every parameter travels as text (or null) and is cast inside the statement, so that
# PostgreSQL's own text answers a bad value.
Binder = Callable[[Session, Mapping[str, Any]], str | None]

# Where a payload's primary keys, and the rows a mutation has written, lie among the variables when a second plan is bound; no
# GraphQL variable can have this name.
KEYS = WRITTEN = "."
# How many rows a nested insert has written, in all tables.
AFFECTED = ".affected"


@dataclass(frozen=True, slots=True)
class OfWrittenRow:
    """A column of the one row that an earlier statement of the same mutation wrote: `rows` holds it."""

    rows: Bound
    table: TableName
    column: str


# Null is written as it is; a column that is absent from a row takes its DEFAULT.
Written = Bound | OfWrittenRow | None


@dataclass(frozen=True, slots=True)
class Typename:
    key: str
    name: str


@dataclass(frozen=True, slots=True)
class ColumnField:
    """A column, or what of its JSON lies at the end of `path`."""

    key: str
    column: str
    path: Bound | None = None


# What is given to a function, by the GraphQL names of its arguments; null is given as it is.
Call = Mapping[str, Bound | None]


@dataclass(frozen=True, slots=True)
class ComputedFieldValue:
    key: str
    name: str
    given: Call = field(default_factory=dict)
    path: Bound | None = None


@dataclass(frozen=True, slots=True)
class OrderBy:
    """One order: a column, reached through object relationships, or an aggregate of an array relationship at their end.

    With `aggregate` set the order is by `function(column)` of that relationship, or computed field; `count` has no column.
    `computed` is a computed field in place of a column. `as_stored`: also where the role is not shown the value.
    """

    direction: str
    column: str | None = None
    relationships: tuple[str, ...] = ()
    aggregate: str | None = None
    function: str | None = None
    as_stored: bool = False
    computed: str | None = None


@dataclass(frozen=True, slots=True)
class Arguments:
    """Which rows, in which order. A limit written as a number is part of the SQL text: PostgreSQL plans for it."""

    where: Expression = TRUE
    order_by: tuple[OrderBy, ...] = ()
    distinct_on: tuple[str, ...] = ()
    limit: int | Bound | None = None
    offset: Bound | None = None


@dataclass(frozen=True, slots=True)
class RelatedRow:
    """An object relationship."""

    key: str
    relationship: str
    selection: "Selection"


@dataclass(frozen=True, slots=True)
class RelatedRows:
    """An array relationship."""

    key: str
    relationship: str
    arguments: Arguments
    selection: "Selection"


@dataclass(frozen=True, slots=True)
class ComputedRows:
    """A computed field that returns rows."""

    key: str
    name: str
    given: Call
    arguments: Arguments
    selection: "Selection"


@dataclass(frozen=True, slots=True)
class RelatedAggregate:
    key: str
    relationship: str
    arguments: Arguments
    parts: tuple["AggregatePart", ...]


RowField = Typename | ColumnField | ComputedFieldValue | ComputedRows | RelatedRow | RelatedRows | RelatedAggregate
Selection = tuple[RowField, ...]


@dataclass(frozen=True, slots=True)
class Count:
    key: str
    columns: tuple[str, ...] = ()
    distinct: bool = False


@dataclass(frozen=True, slots=True)
class FunctionValues:
    """`max { pages }`: a function over several columns and computed fields."""

    key: str
    function: str
    values: tuple[Typename | ColumnField | ComputedFieldValue, ...]


@dataclass(frozen=True, slots=True)
class AggregateValues:
    key: str
    values: tuple[Typename | Count | FunctionValues, ...]


@dataclass(frozen=True, slots=True)
class AggregateNodes:
    key: str
    selection: Selection


AggregatePart = Typename | AggregateValues | AggregateNodes


@dataclass(frozen=True, slots=True)
class Stream:
    """How a stream goes on after each batch: `since` is the value that it begins after, `columns` are those it is ordered by.

    With a `room` the first column counts within it, and each room goes on by itself. A batch of fewer than `most` rows holds all there are.
    """

    columns: tuple[str, ...]
    since: Binder
    most: int
    room: str | None = None

    @property
    def places(self) -> range:
        """The numbers of what it goes on from: a value for each column, or the first one's and a JSON object of the rooms'."""
        return range(len(self.columns) if self.room is None else 2)


@dataclass(frozen=True, slots=True)
class SelectRoot:
    """A list, one row by primary key, an aggregate, or the next batch of a `stream`, as `kind` says.

    With a `function` the rows, or the one row, are what it returns for what is `given`.
    """

    key: str
    path: str
    kind: RootKind
    table: TableName
    arguments: Arguments
    selection: Selection = ()
    parts: tuple[AggregatePart, ...] = ()
    stream: Stream | None = None
    function: SqlFunction | None = None
    given: Call = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RowsByKey:
    """Rows inside a hand-written payload. `key_attributes` hold the primary key's values: one row's, or of `many` one list.

    `bound` are the parameters that take those values, and `root` compares with them. `in_list`: there are several such payloads side
    by side, and their rows are read together.
    """

    root: SelectRoot
    key_attributes: tuple[str, ...]
    bound: tuple[Bound, ...]
    many: bool
    in_list: bool = False


@dataclass(frozen=True, slots=True)
class AffectedRows:
    key: str


@dataclass(frozen=True, slots=True)
class Returning:
    key: str
    selection: Selection


ResponsePart = Typename | AffectedRows | Returning


@dataclass(frozen=True, slots=True)
class Conflict:
    """A row that meets one with the same key of `constraint` writes these columns into it; without any it is left out."""

    constraint: str
    columns: tuple[str, ...] = ()
    where: Expression = TRUE


@dataclass(frozen=True, slots=True)
class InsertedRow:
    """A row, and rows that are inserted with it: those of `before` give it its keys, those of `after` get theirs from it."""

    columns: Mapping[str, Written]
    before: tuple["NestedRows", ...] = ()
    after: tuple["NestedRows", ...] = ()


@dataclass(frozen=True, slots=True)
class InsertedRows:
    """Rows of one table; `path` is where they stand in the request."""

    table: TableName
    path: str
    rows: tuple[InsertedRow, ...]
    conflict: Conflict | None = None

    @property
    def are_nested(self) -> bool:
        """Hasura: then each row is a statement of its own."""
        return any(row.before or row.after for row in self.rows)


@dataclass(frozen=True, slots=True)
class NestedRows:
    """Rows of a relationship; `path` is the relationship's."""

    relationship: str
    path: str
    inserted: InsertedRows


@dataclass(frozen=True, slots=True)
class InsertRoot:
    """`selection` answers `insert_one`, `response` answers `insert`."""

    key: str
    path: str
    kind: RootKind
    inserted: InsertedRows
    selection: Selection = ()
    response: tuple[ResponsePart, ...] = ()

    @property
    def table(self) -> TableName:
        return self.inserted.table


@dataclass(frozen=True, slots=True)
class Assigned:
    """What an update makes of a column: by `_set` the value, by the others the column and the value together."""

    operator: UpdateOperatorName
    value: Written


@dataclass(frozen=True, slots=True)
class UpdateRoot:
    """`selection` answers `update_by_pk`, `response` answers `update`."""

    key: str
    path: str
    kind: RootKind
    table: TableName
    where: Expression
    values: Mapping[str, Assigned] = field(default_factory=dict)
    selection: Selection = ()
    response: tuple[ResponsePart, ...] = ()


@dataclass(frozen=True, slots=True)
class UpdateManyRoot:
    """Updates one after the other, each with an answer like that of `update`."""

    key: str
    path: str
    updates: tuple[UpdateRoot, ...]


@dataclass(frozen=True, slots=True)
class DeleteRoot:
    """`selection` answers `delete_by_pk`, `response` answers `delete`."""

    key: str
    path: str
    kind: RootKind
    table: TableName
    where: Expression
    selection: Selection = ()
    response: tuple[ResponsePart, ...] = ()


WriteRoot = InsertRoot | UpdateRoot | DeleteRoot
TableRootField = SelectRoot | WriteRoot | UpdateManyRoot
