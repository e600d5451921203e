"""Comparison inputs (`Int_comparison_exp`, …): which operators a type has, by Hasura's lists."""

from collections.abc import Iterator
from typing import Any

from strawberry.types.field import StrawberryField

from schema.model import PgType
from schema.naming import Naming
from schema.table_types.definitions import Definitions, key, listed
from schema.table_types.meaning import Comparison, Operand
from schema.table_types.scalars import TEXTUAL, annotation
from schema.type_names import comparison_name, scalar_name

_VALUE = ("_eq", "_neq", "_gt", "_lt", "_gte", "_lte")
_LIST = ("_in", "_nin")
_TEXT = ("_like", "_nlike", "_ilike", "_nilike", "_similar", "_nsimilar", "_regex", "_nregex", "_iregex", "_niregex")
_CONTAINS = ("_contains", "_contained_in")

# `json` has no equality in PostgreSQL, so Hasura has no comparison for it.
INCOMPARABLE = frozenset({"json", "xml", "point", "line", "polygon"})


def comparison(definitions: Definitions, type_: PgType) -> object:
    """The comparison input of a type, defined once."""
    name = comparison_name(definitions.naming, type_)
    if name not in definitions:
        named = scalar_name(type_.name) if type_.enum_table is None else type_.enum_table.name
        description = f"Boolean expression to compare columns of type \"{named}\". All fields are combined with logical 'AND'."
        definitions.input(name, _operators(definitions.naming, type_), description=description)
    return definitions[name]


def _operators(naming: Naming, type_: PgType) -> Iterator[StrawberryField]:
    def operator(name: str, type_: Any, operand: Operand = "value") -> StrawberryField:
        return key(naming.field(name), type_ | None, Comparison(name, operand))

    value: Any = annotation(type_)
    if type_.enum_table is not None:
        # As in Hasura the values of an enum have no order.
        yield from (operator("_eq", value), operator("_neq", value))
        yield from (operator("_in", listed(value), "list"), operator("_nin", listed(value), "list"))
        yield operator("_is_null", bool, "boolean")
        return
    for name in _VALUE:
        yield operator(name, value)
    for name in _LIST:
        yield operator(name, listed(value), "list")
    yield operator("_is_null", bool, "boolean")
    if type_.is_array or type_.name == "jsonb":
        for name in _CONTAINS:
            yield operator(name, value)
    elif type_.name in TEXTUAL:
        for name in _TEXT:
            yield operator(name, value)
    if type_.name == "jsonb" and not type_.is_array:
        yield operator("_has_key", str, "text")
        for name in ("_has_keys_any", "_has_keys_all"):
            yield operator(name, list[str], "texts")
