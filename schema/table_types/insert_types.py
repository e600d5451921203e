"""The GraphQL types that inserting into one table needs: the row with what is nested in it, and what happens on a conflict."""

from collections.abc import Iterator
from functools import partial

from graphql import GraphQLEnumValue

from schema.model import Catalog, TrackedTable
from schema.table_types.definitions import Definitions, Element, argument, key
from schema.table_types.meaning import Argument, NestedInsert, OfColumn, OfConstraint, Placeholder

# Hasura: an enum without a value has a placeholder, so that an empty list of it can be given.
_EMPTY = {"_PLACEHOLDER": GraphQLEnumValue(Placeholder(), description="placeholder (do not use)")}


def define_inserts(definitions: Definitions, catalog: Catalog, table: TrackedTable) -> None:
    named = partial(definitions.naming.type_name, table.base)
    row = definitions.input(
        named("insert_input"), _row(definitions, catalog, table), description=f'input type for inserting data into table "{table.name}"'
    )
    conflict = list(_on_conflict_key(definitions, table))
    one, many = key("data", row, Argument("data")), key("data", row.listed, Argument("data"))
    definitions.input(
        named("obj_rel_insert_input"),
        [one, *conflict],
        description=f'input type for inserting object relation for remote table "{table.name}"',
    )
    definitions.input(
        named("arr_rel_insert_input"),
        [many, *conflict],
        description=f'input type for inserting array relation for remote table "{table.name}"',
    )
    if table.constraints:
        _define_on_conflict(definitions, table)


def insert_arguments(definitions: Definitions, table: TrackedTable, rows: Element) -> list[Element]:
    """What an insert takes; Hasura: without a unique constraint there can be no conflict."""
    if not table.constraints:
        return [rows]
    conflict = definitions.of(table, "on_conflict")
    return [
        rows,
        argument(definitions.naming.field("on_conflict"), conflict | None, Argument("on_conflict"), description="upsert condition"),
    ]


def _row(definitions: Definitions, catalog: Catalog, table: TrackedTable) -> Iterator[Element]:
    for column in table.columns.values():
        yield key(column.graphql_name, definitions.value(column.type) | None, OfColumn(table.name, column.name, "insert"))
    for relationship in table.relationships.values():
        target = catalog[relationship.target]
        if "insert" in target.writes:
            kind = "obj" if relationship.kind == "object" else "arr"
            type_ = definitions.of(target, f"{kind}_rel_insert_input")
            yield key(relationship.name, type_ | None, NestedInsert(table.name, relationship.name))


def _on_conflict_key(definitions: Definitions, table: TrackedTable) -> Iterator[Element]:
    if table.constraints:
        conflict = definitions.of(table, "on_conflict")
        yield key(definitions.naming.field("on_conflict"), conflict | None, Argument("on_conflict"), description="upsert condition")


def _define_on_conflict(definitions: Definitions, table: TrackedTable) -> None:
    named = partial(definitions.naming.type_name, table.base)
    constraints = [(constraint, OfConstraint(table.name, constraint)) for constraint in table.constraints]
    definitions.enum(
        named("constraint"),
        constraints,
        description=f'unique or primary key constraints on table "{table.name}"',
        describe=lambda constraint: f"unique or primary key constraint on columns {_quoted(table.constraints[constraint.name])}",
    )
    columns = [(column.graphql_name, OfColumn(table.name, column.name, "update")) for column in table.columns.values()]
    definitions.enum(
        named("update_column"),
        columns,
        description=f'update columns of table "{table.name}"',
        describe=lambda _: "column name",
        empty=_EMPTY,
    )
    fields = [
        key("constraint", definitions.of(table, "constraint"), Argument("constraint")),
        key("update_columns", definitions.of(table, "update_column").listed, Argument("update_columns"), default=[]),
        key("where", definitions.of(table, "bool_exp") | None, Argument("where")),
    ]
    definitions.input(named("on_conflict"), fields, description=f'on_conflict condition type for table "{table.name}"')


def _quoted(columns: tuple[str, ...]) -> str:
    return ", ".join(f'"{column}"' for column in columns)
