"""Every way to name something by its id, read from the schema itself: a field that is added tomorrow is probed tomorrow."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_list_type,
    is_non_null_type,
)
from graphql.type.definition import GraphQLNullableInputType

# What a required value that is no id may be; a type that is not here makes the probes fail until someone says.
EXAMPLES: Final[Mapping[str, str]] = {
    "Boolean": "true",
    "Int": "1",
    "Float": "1.5",
    "String": '"x"',
    "bigint": "1",
    "jsonb": "{}",
    "call_type": '"audio"',
    "connection_quality": '"good"',
    "participant_role": '"co_host"',
    "stream_visibility": '"public"',
    "destination_platform": '"custom"',
    "reaction_type": '"like"',
}
# How many relationships a condition goes through. One more comes from lists inside a field: a person's streams of a call.
REACH: Final = 1


@dataclass(frozen=True, slots=True)
class Probe:
    """A document with `$id` at every place of one field where an id may stand.

    Beside a `callId`, and in a key of two ids, the second is `$other`: something of the first. `field` names the probe for people.
    """

    kind: str
    field: str
    document: str

    def variables(self, thing: UUID, other: UUID) -> dict[str, str]:
        return {"id": str(thing)} | ({"other": str(other)} if "$other" in self.document else {})

    def __str__(self) -> str:
        return f"{self.kind}.{self.field}"


def probes(schema: GraphQLSchema) -> list[Probe]:
    """One for each root field that takes an id anywhere, and one for each list below a root field that does."""
    roots = {"query": schema.query_type, "mutation": schema.mutation_type, "subscription": schema.subscription_type}
    return [probe for kind, root in roots.items() if root for name, field in root.fields.items() for probe in _of_field(kind, name, field)]


def _of_field(kind: str, name: str, field: GraphQLField) -> Iterator[Probe]:
    arguments = _arguments(field.args)
    if "$id" in arguments:
        yield Probe(kind, name, _document(kind, f"{name}{arguments} {_selection(field)}"))
    if kind == "query" and not _needs_argument(field) and "$id" in (nested := _nested_lists(field)):
        yield Probe(kind, f"{name}.*", _document(kind, f"{name} {nested}"))


def _document(kind: str, field: str) -> str:
    other = ", $other: uuid!" if "$other" in field else ""
    return f"{kind} ($id: uuid!{other}) {{ {field} }}"


def _arguments(arguments: Mapping[str, GraphQLArgument]) -> str:
    given = {name: value for name, argument in arguments.items() if (value := _value(argument))}
    ids = [name for name, value in given.items() if value == "$id"]
    return f"({_fields(given | dict.fromkeys(ids[1:], '$other'))})" if given else ""


def _fields(values: Mapping[str, str]) -> str:
    return ", ".join(f"{name}: {value}" for name, value in values.items())


def _value(place: GraphQLArgument | GraphQLInputField) -> str | None:
    """A value for the place: an id wherever one may stand, otherwise only what is required."""
    type_ = get_named_type(place.type)
    match type_:
        case GraphQLInputObjectType() if type_.name.endswith("_bool_exp"):
            value = _condition(type_, REACH)
        case GraphQLInputObjectType():
            value = _object(type_)
        case _ if type_.name == "uuid":
            value = "$id"
        case _ if is_non_null_type(place.type):
            value = _example(type_)
        case _:
            return None
    return f"[{value}]" if value and _is_list(place.type) else value


def _object(type_: GraphQLInputObjectType) -> str | None:
    if type_.name.endswith(("_order_by", "_on_conflict")):
        return None
    # Rows that come with a row lead back to it, and are asked for in places of their own.
    own = {name: field for name, field in type_.fields.items() if not get_named_type(field.type).name.endswith("_rel_insert_input")}
    values = {name: value for name, field in own.items() if (value := _value(field))}
    if not values and type_.name.endswith("_set_input"):
        name, field = next(iter(type_.fields.items()))
        values = {name: _example(get_named_type(field.type))}
    if "callId" in values:
        values = {name: value if name == "callId" else value.replace("$id", "$other") for name, value in values.items()}
    return f"{{{_fields(values)}}}"


def _example(type_: GraphQLNamedType) -> str:
    return next(iter(type_.values)) if isinstance(type_, GraphQLEnumType) else EXAMPLES[type_.name]


def _condition(type_: GraphQLInputObjectType, reach: int) -> str | None:
    """Rows that have to do with the id in any way."""
    ways = list(_ways(type_, reach, frozenset({type_.name})))
    return f"{{_or: [{', '.join(ways)}]}}" if ways else None


def _ways(type_: GraphQLInputObjectType, reach: int, passed: frozenset[str]) -> Iterator[str]:
    """Through relationships, to no table twice."""
    for name, field in type_.fields.items():
        inner = get_named_type(field.type)
        if inner.name == "uuid_comparison_exp":
            yield f"{{{name}: {{_eq: $id}}}}"
        elif isinstance(inner, GraphQLInputObjectType) and inner.name.endswith("_bool_exp") and inner.name not in passed and reach:
            yield from (f"{{{name}: {way}}}" for way in _ways(inner, reach - 1, passed | {inner.name}))


def _selection(field: GraphQLField, reach: int = 1) -> str:
    """All that the field shows, and of what it is related to."""
    type_ = get_named_type(field.type)
    if not isinstance(type_, GraphQLObjectType):
        return ""
    beyond = reach if "_aggregate" in type_.name else reach - 1
    shown = [
        f"{name} {_selection(one, beyond)}"
        for name, one in type_.fields.items()
        if not _needs_argument(one) and (beyond >= 0 or not isinstance(get_named_type(one.type), GraphQLObjectType))
    ]
    return f"{{ __typename {' '.join(shown)} }}"


def _nested_lists(field: GraphQLField) -> str:
    type_ = get_named_type(field.type)
    if not isinstance(type_, GraphQLObjectType):
        return ""
    inner = {name: one for name, one in type_.fields.items() if "where" in one.args}
    shown = [f"{name}{arguments} {_selection(one, 0)}" for name, one in inner.items() if "$id" in (arguments := _arguments(one.args))]
    return f"{{ __typename {' '.join(shown)} }}"


def _needs_argument(field: GraphQLField) -> bool:
    return any(is_non_null_type(argument.type) for argument in field.args.values())


def _is_list(type_: GraphQLNullableInputType | object) -> bool:
    return is_list_type(getattr(type_, "of_type", None) if is_non_null_type(type_) else type_)


def actions(schema: GraphQLSchema) -> list[Probe]:
    """The actions on a call: mutations with a `callId` in their input."""
    root = schema.mutation_type
    assert root is not None
    takes_call = [name for name, field in root.fields.items() if any(_has_call(argument) for argument in field.args.values())]
    return [probe for probe in probes(schema) if probe.kind == "mutation" and probe.field in takes_call]


def _has_call(argument: GraphQLArgument) -> bool:
    type_ = get_named_type(argument.type)
    return isinstance(type_, GraphQLInputObjectType) and "callId" in type_.fields
