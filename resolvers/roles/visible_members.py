"""Which members of each type a role sees, after whatever leads nowhere is gone. Names alone: no type is made for it."""

from collections.abc import Callable, Set
from typing import Any

from resolvers.roles.shape import NO_QUERIES, Shape
from resolvers.roles.visibility import Visibility

# By the names of a root and of a hand-written field in it: whether the role sees that.
SeesAction = Callable[[str, str], bool]


class VisibleMembers:
    """`of` holds the visible members of each type, `pruned` the types with none left."""

    def __init__(self, shape: Shape, visibility: Visibility, sees_action: SeesAction) -> None:
        self._shape, self._sees_action, self._selects = shape, sees_action, visibility.selects
        self._hidden = {key for key, meaning in shape.distinct.items() if not visibility.sees(meaning)}
        self.of: dict[str, Set[str]] = {name: self._initially(name) for name in shape.meanings}
        self.pruned: set[str] = set()
        # Rows that a role may insert stay, also where every column is preset: it gives an empty object.
        self._kept = set(shape.rows_to_insert(self.of))
        for name in [name for name, members in self.of.items() if not members]:
            self._prune(name)
        self.of[shape.query] = (self.of[shape.query] - {NO_QUERIES}) or {NO_QUERIES}
        self.pruned.discard(shape.query)

    def reached(self) -> set[str]:
        """All types that the role's schema holds."""
        found = set(self._shape.always)
        waiting = [root for root in self._shape.roots if root not in self.pruned]
        found.update(waiting)
        while waiting:
            name = waiting.pop()
            references = self._shape.references.get(name)
            if references is None:
                continue
            for member in self.of[name]:
                for other in references[member]:
                    if other not in found and other not in self.pruned:
                        found.add(other)
                        waiting.append(other)
        return found

    def hides(self, name: str) -> bool:
        """Whether the role sees something else of the type than what is there."""
        return name in self.of and self.of[name] != self._shape.meanings[name].keys()

    def _initially(self, name: str) -> Set[str]:
        """Of most types all members, for which no set is made."""
        meanings = self._shape.meanings[name]
        if name in self._shape.roots:
            return {member for member, meaning in meanings.items() if self._sees_root(name, member, meaning)}
        if self._hidden.isdisjoint(self._shape.meant[name]):
            return meanings.keys()
        visible = {member for member, meaning in meanings.items() if id(meaning) not in self._hidden}
        # Hasura: an enum without a value has a placeholder, so that an empty list of it can be given.
        return visible or set(self._shape.enums.get(name, ()))

    def _sees_root(self, root: str, name: str, meaning: Any) -> bool:
        if meaning is None:
            return name == NO_QUERIES or self._sees_action(root, name)
        return id(meaning) not in self._hidden

    def _prune(self, name: str) -> None:
        """A type without a visible member goes, and with it members of that type, or that need an argument of it, and so on."""
        waiting = [name]
        while waiting:
            gone = waiting.pop()
            if gone in self.pruned or self._stays(gone):
                continue
            self.pruned.add(gone)
            for owner, member, needs, required in self._shape.referrers.get(gone, ()):
                members = self.of[owner]
                if not needs or member not in members:
                    continue
                # Nobody could give an input object without what it needs.
                lost = required and owner in self._shape.inputs
                self.of[owner] = set[str]() if lost else members - {member}
                if not self.of[owner]:
                    waiting.append(owner)

    def _stays(self, name: str) -> bool:
        """Though it is empty. Rows that may be selected have `__typename`, without any column (Hasura: `defaultTableSelectionSet`)."""
        table = self._shape.rows.get(name)
        return name in self._kept or (table is not None and self._selects(table))


def changed(shape: Shape, visible: VisibleMembers, reached: Set[str], others: Set[str]) -> set[str]:
    """The types that are not the whole schema's own for this role: `others`, where something is hidden, and what leads to one of those."""
    found = {name for name in reached if visible.hides(name)} | (others & reached)
    # What has lost an argument whose type is gone.
    for gone in visible.pruned:
        found.update(owner for owner, member, *_ in shape.referrers.get(gone, ()) if owner in reached and member in visible.of[owner])
    waiting = list(found)
    while waiting:
        for owner, member, *_ in shape.referrers.get(waiting.pop(), ()):
            if owner not in found and owner in reached and member in visible.of[owner]:
                found.add(owner)
                waiting.append(owner)
    return found
