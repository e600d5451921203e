"""The GraphQL types that updating one table needs: an input for each operator, the key, and many updates at once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from schema.model import Column, PgType, TrackedTable
from schema.table_types.definitions import Definitions, Element, argument, key
from schema.table_types.meaning import Argument, OfColumn, UpdateOperator, UpdateOperatorName
from schema.table_types.scalars import INT, NUMERIC, STRING
from schema.type_names import TypeReference

_WHERE = "filter the rows which have to be updated"
_SET = "sets the columns of the filtered rows to the given values"
_INC = "increments the numeric columns with given value of the filtered values"
_APPEND = "append existing jsonb value of filtered columns with new jsonb value"
_PREPEND = "prepend existing jsonb value of filtered columns with new jsonb value"
_DELETE_KEY = "delete key/value pair or string element. key/value pairs are matched based on their key value"
_DELETE_ELEM = (
    "delete the array element with specified index (negative integers count from the end)."
    " throws an error if top level container is not an array"
)
_DELETE_AT_PATH = "delete the field or element with specified path (for JSON arrays, negative integers count from the end)"


def _any(_: PgType) -> bool:
    return True


def _is_number(type_: PgType) -> bool:
    return type_.name in NUMERIC and not type_.is_array


def _is_jsonb(type_: PgType) -> bool:
    return type_.name == "jsonb" and not type_.is_array


def _own_type(definitions: Definitions, column: Column) -> TypeReference:
    return definitions.value(column.type)


@dataclass(frozen=True, slots=True)
class _Operator:
    """`takes` says which columns it works on, `value` what is given for one; `described` is the input, otherwise like the argument."""

    name: UpdateOperatorName
    description: str
    takes: Callable[[PgType], bool] = _is_jsonb
    value: Callable[[Definitions, Column], TypeReference] = _own_type
    described: str | None = None


_OPERATORS = (
    _Operator("_append", _APPEND),
    _Operator("_delete_at_path", _DELETE_AT_PATH, value=lambda *_: STRING.listed),
    _Operator("_delete_elem", _DELETE_ELEM, value=lambda *_: INT),
    _Operator("_delete_key", _DELETE_KEY, value=lambda *_: STRING),
    _Operator("_inc", _INC, _is_number, described="input type for incrementing numeric columns in table"),
    _Operator("_prepend", _PREPEND),
    _Operator("_set", _SET, _any, described="input type for updating data in table"),
)


def define_updates(definitions: Definitions, table: TrackedTable) -> None:
    naming, named = definitions.naming, partial(definitions.naming.type_name, table.base)
    for operator, columns in _applied(table):
        fields = [key(c.graphql_name, operator.value(definitions, c) | None, OfColumn(table.name, c.name, "update")) for c in columns]
        described = f'{operator.described} "{table.name}"' if operator.described else operator.description
        definitions.input(named(_suffix(operator)), fields, description=described)
    where = key("where", definitions.of(table, "bool_exp"), Argument("where"), description=_WHERE)
    operators = [
        key(naming.field(o.name), _input(definitions, table, o) | None, UpdateOperator(o.name), description=o.description)
        for o, _ in _applied(table)
    ]
    definitions.input(named("updates"), [*operators, where])
    if table.primary_key:
        pk = [table.columns[column] for column in table.primary_key]
        keys = [key(c.graphql_name, definitions.value(c.type), OfColumn(table.name, c.name)) for c in pk]
        definitions.input(named("pk_columns_input"), keys, description=f"primary key columns input for table: {table.graphql_name}")


def update_arguments(definitions: Definitions, table: TrackedTable, which: Element) -> list[Element]:
    """The operators, and which rows."""
    return [*[_argument(definitions, table, operator) for operator, _ in _applied(table)], which]


def where_argument(definitions: Definitions, table: TrackedTable) -> Element:
    return argument("where", definitions.of(table, "bool_exp"), Argument("where"), description=_WHERE)


def _argument(definitions: Definitions, table: TrackedTable, operator: _Operator) -> Element:
    type_ = _input(definitions, table, operator) | None
    return argument(definitions.naming.field(operator.name), type_, UpdateOperator(operator.name), description=operator.description)


def _input(definitions: Definitions, table: TrackedTable, operator: _Operator) -> TypeReference:
    return definitions.of(table, _suffix(operator))


def _suffix(operator: _Operator) -> str:
    """`set_input` of `_set`."""
    return f"{operator.name[1:]}_input"


def _applied(table: TrackedTable) -> Iterator[tuple[_Operator, list[Column]]]:
    for operator in _OPERATORS:
        if columns := [column for column in table.columns.values() if operator.takes(column.type)]:
            yield operator, columns
