"""What a role's writes make of rows, and what stops them: statement by statement, each of which sees the rows from before it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.proof.judge import Judge, is_variable
from tests.proof.roles import Role
from tests.proof.schemas import Row, Rows, Schema, clashes


class Denied(Exception):
    """A written row fails the permission's check."""


class Broken(Exception):
    """PostgreSQL's own constraints, or a row that is met twice, stop the statement."""


@dataclass(frozen=True, slots=True)
class Conflict:
    constraint: str
    columns: tuple[str, ...]
    where: Mapping[str, Any]


@dataclass(slots=True)
class Store:
    """Rows that a role's session changes. Any exception leaves them half changed: the request is rolled back."""

    schema: Schema
    rows: Rows
    role: Role
    session: Mapping[str, str]
    affected: int = 0
    written: list[Row] = field(default_factory=list)

    def judge(self) -> Judge:
        """Over the rows as they are now, whatever is written later."""
        return Judge(self.schema, {name: [dict(row) for row in rows] for name, rows in self.rows.items()}, self.role, self.session)

    def insert(self, table: str, objects: list[Row], conflict: Conflict | None = None) -> list[Row]:
        """Rows of one statement."""
        rule, before = self.role.insert[table], self.judge()
        found: list[Row] = []
        fates: dict[int, bool] = {}
        for given in objects:
            row = self.complete(table, given)
            self._hold_null(table, row)
            met = None if conflict is None else self._met(table, row, self.schema[table].uniques[conflict.constraint])
            if conflict is not None and met is not None:
                changed = self._meet(table, row, met, conflict, before, fates)
            else:
                self._hold_unique(table, row)
                self.rows[table].append(row)
                changed, fates[id(row)] = row, True
            if changed is not None:
                found.append(changed)
        self._hold_keys(table, found)
        update = self.role.update.get(table)
        for row in found:
            # Without a check of its own an updated row is held to that of the inserted.
            own = rule.check if fates[id(row)] or update is None or update.check is None else update.check
            if not before.holds(own, table, row):
                raise Denied
        self.affected += len(found)
        return found

    def _met(self, table: str, row: Row, columns: tuple[str, ...]) -> Row | None:
        return next((old for old in self.rows[table] if clashes(row, old, columns)), None)

    def _meet(self, table: str, row: Row, met: Row, conflict: Conflict, before: Judge, fates: dict[int, bool]) -> Row | None:
        if not conflict.columns:
            return None
        if id(met) in fates:
            raise Broken
        rule = self.role.update[table]
        if not (before.holds(rule.filter, table, met) and before.found(conflict.where, table, met)):
            return None
        new = {**met, **{name: row[name] for name in conflict.columns}, **self.presets(table)}
        self._replace(table, met, new)
        fates[id(new)] = False
        return new

    def nested(self, table: str, given: Row, keys: Row) -> Row:
        """One row with what is nested in it under relationships: what gives it keys, the row, what gets its keys."""
        ways = self.schema[table].ways
        # Hasura goes by the relationships' names: which of two errors is met first depends on it.
        given = dict(sorted(given.items()))
        row = {name: value for name, value in given.items() if name not in ways} | keys
        for name, value in given.items():
            if name in ways and not ways[name].many:
                row[ways[name].own] = self.nested(ways[name].target, value["data"], {})["id"]
        (written,) = self.insert(table, [row])
        for name, value in given.items():
            if name in ways and ways[name].many:
                self.nested_rows(ways[name].target, value["data"], {ways[name].theirs: written[ways[name].own]})
        return written

    def nested_rows(self, table: str, objects: list[Row], keys: Row) -> list[Row]:
        """Rows with nothing below them are one statement."""
        if any(name in self.schema[table].ways for given in objects for name in given):
            return [self.nested(table, given, keys) for given in objects]
        return self.insert(table, [{**given, **keys} for given in objects])

    def update(self, table: str, where: Mapping[str, Any], sets: Row, increments: Row) -> list[Row]:
        rule, before = self.role.update[table], self.judge()
        presets = self.presets(table)
        if not (sets or increments or presets):
            return []
        found = []
        for old in [old for old in self.rows[table] if before.holds(rule.filter, table, old) and before.found(where, table, old)]:
            sums = {name: None if old[name] is None else old[name] + more for name, more in increments.items()}
            new = {**old, **sets, **sums, **presets}
            self._replace(table, old, new)
            found.append(new)
        self._hold_keys(table, found)
        if not all(before.holds(rule.check or {}, table, row) for row in found):
            raise Denied
        self.affected += len(found)
        return found

    def delete(self, table: str, where: Mapping[str, Any]) -> list[Row]:
        rule, before = self.role.delete[table], self.judge()
        found = [old for old in self.rows[table] if before.holds(rule.filter, table, old) and before.found(where, table, old)]
        gone = {old["id"] for old in found}
        self.rows[table] = [row for row in self.rows[table] if row["id"] not in gone]
        for other in self.schema.values():
            for column, (target, cascades) in other.keys.items():
                if target == table and cascades:
                    self.rows[other.name] = [row for row in self.rows[other.name] if row[column] not in gone]
        for other in self.schema.values():
            self._hold_keys(other.name, self.rows[other.name])
        self.affected += len(found)
        return found

    def complete(self, table: str, given: Row) -> Row:
        """A new row: what is not given is preset, or the column's default."""
        defaults = {name: column.default for name, column in self.schema[table].columns.items()}
        return defaults | self._known(table, self.role.insert[table].presets) | given

    def presets(self, table: str) -> Row:
        """What an update sets whatever it is asked for."""
        return self._known(table, self.role.update[table].presets)

    def _known(self, table: str, presets: Mapping[str, Any]) -> Row:
        columns = self.schema[table].columns
        return {name: self._of_session(value, columns[name].kind) if is_variable(value) else value for name, value in presets.items()}

    def _of_session(self, variable: str, kind: str) -> Any:
        text = self.session[variable.lower()]
        return int(text) if kind == "int" else text

    def _replace(self, table: str, old: Row, new: Row) -> None:
        self._hold_null(table, new)
        rest = [row for row in self.rows[table] if row is not old]
        if any(clashes(new, row, columns) for row in rest for columns in self.schema[table].uniques.values()):
            raise Broken
        self.rows[table] = [*rest, new]

    def _hold_null(self, table: str, row: Row) -> None:
        if any(row[name] is None and not column.nullable for name, column in self.schema[table].columns.items()):
            raise Broken

    def _hold_unique(self, table: str, row: Row) -> None:
        if any(clashes(row, other, columns) for other in self.rows[table] for columns in self.schema[table].uniques.values()):
            raise Broken

    def _hold_keys(self, table: str, rows: list[Row]) -> None:
        """Foreign keys, when the statement ends."""
        for column, (target, _) in self.schema[table].keys.items():
            there = {row["id"] for row in self.rows[target]}
            if any(row[column] is not None and row[column] not in there for row in rows):
                raise Broken
