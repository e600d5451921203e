"""Updates and deletes, as IR: which rows, and what becomes of each column."""

from collections.abc import Iterable, Mapping
from typing import Any

from graphql import GraphQLField, GraphQLInputObjectType, get_named_type

from permissions.errors import GraphQLRefusal
from permissions.expressions import TRUE, Bound, Expression, conjunction
from resolvers.documents.collect import Selected
from resolvers.documents.input_value import InputValue
from resolvers.documents.limits import VALUE
from resolvers.ir import Assigned, DeleteRoot, UpdateManyRoot, UpdateRoot
from resolvers.walk.row_selection import response_parts, row_selection
from resolvers.walk.walk import ArgumentValue, Walk
from resolvers.walk.where import boolean
from resolvers.walk.writing.rows import equal, given_fields, primary_key
from schema.model import Column, PgType, TableName
from schema.table_types.meaning import Argument, Meaning, OfColumn, TableRoot, UpdateOperator, UpdateOperatorName

_TEXT, _INTEGER = PgType("text"), PgType("int4")
# What is given means, its input type, and its value.
Given = Iterable[tuple[Meaning | None, Any, InputValue]]


def update_root(walk: Walk, selected: Selected, field: GraphQLField, meaning: TableRoot, given: list[ArgumentValue]) -> UpdateRoot:
    arguments = [(a.meaning, get_named_type(a.definition.type), a.value) for a in given]
    where, values = _update(walk, arguments, meaning.table, f"{selected.path}.args")
    place = (selected.key, selected.path, meaning.kind, meaning.table, where, values)
    type_ = walk.object_type(field.type)
    if meaning.kind == "update_by_pk":
        return UpdateRoot(*place, row_selection(walk, type_, selected.sets, selected.path))
    return UpdateRoot(*place, response=response_parts(walk, type_, selected.sets, selected.path))


def update_many_root(walk: Walk, selected: Selected, field: GraphQLField, meaning: TableRoot, given: list[ArgumentValue]) -> UpdateManyRoot:
    """Each update is a statement of its own, and answers for itself."""
    (updates,) = given
    type_: Any = get_named_type(updates.definition.type)
    before = walk.budget.spent
    response = response_parts(walk, walk.object_type(field.type), selected.sets, selected.path)
    each = walk.costs.update(meaning.table) + walk.budget.spent - before
    roots: list[UpdateRoot] = []
    for item in updates.value.items(type_):
        walk.budget.spend(each if roots else VALUE, item.path)
        entries = [(kind, get_named_type(key.type), entry) for key, kind, entry in given_fields(walk, item, type_, "where")]
        where, values = _update(walk, entries, meaning.table, item.path)
        roots.append(UpdateRoot(selected.key, selected.path, "update", meaning.table, where, values, response=response))
    return UpdateManyRoot(selected.key, selected.path, tuple(roots))


def _update(walk: Walk, given: Given, table: TableName, path: str) -> tuple[Expression, Mapping[str, Assigned]]:
    where: Expression = TRUE
    found: list[tuple[str, Assigned]] = []
    for meaning, inner, value in given:
        match meaning:
            case Argument("where"):
                where = boolean(walk, value, inner, table)
            case Argument("pk_columns"):
                where = primary_key(walk, value, inner, table)
            case UpdateOperator(operator):
                found += _assigned(walk, operator, value, inner, table)
    return where, _once_each(walk, found, table, path)


def _once_each(walk: Walk, found: list[tuple[str, Assigned]], table: TableName, path: str) -> Mapping[str, Assigned]:
    named = [column for column, _ in found]
    repeated = [f"'{column}'" for column in walk.catalog[table].columns if named.count(column) > 1]
    if repeated:
        raise GraphQLRefusal("validation-failed", f"Column found in multiple operators: [{', '.join(repeated)}].", path)
    return dict(found)


def _assigned(
    walk: Walk, operator: UpdateOperatorName, value: InputValue, type_: GraphQLInputObjectType, table: TableName
) -> list[tuple[str, Assigned]]:
    walk.budget.spend(VALUE, value.path)
    assigned = []
    for _, meaning, entry in given_fields(walk, value, type_):
        if not isinstance(meaning, OfColumn):
            raise TypeError(f"no column: {entry.path}")
        column = walk.catalog[table].columns[meaning.column]
        assigned.append((column.name, Assigned(operator, _operand(walk, operator, entry, column))))
    return assigned


def _operand(walk: Walk, operator: UpdateOperatorName, value: InputValue, column: Column) -> Bound | None:
    match operator:
        case "_delete_at_path":
            return walk.bound.values(value, _TEXT)
        case "_delete_elem":
            return walk.bound.value(value, _INTEGER)
        case "_delete_key":
            return None if value.is_null else walk.bound.value(value, _TEXT)
    return None if value.is_null and column.nullable else walk.bound.value(value, column.type)


def delete_root(walk: Walk, selected: Selected, field: GraphQLField, meaning: TableRoot, given: list[ArgumentValue]) -> DeleteRoot:
    type_ = walk.object_type(field.type)
    if meaning.kind == "delete_by_pk":
        where = conjunction([equal(walk, argument.meaning, argument.value, meaning.table) for argument in given])
        selection = row_selection(walk, type_, selected.sets, selected.path)
        return DeleteRoot(selected.key, selected.path, meaning.kind, meaning.table, where, selection)
    inner: Any = get_named_type(given[0].definition.type)
    where = boolean(walk, given[0].value, inner, meaning.table)
    response = response_parts(walk, type_, selected.sets, selected.path)
    return DeleteRoot(selected.key, selected.path, meaning.kind, meaning.table, where, response=response)
