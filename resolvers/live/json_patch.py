"""RFC 6902: what turns one JSON value into another, in one pass over both.

Rows of a list are told apart by their `id`, or by all that is in them where they have none. Rows that changed their order are removed and
added: to find the shortest patch there is would take a time that grows with the square of the list.
"""

from collections import Counter, deque
from collections.abc import Hashable, Iterator, Sequence
from typing import Any, Final

from resolvers.documents.exact_json import Number, json_text

Operation = dict[str, Any]

# What is nested deeper is compared as a whole.
_DEEPEST: Final = 32


def patch(before: Any, after: Any, path: str = "", depth: int = 0) -> Iterator[Operation]:
    """The operations in their order; `path` is the JSON pointer of both values, whose numbers are `exact_json.Number`."""
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict) and depth < _DEEPEST:
        yield from _object(before, after, path, depth + 1)
    elif isinstance(before, list) and isinstance(after, list) and depth < _DEEPEST:
        yield from _list(before, after, path, depth + 1)
    else:
        yield {"op": "replace", "path": path, "value": after}


def _object(before: dict[str, Any], after: dict[str, Any], path: str, depth: int) -> Iterator[Operation]:
    for key in before:
        if key not in after:
            yield {"op": "remove", "path": f"{path}/{_escaped(key)}"}
    for key, value in after.items():
        place = f"{path}/{_escaped(key)}"
        if key in before:
            yield from patch(before[key], value, place, depth)
        else:
            yield {"op": "add", "path": place, "value": value}


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _list(before: list[Any], after: list[Any], path: str, depth: int) -> Iterator[Operation]:
    """Between the rows that are the same at the beginning and at the end."""
    start = _alike(before, after)
    end = _alike(before[: start - 1 if start else None : -1], after[: start - 1 if start else None : -1])
    yield from _rows(before[start : len(before) - end], after[start : len(after) - end], path, depth, start)


def _alike(one: Sequence[Any], other: Sequence[Any]) -> int:
    """How many of their first elements are the same."""
    shorter = min(len(one), len(other))
    return next((index for index in range(shorter) if one[index] != other[index]), shorter)


def _rows(old: list[Any], new: list[Any], path: str, depth: int, at: int) -> Iterator[Operation]:
    """Goes along both. At `at` the list has the next of the old rows that are left, and before it the new ones."""
    left, wanted = deque((_name(row), row) for row in old), deque((_name(row), row) for row in new)
    has, wants = Counter(name for name, _ in left), Counter(name for name, _ in wanted)
    while left or wanted:
        gone = bool(left) and not wants[left[0][0]]
        comes = bool(wanted) and not has[wanted[0][0]]
        if left and wanted and (left[0][0] == wanted[0][0] or (gone and comes)):
            yield from patch(_next(left, has), _next(wanted, wants), f"{path}/{at}", depth)
            at += 1
        elif comes and not gone:
            yield {"op": "add", "path": f"{path}/{at}", "value": _next(wanted, wants)}
            at += 1
        else:
            _next(left, has)
            yield {"op": "remove", "path": f"{path}/{at}"}


def _next(rows: deque[tuple[Hashable, Any]], names: Counter[Hashable]) -> Any:
    name, row = rows.popleft()
    names[name] -= 1
    return row


def _name(row: Any) -> Hashable:
    key = row.get("id") if isinstance(row, dict) else None
    return key if isinstance(key, (str, Number)) else json_text(row)
