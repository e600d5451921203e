"""JSON values as the text that PostgreSQL reads for a type: every parameter of a statement travels as text."""

import json
from typing import Any
from uuid import UUID

from schema.model import PgType

_JSON = frozenset({"json", "jsonb"})
_INTEGERS = {"int2": 15, "int4": 31, "int8": 63}
_NUMBERS = frozenset({"float4", "float8", "numeric", *_INTEGERS})
_BOOLEANS = frozenset({"true", "false", "t", "f", "yes", "no", "on", "off", "1", "0"})


def literal(value: Any, type_: PgType) -> str | None:
    """`value` as text to be cast to `type_`: `{"1","2"}` for arrays, JSON for json and jsonb; None is SQL's NULL."""
    if value is None:
        return None
    if type_.is_array and isinstance(value, list):
        return array_literal(value, type_)
    if type_.name in _JSON and not type_.is_array:
        return json.dumps(value, ensure_ascii=False)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def array_literal(values: list[Any], type_: PgType) -> str:
    """PostgreSQL's text of an array; lists inside lists are further dimensions."""
    element = PgType(type_.name)
    return "{" + ",".join(_element(value, element) for value in values) + "}"


def _element(value: Any, element: PgType) -> str:
    if isinstance(value, list) and element.name not in _JSON:
        return array_literal(value, element)
    text = literal(value, element)
    return "NULL" if text is None else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def misfit(value: Any, type_: PgType) -> str | None:
    """Why PostgreSQL would refuse a literal of a rule, as far as that is certain; None when it may fit."""
    if value is None or (type_.name in _JSON and not type_.is_array):
        return None
    if type_.is_array:
        return None if isinstance(value, list | str) else f"{value!r} is no list"
    if isinstance(value, dict | list):
        return f"A value of type {type_.name} has to be a scalar"
    return None if _fits(value, type_) else f"{json.dumps(value)} is no {type_.name}{_choice(type_)}"


def _choice(type_: PgType) -> str:
    return f" ({', '.join(type_.labels)})" if type_.labels else ""


def _fits(value: Any, type_: PgType) -> bool:
    text = value if isinstance(value, str) else json.dumps(value)
    if type_.labels:
        return text in type_.labels
    if type_.name == "bool":
        return text.lower() in _BOOLEANS
    if type_.name in _INTEGERS:
        return _is_integer(text, _INTEGERS[type_.name]) and not isinstance(value, bool)
    if type_.name in _NUMBERS:
        return _is_number(text) and not isinstance(value, bool)
    return type_.name != "uuid" or _is_uuid(text)


def _is_integer(text: str, bits: int) -> bool:
    try:
        return int(text) in range(-(1 << bits), 1 << bits)
    except ValueError:
        return False


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
