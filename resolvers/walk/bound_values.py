"""Leaf values of a request as parameters: where each comes from, and how it becomes text when the plan is bound."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

from graphql import GraphQLList, GraphQLNonNull, GraphQLScalarType, ListValueNode, specified_scalar_types

from permissions.errors import GraphQLRefusal
from permissions.expressions import Bound
from permissions.session import Session
from resolvers.documents.input_value import InputValue
from resolvers.documents.limits import ELEMENTS, TEXT_BYTES, VALUE, Budget
from resolvers.documents.variable_shape import VariablePath, pattern
from resolvers.ir import Binder
from resolvers.walk.parameter_text import array_of_texts, list_text, named, null_value, parameter_text
from schema.model import PgType

_JSON_TYPES = ("json", "jsonb")


@dataclass(slots=True)
class BoundValues:
    """The binders of one plan by key; one variable read at one type is one parameter, however often it is used."""

    budget: Budget
    binders: dict[str, Binder] = field(default_factory=dict)
    _keys: dict[object, str] = field(default_factory=dict)

    def value(self, value: InputValue, type_: PgType) -> Bound:
        """A non-null value of a column's type."""
        if value.is_null:
            raise null_value(type_, value.path)
        if type_.is_array and isinstance(value.raw, ListValueNode):
            return self._array(value, value.raw, type_.element)
        if value.variable is None:
            return self._text(self._literal(value, type_), value.path)
        if type_.is_array or type_.name in _JSON_TYPES:
            value.variables.pins.opaque.add(pattern(value.variable))
        return self._variable(value, type_, value.variable)

    def values(self, value: InputValue, element: PgType) -> Bound:
        """A list of non-null values of a type, as one PostgreSQL array; variables among them are of that type."""
        if value.is_null:
            raise GraphQLRefusal("validation-failed", "expected a list, but found null", value.path)
        if value.variable is not None:
            value.variables.pins.opaque.add(pattern(value.variable))
            return self._list_variable(value, element, value.variable)
        return self._together([self._part(item, element) for item in value.items(_declared(element))])

    def made(self, value: InputValue, what: str, text_of: Callable[[Any], str | None]) -> Bound:
        """A scalar as the text that `text_of` makes of it; `what` tells it from other texts of the same variable."""
        if value.variable is None:
            return self._text(text_of(value.leaf()), value.path)
        return self._given((value.variable, what), value, value.variable, text_of)

    def constant(self, text: str | None) -> Bound:
        """A literal of the document: its own parameter, so that documents differing in literals share a statement."""
        return self.add(("constant", len(self.binders)), lambda _session, _variables: text)

    def _text(self, text: str | None, path: str) -> Bound:
        self.budget.spend(len(text or "") // TEXT_BYTES, path)
        return self.constant(text)

    def add(self, identity: object, binder: Binder) -> Bound:
        if identity not in self._keys:
            self._keys[identity] = str(len(self.binders))
            self.binders[self._keys[identity]] = binder
        return Bound(self._keys[identity])

    def _literal(self, value: InputValue, type_: PgType) -> str | None:
        if type_.name in _JSON_TYPES and not type_.is_array:
            return value.json_text()
        leaf = value.leaf_or_json()
        if type_.enum_table is not None and isinstance(leaf, str):
            # A bare name in the document, a string in the variables.
            raise value.expected("an enum value", type_.enum_table.name)
        return parameter_text(leaf, type_, value.path)

    def _variable(self, value: InputValue, type_: PgType, path: VariablePath) -> Bound:
        return self._given((path, type_), value, path, partial(parameter_text, type_=type_, path=value.path))

    def _list_variable(self, value: InputValue, element: PgType, path: VariablePath) -> Bound:
        """Unlike a value of an array type this is never PostgreSQL's text of an array: a single text is a list of one."""
        return self._given((path, "list", element), value, path, partial(_list_text, element=element, path=value.path))

    def _given(self, identity: object, value: InputValue, path: VariablePath, text_of: Callable[[Any], str | None]) -> Bound:
        """A variable as text, checked here. A plan for one request keeps it: to make it again would hold the event loop.

        A plan for many keeps nothing of the request that it was made for.
        """
        if identity in self._keys:
            return Bound(self._keys[identity])
        if isinstance(value.raw, list):
            self.budget.spend_on_values(len(value.raw) // ELEMENTS, value.path)
        text = text_of(value.raw)
        self.budget.spend_on_values(len(text or "") // TEXT_BYTES, value.path)
        if value.variables.once:
            return self.add(identity, lambda _session, _variables: text)
        return self.add(identity, lambda _session, variables: text_of(descend(variables, path)))

    def _array(self, value: InputValue, array: ListValueNode, element: PgType) -> Bound:
        """A literal array, where null is an element like others."""
        return self._together([self.constant(None) if item.is_null else self._part(item, element) for item in value.parts(array)])

    def _part(self, item: InputValue, element: PgType) -> Bound:
        self.budget.spend(VALUE, item.path)
        return self.value(item, element)

    def _together(self, parts: list[Bound]) -> Bound:
        binders = [self.binders[part.key] for part in parts]

        def bind(session: Session, variables: Mapping[str, Any]) -> str | None:
            return array_of_texts([binder(session, variables) for binder in binders])

        return self.add(("list", len(self.binders)), bind)


@cache
def _declared(type_: PgType) -> GraphQLNonNull[Any]:
    """The type as which a variable for a value of this type is declared, by its name alone."""
    name = named(type_)
    scalar = specified_scalar_types.get(name) or GraphQLScalarType(name)
    return GraphQLNonNull(GraphQLList(GraphQLNonNull(scalar)) if type_.is_array else scalar)


def _list_text(value: Any, element: PgType, path: str) -> str | None:
    return None if value is None else list_text(value if isinstance(value, list) else [value], element, path)


def descend(variables: Mapping[str, Any], path: VariablePath) -> Any:
    """The value at a path of the variables; the plan's shape guarantees that it is there."""
    value: Any = variables
    for step in path:
        value = value[step]
    return value
