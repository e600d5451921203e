"""Root fields over tables, as IR."""

from graphql import GraphQLField

from permissions.expressions import conjunction
from resolvers.documents.collect import Selected
from resolvers.ir import AggregatePart, Arguments, SelectRoot, Stream, TableRootField
from resolvers.walk.function_arguments import function_call
from resolvers.walk.row_arguments import rows_arguments
from resolvers.walk.row_selection import aggregate_parts, row_selection
from resolvers.walk.rule_costs import CALL
from resolvers.walk.stream_arguments import stream_arguments
from resolvers.walk.walk import ArgumentValue, Walk
from resolvers.walk.writing.inserts import insert_root
from resolvers.walk.writing.rows import equal
from resolvers.walk.writing.updates import delete_root, update_many_root, update_root
from schema.model import SqlFunction, TableName
from schema.table_types.meaning import TableRoot


def table_root(walk: Walk, selected: Selected, field: GraphQLField, meaning: TableRoot) -> TableRootField:
    """A root field that reads or writes a table."""
    given = walk.arguments(selected, field)
    if meaning.function is not None:
        return function_root(walk, selected, field, meaning, given)
    match meaning.kind:
        case "insert" | "insert_one":
            return insert_root(walk, selected, field, meaning, given)
        case "update" | "update_by_pk":
            return update_root(walk, selected, field, meaning, given)
        case "update_many":
            return update_many_root(walk, selected, field, meaning, given)
        case "delete" | "delete_by_pk":
            return delete_root(walk, selected, field, meaning, given)
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
        arguments = Arguments(where=conjunction([equal(walk, argument.meaning, argument.value, table) for argument in given]))
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
