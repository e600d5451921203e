"""A metadata document as a tree in which every value knows its file and line."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

Scalar = str | int | float | bool | None
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Position:
    """Where something stands in a source file. `column` is told for JSON only, which is often a single line."""

    file: str
    line: int
    column: int | None = None

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.column is None else f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with an object of the metadata, and what to do about it. The object is left out."""

    position: Position
    sentence: str

    def __str__(self) -> str:
        return f"{self.position}: {self.sentence}"


class MetadataError(Exception):
    """The metadata can't be read or doesn't fit the database; `problems` holds one entry for each fault."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Node:
    """A value of a document: a scalar, a list of nodes, or a mapping of names to nodes."""

    value: "Scalar | list[Node] | dict[str, Node]"
    position: Position
    # The keys that somebody looked at.
    read: set[str] = field(default_factory=set, compare=False, repr=False)

    def plain(self) -> Any:
        """The value as JSON, without positions."""
        match self.value:
            case dict():
                return {key: node.plain() for key, node in self.value.items()}
            case list():
                return [node.plain() for node in self.value]
        return self.value

    def error(self, sentence: str) -> MetadataError:
        return MetadataError(Problem(self.position, sentence))

    def mapping(self, what: str) -> "dict[str, Node]":
        """All keys, for whoever looks at each of them."""
        found = self._mapping(what)
        self.read.update(found)
        return found

    def _mapping(self, what: str) -> "dict[str, Node]":
        if isinstance(self.value, dict):
            return self.value
        raise self.error(f"{what} has to be a mapping.")

    def items(self, what: str) -> "list[Node]":
        """The entries of a list; null counts as an empty one."""
        if self.value is None:
            return []
        if isinstance(self.value, list):
            return self.value
        raise self.error(f"{what} has to be a list.")

    def text(self, what: str) -> str:
        if isinstance(self.value, str):
            return self.value
        raise self.error(f"{what} has to be a text.")

    def flag(self, what: str) -> bool:
        if isinstance(self.value, bool):
            return self.value
        raise self.error(f"{what} has to be true or false.")

    def get(self, key: str) -> "Node | None":
        """The value under a key of a mapping; null counts as absent."""
        node = self._mapping("This").get(key)
        self.read.add(key)
        return None if node is None or node.value is None else node

    def required(self, key: str, what: str) -> "Node":
        """The value under a key; raises MetadataError when it is absent."""
        node = self.get(key)
        if node is None:
            raise self.error(f"{what} needs `{key}`.")
        return node

    def only(self, known: frozenset[str], what: str) -> None:
        """Refuses keys that nobody reads: a misspelt `limit` must not widen a permission."""
        for key, node in self._mapping(what).items():
            if key not in known:
                raise node.error(f"{what} has no key `{key}`; it takes {', '.join(sorted(known))}.")

    def unread(self) -> "Iterator[tuple[str, Node]]":
        """The keys below that nobody looked at, and that say something. What was passed on as a whole was looked at as a whole."""
        match self.value:
            case dict() if self.read:
                for key, node in self.value.items():
                    if key in self.read:
                        yield from node.unread()
                    elif node.value not in (None, [], {}):
                        yield key, node
            case list():
                for entry in self.value:
                    yield from entry.unread()


def each(node: Node | None, what: str, read: Callable[[Node], T], problems: list[Problem]) -> tuple[T, ...]:
    """Reads the entries of a list; a malformed entry is left out and noted."""
    results = []
    try:
        entries = [] if node is None else node.items(what)
    except MetadataError as error:
        problems.extend(error.problems)
        return ()
    for entry in entries:
        try:
            results.append(read(entry))
        except MetadataError as error:
            problems.extend(error.problems)
    return tuple(results)
