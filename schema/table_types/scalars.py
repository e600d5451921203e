"""PostgreSQL types as GraphQL scalars, under Hasura's names."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NewType
from uuid import UUID

import strawberry
from graphql import GraphQLError, GraphQLNamedType, GraphQLScalarType, specified_scalar_types
from strawberry.types.scalar import ScalarDefinition

from schema.type_names import TypeReference

INT, FLOAT, BOOLEAN, STRING = (TypeReference(name) for name in ("Int", "Float", "Boolean", "String"))
# GraphQL's own, which no type of PostgreSQL brings along.
BUILT_IN = frozenset(specified_scalar_types)
# In the extensions of a scalar that is an enum in PostgreSQL: its values.
LABELS: Final = "labels"

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


_SCALARS: dict[str, GraphQLScalarType] = dict(specified_scalar_types)


def graphql_scalar(name: str) -> GraphQLScalarType:
    """The one scalar of this name, in all schemas.

    The engine never converts values: a table's input goes to PostgreSQL as text. Only hand-written fields see Python values.
    """
    known = _SCALARS.get(name)
    if known is None:
        serialize, parse = _SERIALIZERS.get(name, _identity), _PARSERS.get(name, _identity)
        known = _SCALARS.setdefault(name, GraphQLScalarType(name, serialize=serialize, parse_value=parse))
    return known


def enum_scalar(name: str, labels: Sequence[str]) -> GraphQLScalarType:
    """The scalar of an enum of PostgreSQL's, which is one database's own: a schema can only tell its values."""
    told = f"One of {', '.join(json.dumps(label, ensure_ascii=False) for label in labels)}."
    return GraphQLScalarType(name, serialize=_identity, parse_value=_identity, description=told, extensions={LABELS: tuple(labels)})


def scalar_map(types: Mapping[str, GraphQLNamedType]) -> dict[object, ScalarDefinition]:
    """The scalars of hand-written annotations, as Strawberry's configuration wants them: the tables' own, where `types` has them."""
    return {type_: _definition(name, types.get(name)) for name, type_ in _TYPES.items()}


def _definition(name: str, known: GraphQLNamedType | None) -> ScalarDefinition:
    definition = strawberry.scalar(name=name, serialize=_SERIALIZERS.get(name, _identity), parse_value=_PARSERS.get(name, _identity))
    return replace(definition, implementation=known if isinstance(known, GraphQLScalarType) else graphql_scalar(name))
