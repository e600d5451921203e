"""A JSON value as the text that PostgreSQL casts to a column's type, with the checks of Hasura's `parsePGValue`.

A text is PostgreSQL's to read, whatever the type; anything else has to be what the type's own JSON is.
"""

from collections.abc import Iterable
from typing import Any

from permissions.errors import GraphQLRefusal
from resolvers.documents.bounded_numbers import money, number_text, real, whole
from resolvers.documents.exact_json import Number, json_text
from resolvers.documents.input_value import EnumName
from schema.model import EnumType, PgType
from schema.type_names import scalar_name

_JSON_TYPES = ("json", "jsonb")
_INTEGER_BITS = {"int2": 16, "int4": 32, "int8": 64}
_FLOAT_BITS = {"float4": 32, "float8": 64}
# What Haskell's JSON library calls a type that it can't read a value as.
_HASKELL = {
    "int2": "Integer expected for input type: PGSmallInt",
    "int4": "Integer expected for input type: PGInteger",
    "int8": "Integer expected for input type: PGBigInt",
    "float4": "Float expected for input type: PGFloat",
    "float8": "Float expected for input type: PGDouble",
    "numeric": "Scientific",
    "money": "Scientific",
    "bool": "Bool",
    "text": "Text",
    "varchar": "Text",
    "citext": "Text",
    "uuid": "UUID",
    "date": "Day",
    "timestamp": "LocalTime",
    "timestamptz": "UTCTime",
}
_JSON_OF = dict.fromkeys((*_INTEGER_BITS, *_FLOAT_BITS, "numeric", "money"), "Number") | {"bool": "Boolean"}
_LABEL_PATH = "Expecting label path: a sequence of zero or more labels separated by dots, for example L1.L2.L3"


def parameter_text(value: Any, type_: PgType, path: str) -> str | None:
    """The text of one value. Raises parse-failed or validation-failed at `path`; a bad text is PostgreSQL's to refuse."""
    if value is None:
        return None
    if type_.enum_table is not None:
        return _enum_value(value, type_.enum_table, path)
    if type_.is_array:
        return value if isinstance(value, str) else column_array_text(value if isinstance(value, list) else [value], type_, path)
    if isinstance(value, EnumName):
        value = value.name
    if type_.name in _JSON_TYPES:
        return json_text(value)
    if type_.name == "ltree" and not _is_label_path(value):
        raise GraphQLRefusal("parse-failed", _LABEL_PATH, path)
    return value if isinstance(value, str) else _typed(value, type_, path)


def string_text(value: Any, path: str) -> str | None:
    """GraphQL's own String, which is no column's value."""
    if value is None or isinstance(value, str):
        return value
    raise GraphQLRefusal("validation-failed", f"expected a string for type 'String', but found {_found(value)}", path)


def column_array_text(values: list[Any], type_: PgType, path: str) -> str:
    """An array for a column of that array type: elements may be null, and an error is the column's."""
    element = type_.element
    return array_of_texts([parameter_text(value, element, path) for value in values])


def list_text(values: list[Any], element: PgType, path: str) -> str:
    """A list of values of a type as a PostgreSQL array; nulls inside are refused."""
    texts = []
    for index, value in enumerate(values):
        if value is None:
            raise null_value(element, f"{path}[{index}]")
        texts.append(parameter_text(value, element, f"{path}[{index}]"))
    return array_of_texts(texts)


def array_of_texts(texts: Iterable[str | None]) -> str:
    """PostgreSQL's text of an array of these element texts: `{"a",NULL}`."""
    return "{" + ",".join("NULL" if text is None else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' for text in texts) + "}"


def named(type_: PgType) -> str:
    """What a type is called in GraphQL."""
    return scalar_name(type_.name) if type_.enum_table is None else type_.enum_table.name


def null_value(type_: PgType, path: str) -> GraphQLRefusal:
    """Null where a value of a column's type is due."""
    if type_.enum_table is not None:
        return GraphQLRefusal("validation-failed", f"expected an enum value for type '{named(type_)}', but found null", path)
    return GraphQLRefusal("validation-failed", f"unexpected null value for type '{named(type_)}'", path)


def _is_label_path(value: Any) -> bool:
    """The one text that Hasura looks into: what a label may be made of is PostgreSQL's to say."""
    return isinstance(value, str) and all(value.split("."))


def _typed(value: Any, type_: PgType, path: str) -> str:
    number = number_text(value)
    if type_.name == "bool" and isinstance(value, bool):
        return "true" if value else "false"
    if number is None or type_.name not in _JSON_OF or type_.name == "bool":
        raise _unreadable(value, type_, path)
    if type_.name in _INTEGER_BITS:
        return str(whole(number, _INTEGER_BITS[type_.name], path, of_column=True))
    if type_.name in _FLOAT_BITS:
        return real(number, _FLOAT_BITS[type_.name], path)
    return money(number) if type_.name == "money" else number


def _unreadable(value: Any, type_: PgType, path: str) -> GraphQLRefusal:
    if type_.name not in _HASKELL:
        return GraphQLRefusal("parse-failed", f"A string is expected for type: {type_.name}", path)
    kinds = {bool: "Boolean", list: "Array", dict: "Object"}
    expected, found = _JSON_OF.get(type_.name, "String"), kinds.get(type(value), "Number")
    return GraphQLRefusal("parse-failed", f"parsing {_HASKELL[type_.name]} failed, expected {expected}, but encountered {found}", path)


def _enum_value(value: Any, enum: EnumType, path: str) -> str:
    """A value of an enum table."""
    given = value.name if isinstance(value, EnumName) else value
    if not isinstance(given, str):
        raise GraphQLRefusal("validation-failed", f"expected an enum value for type '{enum.name}', but found {_found(value)}", path)
    values = dict(enum.values)
    if given not in values:
        allowed = ", ".join(f"'{name}'" for name in values)
        raise GraphQLRefusal(
            "validation-failed", f"expected one of the values [{allowed}] for type '{enum.name}', but found '{given}'", path
        )
    return values[given]


def _found(value: Any) -> str:
    match value:
        case bool():
            return "a boolean"
        case Number():
            return "an integer" if value.is_integer else "a float"
        case int() | float():
            return "a number"
        case list():
            return "a list"
        case EnumName():
            return "an enum value"
    return "an object"
