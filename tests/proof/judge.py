"""What a role sees of rows, decided row by row with three truth values: a second opinion that knows no SQL."""

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.proof.roles import Role, Select
from tests.proof.schemas import Row, Rows, Schema

Truth = bool | None
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "neq": operator.ne,
    "gt": operator.gt,
    "lt": operator.lt,
    "gte": operator.ge,
    "lte": operator.le,
}


def both(values: Iterable[Truth]) -> Truth:
    found = set(values)
    return False if False in found else None if None in found else True


def either(values: Iterable[Truth]) -> Truth:
    return negated(both([negated(value) for value in values]))


def negated(value: Truth) -> Truth:
    return None if value is None else not value


@dataclass(frozen=True, slots=True)
class Judge:
    """Decides over `rows` as they are at one moment."""

    schema: Schema
    rows: Rows
    role: Role
    session: Mapping[str, str]

    def holds(self, rule: Mapping[str, Any], table: str, row: Row) -> bool:
        """Whether a rule is true, neither false nor unknown."""
        return self._all(rule, table, row, (table, row), asked=False) is True

    def found(self, where: Mapping[str, Any], table: str, row: Row) -> bool:
        """Whether a caller's condition is true of a row that the role sees."""
        return self._all(where, table, row, (table, row), asked=True) is True

    def sees(self, table: str, row: Row) -> bool:
        return any(self.holds(one.filter, table, row) for one in self.role.select.get(table, []))

    def visible(self, table: str) -> list[Row]:
        return [row for row in self.rows[table] if self.sees(table, row)]

    def value(self, table: str, row: Row, name: str) -> Any:
        """A column or computed field, whoever asks."""
        if name in row:
            return row[name]
        column, more = self.schema[table].computed[name]
        return None if row[column] is None else row[column] + more

    def cell(self, table: str, row: Row, name: str) -> Any:
        """The same as the role sees it: null where none of its parents that read it sees the row, if others don't read it."""
        having = [one for one in self.role.select[table] if _reads(one, name)]
        if len(having) == len(self.role.select[table]) or any(self.holds(one.filter, table, row) for one in having):
            return self.value(table, row, name)
        return None

    def related(self, table: str, row: Row, name: str) -> list[Row]:
        way = self.schema[table].ways[name]
        return [other for other in self.rows[way.target] if row[way.own] is not None and other[way.theirs] == row[way.own]]

    def _all(self, terms: Mapping[str, Any], table: str, row: Row, root: tuple[str, Row], *, asked: bool) -> Truth:
        return both([self._term(key, value, table, row, root, asked=asked) for key, value in terms.items()])

    def _term(self, key: str, value: Any, table: str, row: Row, root: tuple[str, Row], *, asked: bool) -> Truth:
        match key:
            case "_and":
                return both([self._all(part, table, row, root, asked=asked) for part in value])
            case "_or":
                return either([self._all(part, table, row, root, asked=asked) for part in value])
            case "_not":
                return negated(self._all(value, table, row, root, asked=asked))
            case "_exists":
                target = value["_table"]
                return any(self._all(value["_where"], target, other, root, asked=False) is True for other in self.rows[target])
        if key in self.schema[table].ways:
            return bool(self._related(table, row, key, value, root, asked=asked))
        if key.endswith("_aggregate"):
            count = value["count"]
            found = self._related(table, row, key.removesuffix("_aggregate"), count["filter"], root, asked=asked)
            return both([_COMPARE[name[1:]](len(found), operand) for name, operand in count["predicate"].items()])
        left = self.cell(table, row, key) if asked else self.value(table, row, key)
        return both([self._compare(left, name, operand, row, root) for name, operand in value.items()])

    def _related(self, table: str, row: Row, name: str, where: Mapping[str, Any], root: tuple[str, Row], *, asked: bool) -> list[Row]:
        target = self.schema[table].ways[name].target
        rows = [other for other in self.related(table, row, name) if not asked or self.sees(target, other)]
        return [other for other in rows if self._all(where, target, other, root, asked=asked) is True]

    def _compare(self, left: Any, name: str, operand: Any, row: Row, root: tuple[str, Row]) -> Truth:
        bare = name[1:]
        if bare == "is_null":
            return (left is None) is operand
        if bare.startswith("c"):
            right = root[1][operand[1]] if isinstance(operand, list) else row[operand]
            return _compared(bare[1:], left, right)
        if bare in ("in", "nin"):
            found = either([_compared("eq", left, value) for value in self._many(operand)])
            return found if bare == "in" else negated(found)
        if left is None:
            return None
        if bare in ("like", "nlike"):
            return _like(left, operand) is (bare == "like")
        return _compared(bare, left, self.known(operand, left))

    def known(self, operand: Any, like: Any) -> Any:
        """An operand, or the session's value for it, of the type of `like`."""
        if not is_variable(operand):
            return operand
        text = self.session[operand.lower()]
        return int(text) if isinstance(like, int) else text

    def _many(self, operand: Any) -> list[Any]:
        if not is_variable(operand):
            return list(operand)
        return [int(number) for number in self.session[operand.lower()].strip("{}").split(",") if number]


def is_variable(operand: Any) -> bool:
    return isinstance(operand, str) and operand.lower().startswith("x-hasura-")


def _reads(one: Select, name: str) -> bool:
    return one.computed if name == "more" else name in one.columns


def _compared(name: str, left: Any, right: Any) -> Truth:
    return None if left is None or right is None else _COMPARE[name](left, right)


def _like(text: str, pattern: str) -> bool:
    if pattern == "%":
        return True
    return text.startswith(pattern[:-1]) if pattern.endswith("%") else text.endswith(pattern[1:])
