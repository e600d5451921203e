"""The fragments that an operation spreads; the others are not looked at. As in Hasura's `Execute/Inline.hs`."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from graphql import FieldNode, FragmentDefinitionNode, FragmentSpreadNode, OperationDefinitionNode, SelectionNode

from permissions.errors import GraphQLRefusal

Fragments = dict[str, FragmentDefinitionNode]


def by_name(nodes: Iterable[FragmentDefinitionNode]) -> Fragments:
    """Raises parse-failed for two of one name."""
    fragments: Fragments = {}
    for node in nodes:
        if node.name.value in fragments:
            raise GraphQLRefusal("parse-failed", f'multiple definitions for fragment "{node.name.value}"')
        fragments[node.name.value] = node
    return fragments


@dataclass(frozen=True, slots=True)
class _Level:
    """Selections that are still to be looked at, below a field or, with its name, in a fragment."""

    left: Iterator[SelectionNode]
    step: str
    fragment: str | None = None


def check_fragments(operation: OperationDefinitionNode, fragments: Fragments) -> None:
    """Raises validation-failed for a fragment that is not there, and for one that contains itself: its selection would have no end.

    Each is gone through once. There is no recursion: fragments that lead to fragments may be thousands.
    """
    levels, done = [_Level(iter(operation.selection_set.selections), "$")], set[str]()
    while levels:
        selection = next(levels[-1].left, None)
        match selection:
            case None:
                done.add(levels.pop().fragment or "")
            case FragmentSpreadNode():
                name = selection.name.value
                if name not in done:
                    levels.append(_Level(iter(_found(name, levels, fragments).selection_set.selections), f"selectionSet.{name}", name))
            case FieldNode():
                below = selection.selection_set
                levels.append(_Level(iter(below.selections if below else ()), f"selectionSet.{selection.name.value}"))
            case _:
                levels.append(_Level(iter(selection.selection_set.selections), ""))  # type: ignore[attr-defined]


def _found(name: str, levels: Sequence[_Level], fragments: Fragments) -> FragmentDefinitionNode:
    path = ".".join(level.step for level in levels if level.step) + ".selectionSet"
    around = [level.fragment for level in levels if level.fragment is not None]
    if name in around:
        cycle = [f'"{each}"' for each in around[around.index(name) :]]
        raise GraphQLRefusal("validation-failed", f"the fragment definition(s) {_english(cycle)} form a cycle", path)
    if name not in fragments:
        raise GraphQLRefusal("validation-failed", f'reference to undefined fragment "{name}"', path)
    return fragments[name]


def _english(names: Sequence[str]) -> str:
    if len(names) < 3:
        return " and ".join(names)
    return f"{', '.join(names[:-1])}, and {names[-1]}"
