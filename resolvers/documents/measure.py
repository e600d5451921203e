"""How large an operation is by the words of `api_limits`: its nodes, which are fields with fields below them, and how deep they lie."""

from graphql import FieldNode, FragmentSpreadNode, InlineFragmentNode, SelectionSetNode

from permissions.api_limits import ApiLimits, limit_of
from permissions.errors import GraphQLRefusal
from resolvers.documents.document import Operation

# Hasura: introspection is measured by none of both.
_INTROSPECTION = frozenset({"__schema", "__type"})
_Size = tuple[int, int]


def check_size(operation: Operation, limits: ApiLimits, role: str) -> None:
    """Raises depth-limit-exceeded or node-limit-exceeded. Whatever is written counts, also where @skip leaves it out this time."""
    most_deep, most_nodes = limit_of(limits.depth, role), limit_of(limits.nodes, role)
    if most_deep is None and most_nodes is None:
        return
    depth, nodes = _Measuring(operation).size(operation.node.selection_set)
    if most_deep is not None and depth > most_deep:
        raise GraphQLRefusal("depth-limit-exceeded", f"the operation is {depth} levels deep; at most {most_deep} are allowed")
    if most_nodes is not None and nodes > most_nodes:
        raise GraphQLRefusal("node-limit-exceeded", f"the operation has more than {most_nodes} nodes, which is the most allowed")


class _Measuring:
    """A fragment is looked at once, however often it is spread, and counts each time."""

    def __init__(self, operation: Operation) -> None:
        self._fragments = operation.fragments
        self._known: dict[str, _Size] = {}

    def size(self, selections: SelectionSetNode) -> _Size:
        """Depth and nodes of a selection set."""
        depth = nodes = 0
        for selection in selections.selections:
            match selection:
                case FieldNode(selection_set=SelectionSetNode() as below) if selection.name.value not in _INTROSPECTION:
                    inner = self.size(below)
                    deep, many = 1 + inner[0], 1 + inner[1]
                case InlineFragmentNode():
                    deep, many = self.size(selection.selection_set)
                case FragmentSpreadNode():
                    deep, many = self._fragment(selection.name.value)
                case _:
                    continue
            depth, nodes = max(depth, deep), nodes + many
        return depth, nodes

    def _fragment(self, name: str) -> _Size:
        if name not in self._known:
            fragment = self._fragments.get(name)
            # One that is not there is refused where fields are collected.
            self._known[name] = (0, 0) if fragment is None else self.size(fragment.selection_set)
        return self._known[name]
