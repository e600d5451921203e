"""RFC 6902 as a client applies it."""

import copy
from typing import Any


def applied(operations: list[dict[str, Any]], document: Any) -> Any:
    """The document after the operations; what they name must be there, as the RFC says."""
    whole = {"": copy.deepcopy(document)}
    for operation in operations:
        parent: Any = whole
        *way, last = operation["path"].split("/")
        for step in way:
            parent = parent[_key(parent, step)]
        _apply(operation, parent, _key(parent, last))
    return whole[""]


def _apply(operation: dict[str, Any], parent: Any, key: Any) -> None:
    match operation["op"]:
        case "add" if isinstance(parent, list):
            assert 0 <= key <= len(parent)
            parent.insert(key, operation["value"])
        case "add":
            parent[key] = operation["value"]
        case "remove":
            del parent[key]
        case "replace":
            assert isinstance(parent, list) or key in parent
            parent[key] = operation["value"]
        case other:
            raise AssertionError(other)


def _key(parent: Any, step: str) -> Any:
    return int(step) if isinstance(parent, list) else step.replace("~1", "/").replace("~0", "~")
