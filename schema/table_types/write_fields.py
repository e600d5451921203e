"""The root fields that write one table, with what they answer."""

from collections.abc import Iterator

from schema.model import Catalog, TrackedTable
from schema.table_types.definitions import Definitions, Element, argument, output, root_description
from schema.table_types.insert_types import define_inserts, insert_arguments
from schema.table_types.meaning import Argument, Part, TableRoot, WriteKind
from schema.table_types.scalars import INT
from schema.table_types.update_types import define_updates, update_arguments, where_argument
from schema.type_names import TypeReference


def define_writes(definitions: Definitions, catalog: Catalog, table: TrackedTable) -> None:
    """The types that its root fields take and answer."""
    define_inserts(definitions, catalog, table)
    define_updates(definitions, table)
    affected, returning = Part("affected_rows", table.name), Part("returning", table.name)
    affected_rows, rows = definitions.naming.field("affected_rows"), definitions.of(table).listed
    response = [
        output(affected_rows, INT, affected, description="number of rows affected by the mutation"),
        output("returning", rows, returning, description="data from the rows affected by the mutation"),
    ]
    name = definitions.naming.type_name(table.base, "mutation_response")
    definitions.object_type(name, response, description=f'response of any mutation on the table "{table.name}"')


def write_fields(definitions: Definitions, table: TrackedTable, primary_key: list[Element]) -> Iterator[Element]:
    """What PostgreSQL takes of inserts, updates and deletes; `primary_key` are its columns as arguments."""
    fields = _WriteFields(definitions, table, primary_key)
    if "insert" in table.writes:
        yield from fields.inserts()
    if "update" in table.writes:
        yield from fields.updates()
    if "delete" in table.writes:
        yield from fields.deletes()


class _WriteFields:
    def __init__(self, definitions: Definitions, table: TrackedTable, primary_key: list[Element]) -> None:
        self.definitions, self.table, self.primary_key = definitions, table, primary_key
        self.row, self.response = self._type(), self._type("mutation_response")
        self.label = f'the table: "{table.name}"'

    def _type(self, suffix: str = "") -> TypeReference:
        return self.definitions.of(self.table, suffix)

    def inserts(self) -> Iterator[Element]:
        object_, names = self._type("insert_input"), self.table.root_fields
        objects = argument("objects", object_.listed, Argument("objects"), description="the rows to be inserted")
        arguments = insert_arguments(self.definitions, self.table, objects)
        yield self._field("insert", names.insert, self.response | None, arguments, f"insert data into {self.label}")
        one = argument("object", object_, Argument("object"), description="the row to be inserted")
        arguments = insert_arguments(self.definitions, self.table, one)
        yield self._field("insert_one", names.insert_one, self.row | None, arguments, f"insert a single row into {self.label}")

    def updates(self) -> Iterator[Element]:
        names = self.table.root_fields
        arguments = update_arguments(self.definitions, self.table, where_argument(self.definitions, self.table))
        yield self._field("update", names.update, self.response | None, arguments, f"update data of {self.label}")
        if self.table.primary_key:
            pk = argument(self.definitions.naming.field("pk_columns"), self._type("pk_columns_input"), Argument("pk_columns"))
            arguments = update_arguments(self.definitions, self.table, pk)
            yield self._field("update_by_pk", names.update_by_pk, self.row | None, arguments, f"update single row of {self.label}")
        updates = argument("updates", self._type("updates").listed, Argument("updates"), description="updates to execute, in order")
        responses = (self.response | None).listed | None
        yield self._field("update_many", names.update_many, responses, [updates], f'update multiples rows of table: "{self.table.name}"')

    def deletes(self) -> Iterator[Element]:
        names = self.table.root_fields
        if self.table.primary_key:
            yield self._field("delete_by_pk", names.delete_by_pk, self.row | None, self.primary_key, f"delete single row from {self.label}")
        which = argument("where", self._type("bool_exp"), Argument("where"), description="filter the rows which have to be deleted")
        yield self._field("delete", names.delete, self.response | None, [which], f"delete data from {self.label}")

    def _field(self, kind: WriteKind, name: str, type_: TypeReference, arguments: list[Element], description: str) -> Element:
        meaning = TableRoot(kind, self.table.name, "mutation")
        return output(name, type_, meaning, arguments=arguments, description=root_description(self.table, kind, description))
