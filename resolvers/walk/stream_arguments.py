"""The arguments of a stream: where it begins, in which order it goes on, how many rows at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLInputField, get_named_type

from permissions.errors import GraphQLRefusal
from permissions.expressions import TRUE, And, BeyondItsRoom, Bound, Compare, Expression, Or, Progress, conjunction
from resolvers.documents.input_value import InputValue
from resolvers.documents.variable_shape import LITERAL_LIMIT
from resolvers.ir import Arguments, OrderBy, Stream
from resolvers.walk.input_fields import enum_value, input_fields
from resolvers.walk.row_arguments import page_size
from resolvers.walk.walk import ArgumentValue, Walk
from resolvers.walk.where import boolean
from schema.model import TableName
from schema.table_types.meaning import Argument, OfColumn, meaning_of


@dataclass(frozen=True, slots=True)
class _Cursor:
    """The column that a stream goes by, the value that it begins after, and whether it goes down."""

    column: str
    since: Bound
    descends: bool


def stream_arguments(walk: Walk, given: Iterable[ArgumentValue], table: TableName, path: str) -> tuple[Arguments, Stream]:
    """Reads the arguments of a stream of `table`; `path` is the field's."""
    where: Expression = TRUE
    limit: int | Bound | None = None
    cursor: _Cursor | None = None
    for argument in given:
        inner: Any = get_named_type(argument.definition.type)
        match argument.meaning:
            case Argument("where"):
                where = boolean(walk, argument.value, inner, table)
            case Argument("batch_size"):
                # Hasura: any number that is not negative (`SubscriptionStream.hs`); of none at once nothing is ever told.
                limit = page_size(walk, argument.value)
            case Argument("cursor"):
                cursor = _cursor(walk, argument.value, inner, table, path)
    if cursor is None or limit is None:
        raise TypeError(f"a stream without its arguments: {path}")
    stream = _stream(walk, cursor, where, limit, table)
    after = _after(walk, cursor, stream, table, path)
    orders = (
        OrderBy("desc" if cursor.descends else "asc", cursor.column),
        *[OrderBy("asc", name, as_stored=True) for name in stream.columns[1:]],
    )
    return Arguments(conjunction([where, after]), orders, limit=limit), stream


def _cursor(walk: Walk, value: InputValue, type_: Any, table: TableName, path: str) -> _Cursor:
    """Hasura: the columns of all items together are one; for any other number its words, at the arguments."""
    given = [cursor for item in value.items(type_) if not item.is_null for cursor in _of_item(walk, item, type_, table)]
    if not given:
        raise GraphQLRefusal("validation-failed", "one streaming column field is expected", f"{path}.args")
    if len(given) > 1:
        raise GraphQLRefusal("validation-failed", "multiple column cursors are not supported yet", f"{path}.args")
    return given[0]


def _of_item(walk: Walk, item: InputValue, type_: Any, table: TableName) -> list[_Cursor]:
    initial: list[tuple[str, Bound]] | None = None
    descends = False
    for field, entry in input_fields(walk, item, type_):
        inner: Any = get_named_type(field.type)
        match meaning_of(field):
            case Argument("initial_value"):
                initial = _initial(walk, entry, inner, table)
            case Argument("ordering"):
                descends = enum_value(entry, inner) == "DESC"
    if initial is None:
        name = walk.catalog.naming.field("initial_value")
        raise GraphQLRefusal("validation-failed", f"missing required field '{name}'", f"{item.path}.{name}")
    return [_Cursor(*column, descends) for column in initial]


def _initial(walk: Walk, value: InputValue, type_: Any, table: TableName) -> list[tuple[str, Bound]]:
    if value.is_null:
        raise value.null(type_)
    return [_column(walk, field, entry, table) for field, entry in input_fields(walk, value, type_)]


def _column(walk: Walk, field: GraphQLInputField, entry: InputValue, table: TableName) -> tuple[str, Bound]:
    meaning = meaning_of(field)
    if not isinstance(meaning, OfColumn):
        raise TypeError(f"no column: {entry.path}")
    return meaning.column, walk.bound.value(entry, walk.catalog[table].columns[meaning.column].type)


def _stream(walk: Walk, cursor: _Cursor, where: Expression, limit: int | Bound, table: TableName) -> Stream:
    tracked = walk.catalog[table]
    since, most = walk.bound.binders[cursor.since.key], _most(limit, walk.rules.select[table].limit)
    numbering = tracked.numbering
    if numbering is None or numbering.column != cursor.column:
        ties = tuple(key for key in tracked.primary_key if key != cursor.column)
        return Stream((cursor.column, *ties), since, most)
    if _names_room(where, numbering.room):
        return Stream((cursor.column,), since, most)
    # Numbers of different rooms have no order among each other.
    return Stream((cursor.column, numbering.room), since, most, numbering.room)


def _most(limit: int | Bound, permitted: int | None) -> int:
    asked = limit if isinstance(limit, int) else LITERAL_LIMIT
    return asked if permitted is None else min(asked, permitted)


def _after(walk: Walk, cursor: _Cursor, stream: Stream, table: TableName, path: str) -> Expression:
    """Rows after the last one that was told. Rows of the same value come in the order of their primary key, so that no batch ends between
    them. Before the first batch there is no key, and what is compared with null is not true."""
    column, beyond = cursor.column, "_lt" if cursor.descends else "_gt"
    later = walk.compared(table, Compare(column, beyond, Progress(0)), path)
    if stream.room is not None:
        return And((later, BeyondItsRoom(column, beyond, stream.room, known=Progress(1), since=Progress(0))))
    if len(stream.columns) == 1:
        return later
    from_there = walk.compared(table, Compare(column, f"{beyond}e", Progress(0)), path)
    return And((from_there, Or((later, _later_key(stream.columns[1:], 1)))))


def _later_key(ties: Sequence[str], number: int) -> Expression:
    later = Compare(ties[0], "_gt", Progress(number))
    if len(ties) == 1:
        return later
    return Or((later, And((Compare(ties[0], "_eq", Progress(number)), _later_key(ties[1:], number + 1)))))


def _names_room(where: Expression, room: str) -> bool:
    """Whether the caller asks for the rows of one room."""
    match where:
        case Compare(column, "_eq", _, None):
            return column == room
        case And(terms):
            return any(_names_room(term, room) for term in terms)
    return False
