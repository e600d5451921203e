"""The root fields of each table, and the whole set of types of a catalog."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from graphql import GraphQLField, GraphQLNamedType

from schema.model import Catalog, TrackedTable
from schema.naming import NAMESPACES
from schema.table_types.aggregate_types import define_aggregates
from schema.table_types.comparison_types import define_aggregate_predicates
from schema.table_types.definitions import Definitions, Element, argument, output, root_description
from schema.table_types.enum_types import define_enum, enum_scalars
from schema.table_types.function_types import function_fields
from schema.table_types.meaning import OfColumn, RootNamespace, RootType, TableRoot
from schema.table_types.row_types import TableTypes
from schema.table_types.stream_types import define_cursor_ordering, define_stream, stream_arguments
from schema.table_types.write_fields import define_writes, write_fields
from schema.type_names import TypeReference


@dataclass(frozen=True, slots=True)
class CatalogTypes:
    """The types of all tables by name, and the root fields over them, or the namespaces in which these stand."""

    types: dict[str, GraphQLNamedType]
    query: dict[str, GraphQLField]
    mutation: dict[str, GraphQLField]
    subscription: dict[str, GraphQLField]


def catalog_types(catalog: Catalog) -> CatalogTypes:
    """Defines every type that the tables of a catalog can give any role."""
    definitions = Definitions(catalog.naming, enum_scalars(catalog))
    types = TableTypes(catalog, definitions)
    define_cursor_ordering(definitions)
    for table in catalog:
        define_enum(definitions, table)
    for table in catalog:
        types.define(table)
        define_aggregates(definitions, table)
        define_aggregate_predicates(definitions, table)
        define_writes(definitions, catalog, table)
        define_stream(definitions, table)
    functions = partial(function_fields, catalog, types, definitions)
    roots = [_RootFields(table, types, definitions) for table in catalog]
    reads = [field for root in roots for field in root.selects("query")]
    writes = [field for root in roots for field in root.writes()]
    followed = [field for root in roots for field in (*root.selects("subscription"), root.stream())]
    query = _in_namespace(definitions, "query", [*reads, *functions("query")])
    mutation = _in_namespace(definitions, "mutation", [*writes, *functions("mutation")])
    subscription = _in_namespace(definitions, "subscription", [*followed, *functions("subscription")])
    definitions.complete()
    query_fields, mutation_fields, subscription_fields = (definitions.fields(members) for members in (query, mutation, subscription))
    return CatalogTypes(definitions.types(), query_fields, mutation_fields, subscription_fields)


def _in_namespace(definitions: Definitions, root: RootType, fields: Sequence[Element]) -> Sequence[Element]:
    """What stands at the top for these root fields. Hasura: `customizeNamespace`, a field that may be null, without a description."""
    naming = definitions.naming
    if naming.namespace is None or not fields:
        return fields
    type_ = definitions.object_type(naming.namespace_type(NAMESPACES[root]), fields)
    return [output(naming.namespace, type_ | None, RootNamespace())]


@dataclass(frozen=True, slots=True)
class _RootFields:
    table: TrackedTable
    types: TableTypes
    definitions: Definitions

    def _type(self, suffix: str = "") -> TypeReference:
        return self.definitions.of(self.table, suffix)

    def selects(self, root: RootType) -> Iterator[Element]:
        table, names, arguments = self.table, self.table.root_fields, self.types.arguments(self.table)
        row, label = self._type(), f'"{self.table.name}"'
        yield output(
            names.select,
            row.listed,
            TableRoot("select", table.name, root),
            arguments=arguments,
            description=root_description(table, "select", f"fetch data from the table: {label}"),
        )
        meaning = TableRoot("select_aggregate", table.name, root)
        aggregate = self._type("aggregate")
        description = root_description(table, "select_aggregate", f"fetch aggregated fields from the table: {label}")
        yield output(names.select_aggregate, aggregate, meaning, arguments=arguments, description=description)
        if table.primary_key:
            meaning = TableRoot("select_by_pk", table.name, root)
            description = root_description(table, "select_by_pk", f"fetch data from the table: {label} using primary key columns")
            yield output(names.select_by_pk, row | None, meaning, arguments=self._primary_key(), description=description)

    def stream(self) -> Element:
        table = self.table
        return output(
            table.root_fields.select_stream,
            self._type().listed,
            TableRoot("select_stream", table.name, "subscription"),
            arguments=stream_arguments(self.definitions, table),
            description=root_description(table, "select_stream", f'fetch data from the table in a streaming manner: "{table.name}"'),
        )

    def _primary_key(self) -> list[Element]:
        columns, value = [self.table.columns[name] for name in self.table.primary_key], self.definitions.value
        return [argument(c.graphql_name, value(c.type), OfColumn(self.table.name, c.name), description=c.comment) for c in columns]

    def writes(self) -> Iterator[Element]:
        return write_fields(self.definitions, self.table, self._primary_key())
