"""Root fields over tables, as IR."""

from collections.abc import Mapping
from typing import Any

from graphql import GraphQLField, GraphQLInputObjectType, get_named_type

from permissions.errors import GraphQLRefusal
from permissions.expressions import TRUE, Compare, Expression, conjunction
from resolvers.documents.collect import Selected
from resolvers.documents.input_value import InputValue
from resolvers.documents.limits import VALUE
from resolvers.ir import AggregatePart, Arguments, DeleteRoot, InsertRoot, SelectRoot, Stream, TableRootField, UpdateRoot, Written
from resolvers.walk.function_arguments import function_call
from resolvers.walk.row_arguments import rows_arguments
from resolvers.walk.row_selection import aggregate_parts, response_parts, row_selection
from resolvers.walk.rule_costs import CALL
from resolvers.walk.stream_arguments import stream_arguments
from resolvers.walk.walk import ArgumentValue, Walk
from resolvers.walk.where import boolean, input_fields
from schema.model import SqlFunction, TableName
from schema.table_types.meaning import Argument, OfColumn, TableRoot, meaning_of


def table_root(walk: Walk, selected: Selected, field: GraphQLField, meaning: TableRoot) -> TableRootField:
    """A root field that reads or writes a table."""
    given = walk.arguments(selected, field)
    if meaning.function is not None:
        return function_root(walk, selected, field, meaning, given)
    if meaning.kind in ("insert", "insert_one"):
        return _insert(walk, selected, field, meaning, given)
    if meaning.kind in ("update", "update_by_pk"):
        return _update(walk, selected, field, meaning, given)
    if meaning.kind in ("delete", "delete_by_pk"):
        return _delete(walk, selected, field, meaning, given)
    return _select(walk, selected, field, meaning, given)


def _select(walk: Walk, selected: Selected, field: GraphQLField, meaning: TableRoot, given: list[ArgumentValue]) -> SelectRoot:
    type_, place, table = walk.object_type(field.type), (selected.key, selected.path, meaning.kind, meaning.table), meaning.table
    if meaning.kind == "select_aggregate":
        parts, arguments = _aggregate(walk, selected, field, table, given)
        return SelectRoot(*place, arguments, parts=parts)
    stream: Stream | None = None
    if meaning.kind == "select_stream":
        arguments, stream = stream_arguments(walk, given, table, selected.path)
    elif meaning.kind == "select_by_pk":
        arguments = Arguments(where=conjunction([_equal(walk, argument.meaning, argument.value, table) for argument in given]))
    else:
        arguments = rows_arguments(walk, given, table, selected.path)
    return SelectRoot(*place, arguments, row_selection(walk, type_, selected.sets, selected.path), stream=stream)


def _aggregate(
    walk: Walk, selected: Selected, field: GraphQLField, table: TableName, given: list[ArgumentValue]
) -> tuple[tuple[AggregatePart, ...], Arguments]:
    parts = aggregate_parts(walk, walk.object_type(field.type), selected.sets, selected.path)
    before = walk.budget.spent
    arguments = rows_arguments(walk, given, table, selected.path)
    walk.again(len(parts) - 1, table, walk.budget.spent - before, selected.path)
    return parts, arguments


def function_root(walk: Walk, selected: Selected, field: GraphQLField, meaning: TableRoot, given: list[ArgumentValue]) -> SelectRoot:
    """A root field over the rows that a tracked function returns."""
    function = _function(walk, meaning)
    call = function_call(walk, given, function, selected.path)
    place = (selected.key, selected.path, meaning.kind, meaning.table)
    if meaning.kind == "select_aggregate":
        parts, arguments = _aggregate(walk, selected, field, meaning.table, given)
        walk.budget.spend(CALL * max(0, len(parts) - 1), selected.path)
        return SelectRoot(*place, arguments, parts=parts, function=function, given=call)
    arguments = rows_arguments(walk, given, meaning.table, selected.path)
    selection = row_selection(walk, walk.object_type(field.type), selected.sets, selected.path)
    return SelectRoot(*place, arguments, selection, function=function, given=call)


def _function(walk: Walk, meaning: TableRoot) -> SqlFunction:
    if meaning.function is None:
        raise TypeError(f"no function: {meaning}")
    return walk.catalog.functions[meaning.function].function


