"""Keys of root fields in the answer. One that stands in a namespace has a key of two parts: its value lies below the namespace's key."""

from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")

# No key of a document has a dot. Hasura names such root fields the same way (`RootFieldAlias`).
_BELOW = "."


def key_in(namespace: str, key: str) -> str:
    """The key of a root field below the namespace that the answer calls so."""
    return f"{namespace}{_BELOW}{key}"


def own_keys(keys: Iterable[str]) -> set[str]:
    """The keys of the document's own root fields: a namespace is one, whatever is in it."""
    return {key.partition(_BELOW)[0] for key in keys}


def nested(fields: Iterable[tuple[str, T]], together: Callable[[list[tuple[str, T]]], T]) -> list[tuple[str, T]]:
    """The members of the answer: of a namespace's fields `together` makes one. Hasura: `unflattenNamespaces`."""
    members: dict[str, list[tuple[str, T]]] = {}
    for name, value in fields:
        key, _, inner = name.partition(_BELOW)
        members.setdefault(key, []).append((inner, value))
    return [(key, together(below) if below[0][0] else below[0][1]) for key, below in members.items()]
