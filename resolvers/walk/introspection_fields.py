"""The walk over `__schema` and `__type`: validated like hand-written fields, and held to a depth of their own."""

from graphql import FieldNode, GraphQLField

from permissions.errors import GraphQLRefusal
from resolvers.documents.collect import Selected
from resolvers.walk.hand_written_fields import HandWrittenRoot, hand_written_root
from resolvers.walk.walk import Walk

# Each of them lists what the one before has found, so that the answer is a power of the schema (graphql-js: MaxIntrospectionDepthRule).
_LISTS = frozenset({"fields", "inputFields", "interfaces", "possibleTypes"})
_LISTS_INSIDE = 2
# `__schema { types { fields { args { type { ofType …` of the tools in use is fourteen deep.
_DEPTH = 25


def introspection_root(walk: Walk, selected: Selected, definition: GraphQLField) -> HandWrittenRoot:
    """Raises validation-failed for what goes in circles through the schema, and not-supported for a role that may not ask for its own."""
    if not walk.rules.introspection:
        raise GraphQLRefusal("not-supported", f'introspection is disabled for role: "{walk.rules.role}"')
    root = hand_written_root(walk, selected, definition)
    _check_depth(root.node, root.path, 1, 0)
    return root


def _check_depth(node: FieldNode, path: str, depth: int, lists: int) -> None:
    if node.selection_set is None:
        return
    lists += node.name.value in _LISTS
    if lists > _LISTS_INSIDE:
        raise GraphQLRefusal("validation-failed", f"introspection lists fields at most {_LISTS_INSIDE} deep: name the type", path)
    if depth > _DEPTH:
        raise GraphQLRefusal("validation-failed", f"introspection is nested deeper than {_DEPTH} levels", path)
    for inner in node.selection_set.selections:
        if isinstance(inner, FieldNode):
            _check_depth(inner, f"{path}.selectionSet.{inner.name.value}", depth + 1, lists)
