"""PostgreSQL types as GraphQL scalars, under Hasura's names."""

import re
from collections.abc import Callable
from typing import Any, NewType
from uuid import UUID

import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

from schema.model import PgType
from schema.type_names import scalar_name

_BUILT_IN: dict[str, type] = {"Int": int, "Float": float, "Boolean": bool, "String": str}

# For hand-written types: the same scalars as the tables have.
uuid = NewType("uuid", UUID)
bigint = NewType("bigint", int)
timestamptz = NewType("timestamptz", object)
jsonb = NewType("jsonb", object)

NUMERIC = frozenset({"int2", "int4", "int8", "float4", "float8", "numeric", "money"})
# Types with `max` and `min` in every PostgreSQL, and those without any order.
_MOMENTS = frozenset({"date", "time", "timetz", "timestamp", "timestamptz", "interval"})
ORDERED = NUMERIC | _MOMENTS | {"text", "varchar", "bpchar", "name", "citext", "inet", "cidr", "oid", "pg_lsn"}
UNSORTED = frozenset({"json", "xml", "point", "line", "lseg", "box", "path", "polygon", "circle", "geometry"})


def _identity(value: Any) -> Any:
    return value


def _parse_uuid(value: Any) -> UUID:
    """A GraphQLError is the client's fault; any other exception would be ours."""
    if not isinstance(value, str):
        raise GraphQLError("expected a uuid")
    try:
        return UUID(value)
    except ValueError:
        raise GraphQLError("expected a uuid") from None


def _parse_bigint(value: Any) -> int:
    """A number, or its digits as text: JavaScript has no whole numbers above 2^53."""
    if not isinstance(value, (int, str)) or isinstance(value, bool) or not re.fullmatch(r"-?\d{1,19}", str(value), re.ASCII):
        raise GraphQLError("expected a bigint")
    if not -(2**63) <= int(value) < 2**63:
        raise GraphQLError("expected a bigint")
    return int(value)


_PARSERS: dict[str, Callable[[Any], Any]] = {"uuid": _parse_uuid, "bigint": _parse_bigint}
_SERIALIZERS: dict[str, Callable[[Any], Any]] = {"uuid": str}


_TYPES: dict[str, Any] = {}


def register(type_: Any) -> None:
    """Makes a `NewType` of a hand-written module the annotation of the scalar of its name: `call_status = NewType("call_status", str)`."""
    _TYPES[type_.__name__] = type_


for _type in (uuid, bigint, timestamptz, jsonb):
    register(_type)


def scalar(name: str) -> Any:
    """The Python annotation of the scalar for a PostgreSQL type name.

    The engine never converts values: a table's input goes to PostgreSQL as text. Only hand-written fields see Python values.
    """
    named = scalar_name(name)
    return _BUILT_IN.get(named) or _TYPES.setdefault(named, type(named, (), {}))


_ENUMS: dict[str, type] = {}


def enum_class(name: str) -> type:
    """The class that stands for the enum of an enum table in annotations."""
    return _ENUMS.setdefault(name, type(name, (), {}))


def annotation(type_: PgType) -> Any:
    """The annotation of a column's value; an array is a list of non-null elements."""
    if type_.enum_table is not None:
        return enum_class(type_.enum_table.name)
    return list[scalar(type_.name)] if type_.is_array else scalar(type_.name)  # type: ignore[misc]


def scalar_map() -> dict[object, ScalarDefinition]:
    """Every scalar known so far, as Strawberry's configuration wants them."""
    return {type_: _definition(name) for name, type_ in _TYPES.items()}


def _definition(name: str) -> ScalarDefinition:
    return strawberry.scalar(name=name, serialize=_SERIALIZERS.get(name, _identity), parse_value=_PARSERS.get(name, _identity))
