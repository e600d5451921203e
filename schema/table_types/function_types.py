"""The root fields of tracked functions."""

from collections.abc import Iterator

from schema.model import Catalog, TrackedFunction, TrackedTable
from schema.table_types.definitions import Definitions, Element, output
from schema.table_types.function_arguments import function_arguments
from schema.table_types.meaning import RootType, TableRoot
from schema.table_types.row_types import TableTypes


def function_fields(catalog: Catalog, types: TableTypes, definitions: Definitions, root: RootType) -> Iterator[Element]:
    """The root fields of functions. A subscription looks again and again, so that none is on what may write."""
    for tracked in catalog.functions.values():
        if root == "mutation" and tracked.exposed_as == "mutation":
            yield _rows(catalog, types, definitions, tracked, root)
        elif tracked.exposed_as == "query" and (root == "query" or (root == "subscription" and not tracked.function.is_volatile)):
            yield _rows(catalog, types, definitions, tracked, root)
            yield _aggregate(catalog, types, definitions, tracked, root)


def _rows(catalog: Catalog, types: TableTypes, definitions: Definitions, tracked: TrackedFunction, root: RootType) -> Element:
    table, function = catalog[tracked.function.table], tracked.function
    row = definitions.of(table)
    # Hasura: one row may be none.
    type_, kind = (row.listed, "select") if function.returns_set else (row | None, "select_by_pk")
    meaning = TableRoot(kind, table.name, root, function.name)  # type: ignore[arg-type]
    arguments = _root_arguments(types, definitions, tracked, tracked.root_field, table)
    return output(tracked.root_field, type_, meaning, arguments=arguments, description=tracked.description)


def _aggregate(catalog: Catalog, types: TableTypes, definitions: Definitions, tracked: TrackedFunction, root: RootType) -> Element:
    table, name = catalog[tracked.function.table], tracked.aggregate_field or ""
    arguments = _root_arguments(types, definitions, tracked, name, table)
    meaning = TableRoot("select_aggregate", table.name, root, tracked.function.name)
    label = f'execute function "{tracked.function.name}" and query aggregates on result of table type "{table.name}"'
    return output(name, definitions.of(table, "aggregate"), meaning, arguments=arguments, description=label)


def _root_arguments(types: TableTypes, definitions: Definitions, tracked: TrackedFunction, name: str, table: TrackedTable) -> list[Element]:
    label = f'input parameters for function "{name}"'
    return [*function_arguments(definitions, tracked.function, tracked.args_type, label), *types.arguments(table)]
