"""Inserts, as IR: rows, what is nested in them, and what happens on a conflict."""

from typing import Any

from graphql import GraphQLField, GraphQLInputObjectType, get_named_type

from permissions.errors import GraphQLRefusal
from permissions.expressions import TRUE, Expression
from resolvers.documents.collect import Selected
from resolvers.documents.input_value import InputValue
from resolvers.documents.limits import VALUE
from resolvers.ir import Conflict, InsertedRow, InsertedRows, InsertRoot, NestedRows, Written
from resolvers.walk.input_fields import enum_value
from resolvers.walk.row_selection import response_parts, row_selection
from resolvers.walk.walk import ArgumentValue, Walk
from resolvers.walk.where import boolean
from resolvers.walk.writing.rows import given_fields
from schema.model import Relationship, TableName
from schema.table_types.meaning import Argument, NestedInsert, OfColumn, OfConstraint, Placeholder, TableRoot

# Defaults and presets that cost as much as one value of the request.
UNSAID_VALUES = 8
# A row that follows its parent reads its key from the parent's row.
PARENTS_KEY = 10


def insert_root(walk: Walk, selected: Selected, field: GraphQLField, meaning: TableRoot, given: list[ArgumentValue]) -> InsertRoot:
    rows: tuple[InsertedRow, ...] = ()
    conflict: Conflict | None = None
    path = f"{selected.path}.args.{'object' if meaning.kind == 'insert_one' else 'objects'}"
    for argument in given:
        inner: Any = get_named_type(argument.definition.type)
        match argument.meaning:
            case Argument("objects"):
                rows = _rows(walk, argument.value, inner, meaning.table, path)
            case Argument("object"):
                rows = (_row(walk, argument.value, inner, meaning.table, f"{path}[0]"),)
            case Argument("on_conflict"):
                conflict = _conflict(walk, argument.value, inner, meaning.table)
    place = (selected.key, selected.path, meaning.kind, InsertedRows(meaning.table, path, rows, conflict))
    _spend_statements(walk, place[-1])
    type_ = walk.object_type(field.type)
    if meaning.kind == "insert_one":
        return InsertRoot(*place, row_selection(walk, type_, selected.sets, selected.path))
    return InsertRoot(*place, response=response_parts(walk, type_, selected.sets, selected.path))


def _spend_statements(walk: Walk, inserted: InsertedRows) -> None:
    """The first is the root field's; each more costs what that does."""
    if inserted.are_nested:
        for _ in inserted.rows[1:]:
            walk.budget.spend(walk.costs.insert(inserted.table), inserted.path)


def _rows(walk: Walk, value: InputValue, type_: GraphQLInputObjectType, table: TableName, path: str) -> tuple[InsertedRow, ...]:
    rows = tuple(_row(walk, item, type_, table, f"{path}[{index}]") for index, item in enumerate(value.items(type_)))
    # One INSERT has a value for each column that any of its rows names, and for each preset.
    named = {name for row in rows for name in row.columns} | walk.rules.insert[table].presets.keys()
    unsaid = len(named) * len(rows) - sum(len(row.columns) for row in rows)
    walk.budget.spend(max(0, unsaid) // UNSAID_VALUES, path)
    return rows


def _row(walk: Walk, value: InputValue, type_: GraphQLInputObjectType, table: TableName, path: str) -> InsertedRow:
    """Null is written where a column may be null, absent is not; a relationship that is null is absent, as in Hasura.

    `path` is the row's in Hasura's errors.
    """
    if value.is_null:
        raise value.null(type_)
    walk.budget.spend(VALUE, value.path)
    columns: dict[str, Written] = {}
    nested: list[tuple[Relationship, NestedRows]] = []
    for field, meaning, entry in given_fields(walk, value, type_):
        match meaning:
            case OfColumn(_, name):
                column = walk.catalog[table].columns[name]
                columns[name] = None if entry.is_null and column.nullable else walk.bound.value(entry, column.type)
            case NestedInsert(_, name):
                relationship = walk.catalog[table].relationships[name]
                inner: Any = get_named_type(field.type)
                rows = None if entry.is_null else _nested(walk, entry, inner, relationship, f"{path}.{name}")
                if rows is not None:
                    nested.append((relationship, rows))
            case _:
                raise TypeError(f"no column: {entry.path}")
    # Hasura reads them in an order of its own, whatever the request's: rows of siblings that lead to each other want the same one.
    nested.sort(key=lambda one: one[0].name)
    before = tuple(rows for relationship, rows in nested if not relationship.after_parent)
    after = tuple(rows for relationship, rows in nested if relationship.after_parent)
    return InsertedRow(columns, before, after)


def _nested(walk: Walk, value: InputValue, type_: GraphQLInputObjectType, relationship: Relationship, path: str) -> NestedRows | None:
    """Hasura: an empty list of rows is none at all, whatever its `on_conflict` says."""
    table, rows, conflict = relationship.target, tuple[InsertedRow, ...](), None
    with walk.budget.deeper(value.path):
        walk.budget.spend(walk.costs.insert(table), value.path)
        for field, meaning, entry in given_fields(walk, value, type_, "data"):
            inner: Any = get_named_type(field.type)
            match meaning:
                case Argument("data") if entry.is_null:
                    raise entry.null(field.type)
                case Argument("data") if relationship.kind == "object":
                    rows = (_row(walk, entry, inner, table, _path_of_one(relationship, path)),)
                case Argument("data"):
                    rows = _rows(walk, entry, inner, table, f"{path}.data")
                case Argument("on_conflict"):
                    conflict = _conflict(walk, entry, inner, table)
    inserted = InsertedRows(table, f"{path}.data", rows, conflict)
    if relationship.after_parent:
        walk.budget.spend(PARENTS_KEY * len(rows), inserted.path)
    _spend_statements(walk, inserted)
    return NestedRows(relationship.name, path, inserted) if rows else None


def _path_of_one(relationship: Relationship, path: str) -> str:
    """Hasura inserts an object that comes after its parent as a list of one."""
    return f"{path}.data[0]" if relationship.after_parent else f"{path}.data"


def _conflict(walk: Walk, value: InputValue, type_: GraphQLInputObjectType, table: TableName) -> Conflict:
    constraint, columns = "", tuple[str, ...]()
    where: Expression = TRUE
    for field, meaning, entry in given_fields(walk, value, type_, "constraint"):
        inner: Any = get_named_type(field.type)
        match meaning:
            case Argument("constraint"):
                named = enum_value(entry, inner)
                constraint = named.name if isinstance(named, OfConstraint) else ""
            case Argument("update_columns"):
                columns = _update_columns(entry, inner, value.path)
            case Argument("where"):
                where = boolean(walk, entry, inner, table)
    if not columns:
        # Hasura: nothing is updated, whatever the condition.
        return Conflict(constraint)
    walk.budget.spend(walk.costs.update(table), value.path)
    return Conflict(constraint, columns, where)


def _update_columns(value: InputValue, type_: Any, path: str) -> tuple[str, ...]:
    if value.is_null:
        raise GraphQLRefusal("validation-failed", "expected a list, but found null", value.path)
    chosen = [enum_value(item, type_) for item in value.items(type_)]
    if any(isinstance(each, Placeholder) for each in chosen):
        raise GraphQLRefusal("validation-failed", "erroneous column name", path)
    return tuple(dict.fromkeys(each.column for each in chosen))
