"""The fields of a selection set: fragments spread, `@include` and `@skip` decided, equal response keys merged."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
    print_ast,
)

from permissions.errors import GraphQLRefusal
from resolvers.documents.directives import is_included
from resolvers.documents.document import Operation
from resolvers.documents.limits import FIELD, Budget
from resolvers.documents.variables import Variables

_PLACES: Mapping[type[SelectionNode], str] = {
    FieldNode: "a field",
    # Hasura spreads fragments before it looks at directives.
    FragmentSpreadNode: "an inline fragment",
    InlineFragmentNode: "an inline fragment",
}


@dataclass(frozen=True, slots=True)
class Selected:
    """One field of the answer. `path` is made of field names, as Hasura's errors are; `sets` are the selections below it."""

    key: str
    node: FieldNode
    path: str
    sets: tuple[SelectionSetNode, ...]

    @property
    def name(self) -> str:
        return self.node.name.value


@dataclass(slots=True)
class Collector:
    """Collects the fields of one operation."""

    operation: Operation
    variables: Variables
    budget: Budget
    _printed: dict[int, dict[str, str]] = field(default_factory=dict)

    def collect(self, type_name: str, sets: Iterable[SelectionSetNode], path: str) -> list[Selected]:
        """The fields that a value of the object type answers, in order; raises validation-failed for what can't be merged."""
        fields: dict[str, Selected] = {}
        spread: set[str] = set()
        for selection_set in sets:
            for node in self._nodes(type_name, selection_set, spread, path):
                self._add(fields, node, path)
        return list(fields.values())

    def _add(self, fields: dict[str, Selected], node: FieldNode, path: str) -> None:
        key = node.alias.value if node.alias else node.name.value
        below = (node.selection_set,) if node.selection_set else ()
        present = fields.get(key)
        if present is None:
            fields[key] = Selected(key, node, f"{path}.selectionSet.{node.name.value}", below)
        elif present.name != node.name.value:
            both = f"selection of both '{present.name}' and '{node.name.value}' specify the same response name, '{key}'"
            raise GraphQLRefusal("validation-failed", both, f"{path}.selectionSet")
        elif self._arguments(present.node) != self._arguments(node):
            inconsistent = f"inconsistent arguments between multiple selections of field '{present.name}'"
            raise GraphQLRefusal("validation-failed", inconsistent, f"{path}.selectionSet")
        else:
            fields[key] = Selected(key, present.node, present.path, present.sets + below)

    def _arguments(self, node: FieldNode) -> dict[str, str]:
        """Printed once a node: a fragment may be spread many times."""
        if id(node) not in self._printed:
            self._printed[id(node)] = {argument.name.value: print_ast(argument.value) for argument in node.arguments or ()}
        return self._printed[id(node)]

    def _nodes(self, type_name: str, selection_set: SelectionSetNode, spread: set[str], path: str) -> Iterator[FieldNode]:
        for selection in selection_set.selections:
            # Whatever stands there is looked at, each time its fragment is spread.
            self.budget.spend(FIELD + len(selection.directives or ()), path)
            if selection.directives and not self._is_included(selection, path):
                continue
            match selection:
                case FieldNode():
                    self.budget.spend(len(selection.arguments or ()), path)
                    yield selection
                case InlineFragmentNode():
                    condition = selection.type_condition
                    if condition is None or condition.name.value == type_name:
                        yield from self._nodes(type_name, selection.selection_set, spread, path)
                case FragmentSpreadNode():
                    yield from self._spread(type_name, selection.name.value, spread, path)

    def _is_included(self, selection: SelectionNode, path: str) -> bool:
        return is_included(selection.directives or (), _PLACES[type(selection)], f"{path}.selectionSet", self.variables)

    def _spread(self, type_name: str, name: str, spread: set[str], path: str) -> Iterator[FieldNode]:
        if name in spread:
            return
        spread.add(name)
        fragment = self.operation.fragments[name]
        # Hasura drops a fragment on another type without a word.
        if fragment.type_condition.name.value == type_name:
            yield from self._nodes(type_name, fragment.selection_set, spread, path)
