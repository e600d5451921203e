"""A JSON value as the text that PostgreSQL casts to a column's type, with Hasura's checks of the built-in types."""

from collections.abc import Iterable
from typing import Any

from permissions.errors import GraphQLRefusal
from resolvers.documents.exact_json import Number, json_text
from resolvers.documents.input_value import EnumName
from schema.model import EnumType, PgType
from schema.type_names import scalar_name

_TEXT_TYPES = ("text", "varchar")
_JSON_TYPES = ("json", "jsonb")
_INT_BOUND = 2**31


def parameter_text(value: Any, type_: PgType, path: str) -> str | None:
    """The text of one value. Raises validation-failed or parse-failed at `path`; a bad text of another type is PostgreSQL's to refuse."""
    if value is None:
        return None
    if type_.enum_table is not None:
        return _enum_value(value, type_.enum_table, path)
    if type_.is_array:
        if isinstance(value, str):
            return value
        return array_text(value if isinstance(value, list) else [value], PgType(type_.name, is_enum=type_.is_enum), path)
    if type_.name in _JSON_TYPES:
        return _json_text(value)
    if type_.name == "int4":
        return _integer(value, path)
    if type_.name == "bool":
        return _boolean(value, path)
    if type_.name in _TEXT_TYPES:
        return _string(value, path)
    return _any(value, type_, path)


def array_text(values: list[Any], element: PgType, path: str) -> str:
    """A PostgreSQL array literal `{"a","b"}`; nulls inside are refused."""
    texts = []
    for index, value in enumerate(values):
        text = parameter_text(value, element, f"{path}[{index}]")
        if text is None:
            raise GraphQLRefusal(
                "validation-failed",
                f"unexpected null value for type '{element.enum_table or scalar_name(element.name)}'",
                f"{path}[{index}]",
            )
        texts.append(text)
    return array_of_texts(texts)


def array_of_texts(texts: Iterable[str]) -> str:
    """PostgreSQL's text of an array of these element texts."""
    return "{" + ",".join('"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' for text in texts) + "}"


def _json_text(value: Any) -> str:
    return json_text(value.name if isinstance(value, EnumName) else value)


def _integer(value: Any, path: str) -> str:
    if isinstance(value, str):
        return value
    number: int | float | None = None
    if isinstance(value, Number):
        number = value.value
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        number = value
    if number is None:
        raise _mismatch("an integer", "Int", value, path)
    if number != number or abs(number) == float("inf") or number != int(number) or not -_INT_BOUND <= number < _INT_BOUND:
        bounds = "lies outside the bounds or is not an integer. Maybe it is a float, or is there integer overflow?"
        raise GraphQLRefusal("parse-failed", f"The value {_scientific(number)} {bounds}", path)
    return str(int(number))


def _scientific(number: int | float) -> str:
    """Haskell's way to show a number: exponents from ten million on."""
    if isinstance(number, float) or abs(number) < 10_000_000:
        return str(float(number))
    digits = str(abs(number))
    fraction = digits[1:].rstrip("0") or "0"
    return f"{'-' if number < 0 else ''}{digits[0]}.{fraction}e{len(digits) - 1}"


def _boolean(value: Any, path: str) -> str:
    if not isinstance(value, bool):
        raise _mismatch("a boolean", "Boolean", value, path)
    return "true" if value else "false"


def named(type_: PgType) -> str:
    """What a type is called in GraphQL."""
    return scalar_name(type_.name) if type_.enum_table is None else type_.enum_table.name


def _enum_value(value: Any, enum: EnumType, path: str) -> str:
    """A value of an enum table."""
    given = value.name if isinstance(value, EnumName) else value
    if not isinstance(given, str):
        raise _mismatch("an enum value", enum.name, value, path)
    values = dict(enum.values)
    if given not in values:
        allowed = ", ".join(f"'{name}'" for name in values)
        raise GraphQLRefusal(
            "validation-failed", f"expected one of the values [{allowed}] for type '{enum.name}', but found '{given}'", path
        )
    return values[given]


def _string(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise _mismatch("a string", "String", value, path)
    return value


def _any(value: Any, type_: PgType, path: str) -> str:
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case Number():
            return value.text
        case EnumName():
            return value.name
        case int() | float():
            return repr(value)
        case dict() | list():
            return json_text(value)
    raise _mismatch("a value", scalar_name(type_.name), value, path)


def _mismatch(what: str, type_name: str, value: Any, path: str) -> GraphQLRefusal:
    return GraphQLRefusal("validation-failed", f"expected {what} for type '{type_name}', but found {_found(value)}", path)


def _found(value: Any) -> str:
    match value:
        case bool():
            return "a boolean"
        case str():
            return "a string"
        case Number():
            return "an integer" if value.is_integer else "a float"
        case EnumName():
            return "an enum value"
        case int():
            return "an integer"
        case float():
            return "a float"
        case list():
            return "a list"
    return "an object"
