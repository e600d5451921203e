"""A schema's answer about itself, written straight from graphql-core's types, with graphql-core's own resolvers.

Executed field by field it takes half a second and more, and a few lines of a document can ask for it a thousand times over. Here
what was told of a type once is told again for the price of a copy, and the whole answer has an end.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import orjson
from graphql import (
    FieldNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLLeafType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLType,
    VariableValues,
    get_argument_values,
    get_variable_values,
    is_leaf_type,
)

from permissions.errors import GraphQLRefusal
from resolvers.compiled import Introspection
from resolvers.documents.exact_json import plain
from resolvers.walk.walk import INTROSPECTION

# For each thing a schema holds. The fullest query of any known tool takes 24, the copying counted in.
_FIELDS_OF_EACH = 60
# A schema of three types may be asked in as many ways as a larger one.
_FIELDS_OF_NOTHING = 20_000
# Copying this many bytes takes as long as resolving a field.
_BYTES_A_FIELD = 64


def introspect(schema: GraphQLSchema, asked: Introspection, variables: Mapping[str, Any]) -> dict[str, bytes]:
    """The JSON of each root field by key. The fields are validated, without fragments and directives, and each has an alias.

    Raises validation-failed when they ask for many times what the schema holds.
    """
    teller = _Teller(schema, _coerced(schema, asked, variables))
    answers = {}
    for node in asked.nodes:
        field = teller.field(node, INTROSPECTION[node.name.value])
        answers[_key(node)] = teller.value(field, None)
    return answers


def _coerced(schema: GraphQLSchema, asked: Introspection, variables: Mapping[str, Any]) -> VariableValues:
    """The variables as graphql-core reads them: with their defaults, absent ones left out."""
    names = [definition.variable.name.value for definition in asked.variables]
    coerced = get_variable_values(schema, asked.variables, {name: plain(variables[name]) for name in names if name in variables})
    if isinstance(coerced, VariableValues):
        return coerced
    raise GraphQLRefusal("validation-failed", coerced[0].message)


def elements(schema: GraphQLSchema) -> int:
    """How many types, fields, arguments, input fields and enum values the schema holds."""
    count = 0
    for type_ in schema.type_map.values():
        count += 1
        if isinstance(type_, GraphQLObjectType):
            count += sum(1 + len(field.args) for field in type_.fields.values())
        elif isinstance(type_, GraphQLInputObjectType):
            count += len(type_.fields)
        elif isinstance(type_, GraphQLEnumType):
            count += len(type_.values)
    return count


@dataclass(frozen=True, slots=True, eq=False)
class _Field:
    """A selected field, ready to be told of any object; `label` is its key as JSON."""

    label: bytes
    resolve: Any
    arguments: dict[str, Any]
    type: GraphQLOutputType
    below: Sequence["_Field"]


class _Teller:
    def __init__(self, schema: GraphQLSchema, variables: VariableValues) -> None:
        self._info, self._variables = SimpleNamespace(schema=schema), variables
        self._most = self._left = _FIELDS_OF_NOTHING + _FIELDS_OF_EACH * elements(schema)
        self._told: dict[tuple[int, int], bytes] = {}

    def field(self, node: FieldNode, definition: Any) -> _Field:
        type_ = definition.type
        while isinstance(type_, GraphQLNonNull | GraphQLList):
            type_ = type_.of_type
        below = [] if node.selection_set is None else [self._below(inner, type_) for inner in node.selection_set.selections]
        return _Field(orjson.dumps(_key(node)) + b":", definition.resolve, self._arguments(node, definition), definition.type, below)

    def _below(self, node: Any, type_: GraphQLObjectType) -> _Field:
        if node.name.value == "__typename":
            return _Field(orjson.dumps(_key(node)) + b":" + orjson.dumps(type_.name), None, {}, type_, ())
        return self.field(node, type_.fields[node.name.value])

    def _arguments(self, node: FieldNode, definition: Any) -> dict[str, Any]:
        try:
            return get_argument_values(definition, node, self._variables)
        except GraphQLError as error:
            raise GraphQLRefusal("validation-failed", error.message) from None

    def value(self, field: _Field, source: Any) -> bytes:
        return self._complete(field, field.type, field.resolve(source, self._info, **field.arguments))

    def _complete(self, field: _Field, type_: Any, value: Any) -> bytes:
        while isinstance(type_, GraphQLNonNull):
            type_ = type_.of_type
        if value is None:
            return b"null"
        if isinstance(type_, GraphQLList):
            return b"[" + self._joined([self._complete(field, type_.of_type, item) for item in value]) + b"]"
        if is_leaf_type(type_):
            return _leaf(type_, value)
        if not isinstance(value, GraphQLType):
            return self._object(field, value)
        # Only types: the names and fields that a resolver pairs live no longer than their telling.
        place = (id(value), id(field))
        known = self._told.get(place)
        if known is None:
            known = self._told[place] = self._object(field, value)
        return known

    def _object(self, field: _Field, source: Any) -> bytes:
        self._spend(len(field.below))
        members = [inner.label if inner.resolve is None else inner.label + self.value(inner, source) for inner in field.below]
        return b"{" + self._joined(members) + b"}"

    def _joined(self, parts: list[bytes]) -> bytes:
        self._spend(sum(map(len, parts)) // _BYTES_A_FIELD)
        return b",".join(parts)

    def _spend(self, fields: int) -> None:
        self._left -= fields
        if self._left < 0:
            raise GraphQLRefusal("validation-failed", f"the introspection tells more than {self._most} fields; ask for less at once")


def _leaf(type_: GraphQLLeafType, value: Any) -> bytes:
    if isinstance(type_, GraphQLEnumType):
        value = type_.coerce_output_value(value)
    return orjson.dumps(value)


def _key(node: FieldNode) -> str:
    return node.alias.value if node.alias else node.name.value
