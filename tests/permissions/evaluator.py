"""Rules decided row by row in Python, with three truth values: a second opinion that knows no SQL."""

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tests.permissions.random_rules import COLUMNS, NOT_NULL, RELATIONSHIPS

Row = Mapping[str, Any]
Rows = Mapping[str, list[dict[str, Any]]]
Truth = bool | None

_MOODS = ["calm", "glad", "sad"]
_ALIASES = {"$eq": "_eq", "_ne": "_neq", "_cne": "_cneq"}
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "_eq": operator.eq,
    "_neq": operator.ne,
    "_gt": operator.gt,
    "_lt": operator.lt,
    "_gte": operator.ge,
    "_lte": operator.le,
}
_MATCH: dict[str, Callable[[str, str], bool]] = {
    "like": lambda text, pattern: bool(re.fullmatch(_like(pattern), text)),
    "ilike": lambda text, pattern: bool(re.fullmatch(_like(pattern), text, re.IGNORECASE)),
    "similar": lambda text, pattern: bool(re.fullmatch(pattern.replace("%", ".*"), text)),
    "regex": lambda text, pattern: bool(re.search(pattern, text)),
    "iregex": lambda text, pattern: bool(re.search(pattern, text, re.IGNORECASE)),
}


def visible(rule: Any, table: str, rows: Rows, session: Mapping[str, str]) -> list[int]:
    """The ids of the rows for which the rule is true: neither false nor unknown."""
    judge = _Judge(rows, session)
    return [row["id"] for row in rows[table] if judge.rule(rule, table, row, (table, row)) is True]


def both(values: Iterable[Truth]) -> Truth:
    found = set(values)
    return False if False in found else None if None in found else True


def either(values: Iterable[Truth]) -> Truth:
    return negated(both(negated(value) for value in list(values)))


def negated(value: Truth) -> Truth:
    return None if value is None else not value


class _Judge:
    def __init__(self, rows: Rows, session: Mapping[str, str]) -> None:
        self.rows, self.session = rows, session

    def rule(self, rule: Any, table: str, row: Row, root: tuple[str, Row]) -> Truth:
        return both([self.term(key, value, table, row, root) for key, value in rule.items()])

    def term(self, key: str, value: Any, table: str, row: Row, root: tuple[str, Row]) -> Truth:
        if key == "_and":
            return both([self.rule(part, table, row, root) for part in value])
        if key == "_or":
            return either([self.rule(part, table, row, root) for part in value])
        if key == "_not":
            return negated(self.rule(value, table, row, root))
        if key == "_exists":
            target = value["_table"]
            return any(self.rule(value["_where"], target, other, root) is True for other in self.rows[target])
        if key in RELATIONSHIPS[table]:
            target, own, theirs = RELATIONSHIPS[table][key]
            joined = [other for other in self.rows[target] if row[own] is not None and other[theirs] == row[own]]
            return any(self.rule(value, target, other, root) is True for other in joined)
        return both([self.compare(_ALIASES.get(name, name), operand, table, key, row, root) for name, operand in value.items()])

    def compare(self, name: str, operand: Any, table: str, column: str, row: Row, root: tuple[str, Row]) -> Truth:
        left, kind = row[column], COLUMNS[table][column]
        if name == "_is_null":
            return (left is None) is operand
        if name.startswith("_c") and name[2:] in {"eq", "neq", "gt", "lt", "gte", "lte"}:
            right = root[1][operand[1]] if isinstance(operand, list) else row[operand]
            return self.plain(f"_{name[2:]}", left, right, kind)
        if name in ("_in", "_nin"):
            found = either([self.plain("_eq", left, value, kind) for value in self.many(operand)])
            return found if name == "_in" else negated(found)
        right = self.value(operand, kind)
        if right is None and name in ("_eq", "_neq") and (table, column) not in NOT_NULL:
            # `(c = v) OR (c IS NULL AND v IS NULL)` and `(c <> v) OR (c IS NOT NULL AND v IS NULL)` with v null.
            return True if (left is None) is (name == "_eq") else None
        return self.plain(name, left, right, kind)

    def value(self, operand: Any, kind: str) -> Any:
        if not (isinstance(operand, str) and operand.lower().startswith("x-hasura-")):
            return operand
        text = self.session[operand.lower()]
        return int(text) if kind == "int" else text

    def many(self, operand: Any) -> list[Any]:
        if isinstance(operand, list):
            return operand
        return [int(number) for number in self.session[operand.lower()].strip("{}").split(",") if number]

    def plain(self, name: str, left: Any, right: Any, kind: str) -> Truth:
        if left is None or right is None:
            return None
        if name in _COMPARE:
            ordered = (_MOODS.index(left), _MOODS.index(right)) if kind == "mood" else (left, right)
            return _COMPARE[name](*ordered)
        if name.startswith(("_has_key", "_contain")):
            return _inside(name, left, right)
        bare = name[1:]
        return _MATCH[bare](left, right) if bare in _MATCH else not _MATCH[bare[1:]](left, right)


def _like(pattern: str) -> str:
    parts = re.findall(r"\\.|.", pattern)
    return "".join({"%": ".*", "_": "."}.get(part, re.escape(part[-1])) for part in parts)


def _inside(name: str, left: Any, right: Any) -> bool:
    match name:
        case "_has_key":
            return right in left
        case "_has_keys_any":
            return any(key in left for key in right)
        case "_has_keys_all":
            return all(key in left for key in right)
        case "_contained_in":
            left, right = right, left
    return right.items() <= left.items() if isinstance(right, dict) else set(right) <= set(left)
