"""The variables of one request while it is compiled: what is declared, given and used, and what the plan depends on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLList, GraphQLNonNull, GraphQLType, NonNullTypeNode, NullValueNode, TypeNode, ValueNode, print_ast
from graphql.language import ListTypeNode, NamedTypeNode

from permissions.errors import GraphQLRefusal
from resolvers.documents.document import Operation
from resolvers.documents.variable_shape import Pins, VariablePath


@dataclass(frozen=True, slots=True)
class Absent:
    """A nullable variable without value and default."""


@dataclass(frozen=True, slots=True)
class Given:
    """A variable's JSON value."""

    value: Any
    path: VariablePath


@dataclass(slots=True)
class Variables:
    """`pins` collects which leaves are compiled into the plan, so that the plan cache can tell requests apart.

    With `once` the plan is made for these values alone and not kept.
    """

    operation: Operation
    values: Mapping[str, Any]
    pins: Pins = field(default_factory=Pins)
    once: bool = False

    def check(self) -> None:
        """Hasura's rules before execution: no unexpected values, no missing ones, no null where the type forbids it."""
        if unexpected := [name for name in self.values if name not in self.operation.used]:
            raise GraphQLRefusal("validation-failed", f"unexpected variables in variableValues: {', '.join(unexpected)}")
        for name, definition in self.operation.declared.items():
            if not isinstance(definition.type, NonNullTypeNode):
                continue
            if name not in self.values and definition.default_value is None:
                raise GraphQLRefusal("validation-failed", f'expecting a value for non-nullable variable: "{name}"')
            if name in self.values and self.values[name] is None:
                raise GraphQLRefusal("validation-failed", f'null value found for non-nullable type: "{print_ast(definition.type)}"')

    def raw(self, name: str) -> Any:
        """A variable inside a literal where any type may stand: its JSON, the literal of its default, or None."""
        if name not in self.operation.declared:
            raise GraphQLRefusal("validation-failed", f'unbound variable "{name}"')
        return self.values.get(name) if name in self.values else self.operation.declared[name].default_value

    def read(self, name: str, expected: GraphQLType, path: str) -> Given | ValueNode | Absent:
        """The variable's value where a value of type `expected` stands: JSON, or the literal of its default."""
        if name not in self.operation.declared:
            raise GraphQLRefusal("validation-failed", f'unbound variable "{name}"')
        definition = self.operation.declared[name]
        # Hasura's `hasNonNullDefault`, as in the specification: null in place of a missing value is no value either.
        has_default = definition.default_value is not None and not isinstance(definition.default_value, NullValueNode)
        if not _usable(definition.type, expected, has_default):
            declared = print_ast(definition.type)
            raise GraphQLRefusal(
                "validation-failed", f"variable '{name}' is declared as '{declared}', but used where '{expected}' is expected", path
            )
        if name in self.values:
            return Given(self.values[name], (name,))
        return definition.default_value if definition.default_value is not None else Absent()


def _usable(declared: TypeNode, expected: GraphQLType, has_default: bool) -> bool:
    """Hasura compares names and list depth; nullability matters at the outermost level only."""
    if isinstance(expected, GraphQLNonNull) and not isinstance(declared, NonNullTypeNode) and not has_default:
        return False
    return _same(declared, expected)


def _same(declared: TypeNode, expected: GraphQLType) -> bool:
    if isinstance(declared, NonNullTypeNode):
        return _same(declared.type, expected)
    if isinstance(expected, GraphQLNonNull):
        return _same(declared, expected.of_type)
    if isinstance(expected, GraphQLList):
        return isinstance(declared, ListTypeNode) and _same(declared.type, expected.of_type)
    return isinstance(declared, NamedTypeNode) and declared.name.value == str(expected)