def _equal(walk: Walk, meaning: Any, value: InputValue, table: TableName) -> Expression:
    if not isinstance(meaning, OfColumn):
        raise TypeError(f"no key column: {value.path}")
    column = walk.catalog[table].columns[meaning.column]
    return walk.compared(table, Compare(column.name, "_eq", walk.bound.value(value, column.type)), value.path)


def _insert(walk: Walk, selected: Selected, field: GraphQLField, meaning: TableRoot, given: list[ArgumentValue]) -> InsertRoot:
    rows: list[Mapping[str, Written]] = []
    for argument in given:
        inner: Any = get_named_type(argument.definition.type)
        match argument.meaning:
            case Argument("objects"):
                rows = [_written(walk, item, inner, meaning.table) for item in argument.value.items(inner)]
            case Argument("object"):
                rows = [_written(walk, argument.value, inner, meaning.table)]
    place = (selected.key, selected.path, meaning.kind, meaning.table)
    type_ = walk.object_type(field.type)
    if meaning.kind == "insert_one":
        return InsertRoot(*place, tuple(rows), row_selection(walk, type_, selected.sets, selected.path))
    return InsertRoot(*place, tuple(rows), response=response_parts(walk, type_, selected.sets, selected.path))


def _written(walk: Walk, value: InputValue, type_: GraphQLInputObjectType, table: TableName) -> dict[str, Written]:
    """The columns of an input object; null is written, absent is not."""
    if value.is_null:
        raise value.null(type_.name)
    walk.budget.spend(VALUE, value.path)
    columns: dict[str, Written] = {}
    for field, entry in input_fields(walk, value, type_):
        meaning = meaning_of(field)
        if not isinstance(meaning, OfColumn):
            raise TypeError(f"no column: {entry.path}")
        column = walk.catalog[table].columns[meaning.column]
        columns[column.name] = None if entry.is_null else walk.bound.value(entry, column.type)
    return columns


def _update(walk: Walk, selected: Selected, field: GraphQLField, meaning: TableRoot, given: list[ArgumentValue]) -> UpdateRoot:
    where: Expression = TRUE
    values: Mapping[str, Written] = {}
    for argument in given:
        inner: Any = get_named_type(argument.definition.type)
        match argument.meaning:
            case Argument("where"):
                where = boolean(walk, argument.value, inner, meaning.table)
            case Argument("pk_columns"):
                where = _primary_key(walk, argument.value, inner, meaning.table)
            case Argument("set"):
                values = _written(walk, argument.value, inner, meaning.table)
    place = (selected.key, selected.path, meaning.kind, meaning.table, where, values)
    type_ = walk.object_type(field.type)
    if meaning.kind == "update_by_pk":
        return UpdateRoot(*place, row_selection(walk, type_, selected.sets, selected.path))
    return UpdateRoot(*place, response=response_parts(walk, type_, selected.sets, selected.path))


def _delete(walk: Walk, selected: Selected, field: GraphQLField, meaning: TableRoot, given: list[ArgumentValue]) -> DeleteRoot:
    type_ = walk.object_type(field.type)
    if meaning.kind == "delete_by_pk":
        where = conjunction([_equal(walk, argument.meaning, argument.value, meaning.table) for argument in given])
        selection = row_selection(walk, type_, selected.sets, selected.path)
        return DeleteRoot(selected.key, selected.path, meaning.kind, meaning.table, where, selection)
    inner: Any = get_named_type(given[0].definition.type)
    where = boolean(walk, given[0].value, inner, meaning.table)
    response = response_parts(walk, type_, selected.sets, selected.path)
    return DeleteRoot(selected.key, selected.path, meaning.kind, meaning.table, where, response=response)


def _primary_key(walk: Walk, value: InputValue, type_: GraphQLInputObjectType, table: TableName) -> Expression:
    given = value.entries(type_.name)
    for name in type_.fields:
        if name not in given:
            raise GraphQLRefusal("validation-failed", f"missing required field '{name}'", value.path)
    return conjunction([_equal(walk, meaning_of(field), entry, table) for field, entry in input_fields(walk, value, type_)])
