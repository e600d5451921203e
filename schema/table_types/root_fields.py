"""The root fields of each table, and the whole set of types of a catalog."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField

from schema.model import Catalog, TrackedTable
from schema.table_types.aggregate_types import define_aggregates
from schema.table_types.definitions import Definitions, argument, listed, output
from schema.table_types.enum_types import define_enum
from schema.table_types.function_types import function_fields
from schema.table_types.meaning import Argument, OfColumn, RootType, TableRoot
from schema.table_types.row_types import TableTypes
from schema.table_types.scalars import annotation
from schema.table_types.stream_types import define_cursor_ordering, define_stream, stream_arguments
from schema.table_types.write_types import define_writes


@dataclass(frozen=True, slots=True)
class CatalogTypes:
    """The types of all tables by name, and the root fields over them."""

    definitions: Definitions
    query: list[StrawberryField]
    mutation: list[StrawberryField]
    subscription: list[StrawberryField]


def catalog_types(catalog: Catalog) -> CatalogTypes:
    """Defines every type that the tables of a catalog can give any role."""
    definitions = Definitions(catalog.naming)
    types = TableTypes(catalog, definitions)
    define_cursor_ordering(definitions)
    for table in catalog:
        define_enum(definitions, table)
    for table in catalog:
        types.define(table)
        define_aggregates(definitions, table)
        define_writes(definitions, table)
        define_stream(definitions, table)
    functions = partial(function_fields, catalog, types, definitions)
    roots = [_RootFields(table, types, definitions) for table in catalog]
    return CatalogTypes(
        definitions,
        query=[field for root in roots for field in root.selects("query")] + [*functions("query")],
        mutation=[field for root in roots if root.table.writable for field in root.writes()] + [*functions("mutation")],
        subscription=[field for root in roots for field in (*root.selects("subscription"), root.stream())] + [*functions("subscription")],
    )


@dataclass(frozen=True, slots=True)
class _RootFields:
    table: TrackedTable
    types: TableTypes
    definitions: Definitions

    def _type(self, suffix: str = "") -> type:
        type_: type = self.definitions.of(self.table, suffix)
        return type_

    def selects(self, root: RootType) -> Iterator[StrawberryField]:
        table, names, arguments = self.table, self.table.root_fields, self.types.arguments(self.table)
        row, label = self._type(), f'"{self.table.name}"'
        yield output(
            names.select,
            listed(row),
            TableRoot("select", table.name, root),
            arguments=arguments,
            description=self._comment("select", f"fetch data from the table: {label}"),
        )
        meaning = TableRoot("select_aggregate", table.name, root)
        aggregate = self._type("aggregate")
        description = self._comment("select_aggregate", f"fetch aggregated fields from the table: {label}")
        yield output(names.select_aggregate, aggregate, meaning, arguments=arguments, description=description)
        if table.primary_key:
            meaning = TableRoot("select_by_pk", table.name, root)
            description = self._comment("select_by_pk", f"fetch data from the table: {label} using primary key columns")
            yield output(names.select_by_pk, row | None, meaning, arguments=self._primary_key(), description=description)

    def stream(self) -> StrawberryField:
        table = self.table
        return output(
            table.root_fields.select_stream,
            listed(self._type()),
            TableRoot("select_stream", table.name, "subscription"),
            arguments=stream_arguments(self.definitions, table),
            description=self._comment("select_stream", f'fetch data from the table in a streaming manner: "{table.name}"'),
        )

    def _primary_key(self) -> list[StrawberryArgument]:
        columns = [self.table.columns[name] for name in self.table.primary_key]
        return [argument(c.graphql_name, annotation(c.type), OfColumn(self.table.name, c.name), description=c.comment) for c in columns]

    def writes(self) -> Iterator[StrawberryField]:
        table, names, response, row = self.table, self.table.root_fields, self._type("mutation_response"), self._type()
        object_ = self._type("insert_input")
        objects = [argument("objects", listed(object_), Argument("objects"), description="the rows to be inserted")]
        one = [argument("object", object_, Argument("object"), description="the row to be inserted")]
        set_ = argument(
            self.definitions.naming.field("_set"),
            self._type("set_input") | None,
            Argument("set"),
            description="sets the columns of the filtered rows to the given values",
        )
        where = argument("where", self._type("bool_exp"), Argument("where"), description="filter the rows which have to be updated")
        label = f'the table: "{table.name}"'
        yield self._write("insert", names.insert, response | None, objects, f"insert data into {label}")
        yield self._write("insert_one", names.insert_one, row | None, one, f"insert a single row into {label}")
        yield self._write("update", names.update, response | None, [set_, where], f"update data of {label}")
        if table.primary_key:
            pk = argument(self.definitions.naming.field("pk_columns"), self._type("pk_columns_input"), Argument("pk_columns"))
            yield self._write("update_by_pk", names.update_by_pk, row | None, [set_, pk], f"update single row of {label}")
            yield self._write("delete_by_pk", names.delete_by_pk, row | None, self._primary_key(), f"delete single row from {label}")
        which = argument("where", self._type("bool_exp"), Argument("where"), description="filter the rows which have to be deleted")
        yield self._write("delete", names.delete, response | None, [which], f"delete data from {label}")

    def _write(self, kind: str, name: str, type_: object, arguments: list[StrawberryArgument], description: str) -> StrawberryField:
        meaning = TableRoot(kind, self.table.name, "mutation")  # type: ignore[arg-type]
        return output(name, type_, meaning, arguments=arguments, description=self._comment(kind, description))

    def _comment(self, kind: str, default: str) -> str | None:
        """The metadata's own description of a root field, otherwise the default one; an empty one is none."""
        return self.table.root_comments.get(kind, default) or None
