"""An input value in a document or in the variables, read the same way: literals, JSON and list coercion."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    BooleanValueNode,
    EnumValueNode,
    FloatValueNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLType,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    StringValueNode,
    ValueNode,
    VariableNode,
    get_named_type,
)

from permissions.errors import GraphQLRefusal
from resolvers.documents.exact_json import Number, json_text
from resolvers.documents.variable_shape import VariablePath, pattern
from resolvers.documents.variables import Absent, Given, Variables


@dataclass(frozen=True, slots=True)
class EnumName:
    """A bare name: an enum value of the document."""

    name: str


# What a leaf holds: JSON's scalars, or what a document can write.
Leaf = str | int | float | bool | Number | EnumName | None


@dataclass(frozen=True, slots=True)
class InputValue:
    """A value with its place: `path` is what an error names, `variable` where it lies in the variables (None: a literal)."""

    raw: Any
    path: str
    variables: Variables
    variable: VariablePath | None = None

    @property
    def is_null(self) -> bool:
        return self.raw is None or isinstance(self.raw, NullValueNode)

    def resolved(self, expected: GraphQLType) -> "InputValue | None":
        """The value with a variable replaced by what it stands for; None when the variable is absent."""
        if not isinstance(self.raw, VariableNode):
            return self
        read = self.variables.read(self.raw.name.value, expected, self.path)
        if isinstance(read, Absent):
            return None
        if isinstance(read, Given):
            return InputValue(read.value, self.path, self.variables, read.path)
        return InputValue(read, self.path, self.variables)

    def items(self, element: GraphQLType) -> Iterator["InputValue"]:
        """The elements of a list; a single value counts as a list of one (GraphQL's coercion, for variables too)."""
        if isinstance(self.raw, ListValueNode):
            elements: list[Any] = list(self.raw.values)
        elif isinstance(self.raw, list):
            elements = self.raw
        else:
            # Hasura: an error in it is told as one in the first of the list.
            yield InputValue(self.raw, f"{self.path}[0]", self.variables, self.variable)
            return
        for index, raw in enumerate(elements):
            variable = None if self.variable is None else (*self.variable, index)
            value = InputValue(raw, f"{self.path}[{index}]", self.variables, variable).resolved(element)
            yield InputValue(None, f"{self.path}[{index}]", self.variables) if value is None else value

    def parts(self, array: ListValueNode) -> Iterator["InputValue"]:
        """The elements of a literal array, which is one value; a variable among them is taken as it is, absent as null."""
        for node in array.values:
            if isinstance(node, VariableNode):
                name = node.name.value
                yield InputValue(self.variables.raw(name), self.path, self.variables, (name,) if name in self.variables.values else None)
            else:
                yield InputValue(node, self.path, self.variables)

    def entries(self, type_name: str) -> dict[str, "InputValue"]:
        """The keys of an object, variables not yet replaced; raises validation-failed for anything else."""
        if isinstance(self.raw, ObjectValueNode):
            return {
                field.name.value: InputValue(field.value, f"{self.path}.{field.name.value}", self.variables) for field in self.raw.fields
            }
        if isinstance(self.raw, Mapping):
            return {
                name: InputValue(raw, f"{self.path}.{name}", self.variables, None if self.variable is None else (*self.variable, name))
                for name, raw in self.raw.items()
            }
        raise self.expected("an object", type_name)

    def leaf(self) -> Leaf:
        """The scalar; raises for objects and lists, which `json` takes instead."""
        raw = self.raw
        if isinstance(raw, ValueNode):
            return _literal(raw)
        if isinstance(raw, (str, int, float, bool, Number)) or raw is None:
            return raw
        raise self.expected("a scalar", "scalar")

    def pinned(self) -> Leaf:
        """The scalar, compiled into the plan: another value is another plan."""
        if self.variable is not None:
            self.variables.pins.exact.add(pattern(self.variable))
        return self.leaf()

    def leaf_or_json(self) -> Any:
        """The scalar, or for scalars that take objects and lists their JSON."""
        return self.json() if isinstance(self.raw, (ObjectValueNode, ListValueNode, Mapping, list)) else self.leaf()

    def json(self) -> Any:
        """The value as JSON, variables inside replaced."""
        if isinstance(self.raw, ValueNode):
            return _json(self.raw, self.variables)
        return self.raw

    def json_text(self) -> str:
        """The same as text."""
        return json_text(self.json())

    def expected(self, what: str, type_name: str) -> GraphQLRefusal:
        return unlike(self.raw, what, type_name, self.path)

    def null(self, type_: GraphQLType) -> GraphQLRefusal:
        """Null where the type has none."""
        match type_.of_type if isinstance(type_, GraphQLNonNull) else type_:
            case GraphQLList():
                return GraphQLRefusal("validation-failed", "expected a list, but found null", self.path)
            case GraphQLInputObjectType(name=name):
                return self.expected("an object", name)
            case GraphQLEnumType(name=name):
                return self.expected("an enum value", name)
        return GraphQLRefusal("validation-failed", f"unexpected null value for type '{get_named_type(type_)}'", self.path)


_KINDS: tuple[tuple[Any, str], ...] = (
    ((ObjectValueNode, Mapping), "an object"),
    ((ListValueNode, list), "a list"),
    ((StringValueNode, str), "a string"),
    ((BooleanValueNode, bool), "a boolean"),
    (IntValueNode, "an integer"),
    (FloatValueNode, "a float"),
    # Of the variables: Hasura doesn't look closer at a number of JSON.
    ((int, float, Number), "a number"),
    (EnumValueNode, "an enum value"),
    (VariableNode, "a variable"),
)


def unlike(raw: Any, what: str, type_name: str, path: str) -> GraphQLRefusal:
    """A value of a variable or a document that is not what it should be."""
    return GraphQLRefusal("validation-failed", f"expected {what} for type '{type_name}', but found {_kind(raw)}", path)


def _kind(raw: Any) -> str:
    return next((word for types, word in _KINDS if isinstance(raw, types)), "null")


def _literal(node: ValueNode) -> Leaf:
    match node:
        case StringValueNode() | BooleanValueNode():
            return node.value
        case IntValueNode() | FloatValueNode():
            return Number(node.value)
        case EnumValueNode():
            return EnumName(node.value)
    return None


def _json(node: ValueNode, variables: Variables) -> Any:
    match node:
        case ObjectValueNode():
            return {field.name.value: _json(field.value, variables) for field in node.fields}
        case ListValueNode():
            return [_json(value, variables) for value in node.values]
        case VariableNode():
            variables.pins.exact.add((node.name.value,))
            raw = variables.raw(node.name.value)
            return _json(raw, variables) if isinstance(raw, ValueNode) else raw
        case IntValueNode() | FloatValueNode():
            return Number(node.value)
        case EnumValueNode():
            return node.value
    return _literal(node)
