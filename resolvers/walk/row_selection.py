"""Selections below a row, an aggregate or a mutation response, as IR."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from graphql import GraphQLField, GraphQLObjectType, SelectionSetNode

from resolvers.documents.collect import Selected
from resolvers.ir import (
    AffectedRows,
    AggregateNodes,
    AggregatePart,
    AggregateValues,
    ColumnField,
    ComputedFieldValue,
    ComputedRows,
    Count,
    FunctionValues,
    RelatedAggregate,
    RelatedRow,
    RelatedRows,
    ResponsePart,
    Returning,
    RowField,
    Selection,
    Typename,
)
from resolvers.walk.function_arguments import function_call, json_path
from resolvers.walk.input_fields import column_names
from resolvers.walk.row_arguments import rows_arguments
from resolvers.walk.walk import Walk
from schema.model import ComputedField
from schema.table_types.meaning import (
    AggregateFunction,
    Argument,
    OfColumn,
    OfComputedField,
    OfRelationship,
    OfRelationshipAggregate,
    Part,
    meaning_of,
)

T = TypeVar("T")
Sets = Iterable[SelectionSetNode]


def _each(
    walk: Walk, type_: GraphQLObjectType, sets: Sets, path: str, read: Callable[[Selected, GraphQLField], T]
) -> tuple[T | Typename, ...]:
    fields = walk.collect(type_, sets, path)
    return tuple(Typename(selected.key, type_.name) if field is None else read(selected, field) for selected, field in fields)


def row_selection(walk: Walk, type_: GraphQLObjectType, sets: Sets, path: str, depth: int = 0) -> Selection:
    """The fields of a row."""
    return _each(walk, type_, sets, path, lambda selected, field: _row_field(walk, selected, field, depth))


def _row_field(walk: Walk, selected: Selected, field: GraphQLField, depth: int) -> RowField:
    type_ = walk.object_type(field.type)
    match meaning_of(field):
        case OfColumn(table, column):
            walk.cell(table, column, selected.path)
            return ColumnField(selected.key, column, json_path(walk, walk.arguments(selected, field), selected.path))
        case OfComputedField(table, name):
            walk.computed_cell(table, name, selected.path)
            return _computed(walk, selected, field, walk.catalog[table].computed_fields[name], depth)
        case OfRelationship(table, name):
            relationship = walk.catalog[table].relationships[name]
            depth = walk.deeper(depth, relationship.target, selected.path)
            selection = row_selection(walk, type_, selected.sets, selected.path, depth)
            if relationship.kind == "object":
                return RelatedRow(selected.key, name, selection)
            arguments = rows_arguments(walk, walk.arguments(selected, field), relationship.target, selected.path)
            return RelatedRows(selected.key, name, arguments, selection)
        case OfRelationshipAggregate(table, name):
            target = walk.catalog[table].relationships[name].target
            depth = walk.deeper(depth, target, selected.path)
            before = walk.budget.spent
            arguments = rows_arguments(walk, walk.arguments(selected, field), target, selected.path)
            asked = walk.budget.spent - before
            parts = aggregate_parts(walk, type_, selected.sets, selected.path, depth)
            walk.again(len(parts) - 1, target, asked, selected.path)
            return RelatedAggregate(selected.key, name, arguments, parts)
    raise TypeError(f"no field of a row: {selected.path}")


def _computed(walk: Walk, selected: Selected, field: GraphQLField, computed: ComputedField, depth: int) -> RowField:
    given, function = walk.arguments(selected, field), computed.function
    call = function_call(walk, given, function, selected.path)
    if computed.type is not None:
        return ComputedFieldValue(selected.key, computed.name, call, json_path(walk, given, selected.path))
    depth = walk.deeper(depth, function.table, selected.path)
    arguments = rows_arguments(walk, given, function.table, selected.path)
    selection = row_selection(walk, walk.object_type(field.type), selected.sets, selected.path, depth)
    return ComputedRows(selected.key, computed.name, call, arguments, selection)


def aggregate_parts(walk: Walk, type_: GraphQLObjectType, sets: Sets, path: str, depth: int = 0) -> tuple[AggregatePart, ...]:
    """`aggregate` and `nodes` of a `t_aggregate`."""

    def read(selected: Selected, field: GraphQLField) -> AggregatePart:
        inner = walk.object_type(field.type)
        if isinstance(part := meaning_of(field), Part) and part.kind == "nodes":
            return AggregateNodes(selected.key, row_selection(walk, inner, selected.sets, selected.path, depth))
        return AggregateValues(selected.key, _each(walk, inner, selected.sets, selected.path, lambda s, f: _aggregate_value(walk, s, f)))

    return _each(walk, type_, sets, path, read)


def _aggregate_value(walk: Walk, selected: Selected, field: GraphQLField) -> Count | FunctionValues:
    match meaning_of(field):
        case Part("count", _):
            return _count(walk, selected, field)
        case AggregateFunction(function):
            inner = walk.object_type(field.type)
            return FunctionValues(selected.key, function, _each(walk, inner, selected.sets, selected.path, lambda s, f: _value(walk, s, f)))
    raise TypeError(f"no aggregate: {selected.path}")


def _value(walk: Walk, selected: Selected, field: GraphQLField) -> ColumnField | ComputedFieldValue:
    match meaning_of(field):
        case OfColumn(table, column):
            walk.cell(table, column, selected.path)
            return ColumnField(selected.key, column)
        case OfComputedField(table, name):
            walk.computed_cell(table, name, selected.path)
            function = walk.catalog[table].computed_fields[name].function
            return ComputedFieldValue(selected.key, name, function_call(walk, walk.arguments(selected, field), function, selected.path))
    raise TypeError(f"no column: {selected.path}")


def _count(walk: Walk, selected: Selected, field: GraphQLField) -> Count:
    columns: tuple[str, ...] = ()
    distinct = False
    for argument in walk.arguments(selected, field):
        match argument.meaning:
            case Argument("columns"):
                columns = column_names(walk, argument.value, walk.named(argument.definition.type))
            case Argument("distinct"):
                flag = argument.value.pinned()
                if not isinstance(flag, bool):
                    raise argument.value.expected("a boolean", "Boolean")
                distinct = flag
    return Count(selected.key, columns, distinct)


def response_parts(walk: Walk, type_: GraphQLObjectType, sets: Sets, path: str) -> tuple[ResponsePart, ...]:
    """`affected_rows` and `returning` of a mutation response."""

    def read(selected: Selected, field: GraphQLField) -> ResponsePart:
        if isinstance(part := meaning_of(field), Part) and part.kind == "affected_rows":
            return AffectedRows(selected.key)
        return Returning(selected.key, row_selection(walk, walk.object_type(field.type), selected.sets, selected.path))

    return _each(walk, type_, sets, path, read)
