"""A GraphQL document and the one operation of it that runs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from graphql import (
    ArgumentNode,
    DocumentNode,
    ExecutableDefinitionNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSyntaxError,
    Node,
    ObjectFieldNode,
    ObjectValueNode,
    OperationDefinitionNode,
    TokenKind,
    VariableDefinitionNode,
    VariableNode,
)
from graphql.language import Visitor, visit
from graphql.language.parser import Parser

from permissions.allow_list import normalized
from permissions.errors import GraphQLRefusal
from resolvers.documents.fragments import by_name, check_fragments

OperationKind = Literal["query", "mutation", "subscription"]
# More than any person's query: what follows is paid for each token.
MAX_TOKENS = 15_000
_TOO_LONG = f": it has more than {MAX_TOKENS:,} words and signs"


@dataclass(frozen=True, slots=True)
class Operation:
    """The operation, the fragments of its document, and the variables it declares and uses.

    `normalized` is the whole document as an allow list compares it, where there is one.
    """

    node: OperationDefinitionNode
    fragments: dict[str, FragmentDefinitionNode]
    declared: dict[str, VariableDefinitionNode]
    used: frozenset[str]
    normalized: str | None = None

    @property
    def kind(self) -> OperationKind:
        return self.node.operation.value

    @property
    def name(self) -> str | None:
        return None if self.node.name is None else self.node.name.value


def read_operation(query: str, name: str | None, *, is_compared: bool = False) -> Operation:
    """Parses a document and picks its operation; raises validation-failed in Hasura's words. `is_compared`: with an allow list."""
    document, has_shorthand = _parse(query)
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    node = _pick(operations, name, has_shorthand=has_shorthand)
    fragments = by_name(node for node in document.definitions if isinstance(node, FragmentDefinitionNode))
    check_fragments(node, fragments)
    declared: dict[str, VariableDefinitionNode] = {}
    for definition in node.variable_definitions or ():
        variable = definition.variable.name.value
        if variable in declared:
            raise GraphQLRefusal("parse-failed", f'multiple definitions for variable "{variable}"')
        declared[variable] = definition
    text = normalized(document) if is_compared else None
    return Operation(node, fragments, declared, frozenset(used_variables(node, fragments)), text)


class _Parser(Parser):
    """An argument or a field of an object that is there twice is bad syntax, wherever it stands, as in Hasura's `Draft/Parser.hs`."""

    # Whether one of the operations is a selection set alone; `query { … }` is another thing to Hasura.
    has_shorthand = False

    def parse_operation_definition(self) -> OperationDefinitionNode:
        self.has_shorthand |= self.peek(TokenKind.BRACE_L)
        return super().parse_operation_definition()

    def parse_arguments(self, is_const: bool) -> tuple[ArgumentNode, ...] | None:
        arguments = super().parse_arguments(is_const)
        self._each_once(arguments or ())
        return arguments

    def parse_object(self, is_const: bool) -> ObjectValueNode:
        value = super().parse_object(is_const)
        self._each_once(value.fields)
        return value

    def _each_once(self, named: Sequence[ArgumentNode | ObjectFieldNode]) -> None:
        if len({node.name.value for node in named}) < len(named):
            raise GraphQLSyntaxError(self._lexer.source, self._lexer.token.start, "multiple fields of one name")


def _parse(query: str) -> tuple[DocumentNode, bool]:
    try:
        parser = _Parser(query, no_location=True, max_tokens=MAX_TOKENS, allow_empty_selection_sets=False)
        document = parser.parse_document()
    except GraphQLSyntaxError as error:
        raise _unreadable(_TOO_LONG if parser.token_count > MAX_TOKENS else "") from error
    except RecursionError as error:
        raise _unreadable(": nested too deeply") from error
    if not all(isinstance(node, ExecutableDefinitionNode) for node in document.definitions):
        raise _unreadable()
    return document, parser.has_shorthand


def _unreadable(limit: str = "") -> GraphQLRefusal:
    """Clients know Hasura's sentence as a whole, so where and why is not told but of what is a limit of ours."""
    return GraphQLRefusal("validation-failed", f"not a valid graphql query{limit}", "$.query")


def _pick(operations: list[OperationDefinitionNode], name: str | None, *, has_shorthand: bool) -> OperationDefinitionNode:
    """Hasura's `getSingleOperation`."""
    if not name:
        if len(operations) != 1:
            message = "exactly one operation has to be present in the document when operationName is not specified"
            raise GraphQLRefusal("validation-failed", message)
        return operations[0]
    if has_shorthand:
        raise GraphQLRefusal("validation-failed", "operationName cannot be used when an anonymous operation exists in the document")
    # Of two that have the name the first is meant, as in Hasura.
    for operation in operations:
        if operation.name is not None and operation.name.value == name:
            return operation
    raise GraphQLRefusal("validation-failed", f'no such operation found in the document: "{name}"')


class _Names(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.variables: set[str] = set()
        self.spreads: set[str] = set()

    def enter_variable_definition(self, _node: VariableDefinitionNode, *_: object) -> object:
        return self.SKIP

    def enter_variable(self, node: VariableNode, *_: object) -> None:
        self.variables.add(node.name.value)

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: object) -> None:
        self.spreads.add(node.name.value)


def used_variables(node: Node, fragments: dict[str, FragmentDefinitionNode]) -> Iterator[str]:
    """The variables below a node, fragments included."""
    waiting: list[Node] = [node]
    seen: set[str] = set()
    while waiting:
        names = _Names()
        visit(waiting.pop(), names)
        yield from names.variables
        for spread in names.spreads - seen:
            seen.add(spread)
            if spread in fragments:
                waiting.append(fragments[spread])
