"""Directives where they stand: `@include` and `@skip` decide, `@cached` changes nothing. As in Hasura's `Parser/Directives.hs`."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from graphql import DirectiveNode, GraphQLBoolean, GraphQLInputType, GraphQLInt, GraphQLNonNull, is_non_null_type

from permissions.errors import GraphQLRefusal
from resolvers.documents.bounded_numbers import whole
from resolvers.documents.exact_json import Number
from resolvers.documents.input_value import InputValue
from resolvers.documents.variables import Variables

_SELECTIONS = frozenset({"a field", "a fragment spread", "an inline fragment"})


@dataclass(frozen=True, slots=True)
class _Directive:
    """`places`: what it may stand at; `arguments` have a default where their type is nullable."""

    places: frozenset[str]
    arguments: Mapping[str, GraphQLInputType]


# Hasura: no supported feature, made for its own tests. The fields of a subscription may be several then.
SEVERAL_FIELDS: Final = "_multiple_top_level_fields"
_CONDITION = _Directive(_SELECTIONS, {"if": GraphQLNonNull(GraphQLBoolean)})
_DIRECTIVES = {
    "include": _CONDITION,
    "skip": _CONDITION,
    "cached": _Directive(frozenset({"a query"}), {"ttl": GraphQLInt, "refresh": GraphQLBoolean}),
    SEVERAL_FIELDS: _Directive(frozenset({"a subscription"}), {}),
}


def is_included(directives: Sequence[DirectiveNode], place: str, path: str, variables: Variables) -> bool:
    """Whether a selection is part of the answer. Each directive is read, also after the first that excludes."""
    given = _read(directives, place, path, variables)
    return given.get("include", {}).get("if", True) is True and given.get("skip", {}).get("if", False) is False


def check_operation(directives: Sequence[DirectiveNode], kind: str, variables: Variables) -> Collection[str]:
    """The names of those at a query, mutation or subscription; raises validation-failed for what may not stand there."""
    return _read(directives, f"a {kind}", "$", variables).keys()


def _read(directives: Sequence[DirectiveNode], place: str, path: str, variables: Variables) -> dict[str, dict[str, object]]:
    given: dict[str, dict[str, object]] = {}
    repeated: list[str] = []
    for node in directives:
        name = node.name.value
        known = _DIRECTIVES.get(name)
        if known is None:
            raise GraphQLRefusal("validation-failed", f"directive '{name}' is not defined in the schema", path)
        if place not in known.places:
            raise GraphQLRefusal("validation-failed", f"directive '{name}' is not allowed on {place}", path)
        if name in given and name not in repeated:
            repeated.append(name)
        given[name] = _arguments(node, known, f"{path}.{name}", variables)
    if repeated:
        names = ", ".join(f"'{name}'" for name in repeated)
        raise GraphQLRefusal("validation-failed", f"the following directives are used more than once: [{names}]", path)
    return given


def _arguments(node: DirectiveNode, known: _Directive, path: str, variables: Variables) -> dict[str, object]:
    nodes = {argument.name.value: argument.value for argument in node.arguments or ()}
    for name in nodes:
        if name not in known.arguments:
            raise GraphQLRefusal("validation-failed", f"'{node.name.value}' has no argument named '{name}'", path)
    read: dict[str, object] = {}
    for name, type_ in known.arguments.items():
        place = f"{path}.args.{name}"
        if name in nodes:
            value = InputValue(nodes[name], place, variables).resolved(type_)
            read[name] = _READERS[name](value or InputValue(None, place, variables))
        elif is_non_null_type(type_):
            raise GraphQLRefusal("validation-failed", f"missing required field '{name}'", place)
    return read


def _boolean(value: InputValue) -> bool:
    decision = None if value.is_null else value.pinned()
    if not isinstance(decision, bool):
        raise value.expected("a boolean", "Boolean")
    return decision


def _seconds(value: InputValue) -> int:
    number = None if value.is_null else value.pinned()
    if isinstance(number, Number) and (number.is_integer or value.variable is not None):
        return whole(number.text, 32, value.path)
    if not isinstance(number, int | float) or isinstance(number, bool):
        raise value.expected("a 32-bit integer", "Int")
    return whole(repr(number), 32, value.path)


_READERS: Mapping[str, Callable[[InputValue], object]] = {"if": _boolean, "refresh": _boolean, "ttl": _seconds}
