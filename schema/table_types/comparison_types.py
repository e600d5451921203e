"""Comparison inputs (`Int_comparison_exp`, …): which operators a type has, by Hasura's lists."""

from collections.abc import Iterator

from strawberry.types.field import StrawberryField

from schema.model import PgType
from schema.table_types.definitions import Definitions, key, listed
from schema.table_types.meaning import Comparison
from schema.table_types.scalars import TEXTUAL, annotation
from schema.type_names import scalar_name

_VALUE = ("_eq", "_neq", "_gt", "_lt", "_gte", "_lte")
_LIST = ("_in", "_nin")
_TEXT = ("_like", "_nlike", "_ilike", "_nilike", "_similar", "_nsimilar", "_regex", "_nregex", "_iregex", "_niregex")
_CONTAINS = ("_contains", "_contained_in")

# `json` has no equality in PostgreSQL, so Hasura has no comparison for it.
INCOMPARABLE = frozenset({"json", "xml", "point", "line", "polygon"})


def comparison_name(type_: PgType) -> str:
    return f"{scalar_name(type_.name)}_{'array_' if type_.is_array else ''}comparison_exp"


def comparison(definitions: Definitions, type_: PgType) -> object:
    """The comparison input of a type, defined once."""
    name = comparison_name(type_)
    if name not in definitions:
        description = (
            f"Boolean expression to compare columns of type \"{scalar_name(type_.name)}\". All fields are combined with logical 'AND'."
        )
        definitions.input(name, _operators(type_), description=description)
    return definitions[name]


def _operators(type_: PgType) -> Iterator[StrawberryField]:
    value = annotation(type_)
    for name in _VALUE:
        yield key(name, value | None, Comparison(name))
    for name in _LIST:
        yield key(name, listed(value) | None, Comparison(name, "list"))
    yield key("_is_null", bool | None, Comparison("_is_null", "boolean"))
    if type_.is_array or type_.name == "jsonb":
        for name in _CONTAINS:
            yield key(name, value | None, Comparison(name))
    elif type_.name in TEXTUAL:
        for name in _TEXT:
            yield key(name, value | None, Comparison(name))
    if type_.name == "jsonb" and not type_.is_array:
        yield key("_has_key", str | None, Comparison("_has_key", "text"))
        for name in ("_has_keys_any", "_has_keys_all"):
            yield key(name, list[str] | None, Comparison(name, "texts"))
