"""Mutations of tables as statements in order: one, or for a nested insert many, each of which may need rows of those before it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from permissions.errors import GraphQLRefusal
from permissions.expressions import Bound
from resolvers.compiled import TableWrite, TableWrites, WriteStatement
from resolvers.ir import (
    AFFECTED,
    WRITTEN,
    InsertedRow,
    InsertedRows,
    InsertRoot,
    NestedRows,
    OfWrittenRow,
    UpdateManyRoot,
    WriteRoot,
    Written,
)
from resolvers.sql.select import Selects
from resolvers.sql.writing.write import nested_plan, write_plan
from resolvers.sql.writing.written_rows import answer_plan, looks_beyond
from resolvers.walk.bound_values import BoundValues
from schema.model import Relationship

# Each statement has parameters of its own.
Fresh = Callable[[], Selects]
Given = Mapping[str, Written]

# Hasura's words.
_RELATIONSHIP_DETERMINED = 'cannot insert object relationship "{}" as {} column values are already determined'
_COLUMNS_DETERMINED = "cannot insert {} columns as their values are already being determined by parent insert"
_NO_OBJECT = 'cannot proceed to insert object relation "{}" since insert to table "{}" affects zero rows'
_NO_PARENT = 'cannot proceed to insert array relations since insert to table "{}" affects zero rows'


def table_write(root: WriteRoot | UpdateManyRoot, bound: BoundValues, fresh: Fresh) -> TableWrite | TableWrites:
    """Raises validation-failed for rows whose keys are given twice."""
    if isinstance(root, UpdateManyRoot):
        return TableWrites(root.key, root.path, tuple(_one(update, bound, fresh) for update in root.updates))
    if isinstance(root, InsertRoot) and root.inserted.are_nested:
        return _nested(root, bound, fresh)
    return _one(root, bound, fresh)


def _one(root: WriteRoot, bound: BoundValues, fresh: Fresh) -> TableWrite:
    insert = root.inserted if isinstance(root, InsertRoot) else None
    path, inserts = ("$", 0) if insert is None else (insert.path, len(insert.rows))
    selects = fresh()
    beyond = looks_beyond(root, selects.rules)
    statement = WriteStatement(write_plan(selects, root), root.table, path, inserts, WRITTEN if beyond else None)
    answer = answer_plan(fresh(), root, _kept(bound, WRITTEN)) if beyond else None
    return TableWrite(root.key, (statement,), answer, (WRITTEN,) if beyond else ())


def _nested(root: InsertRoot, bound: BoundValues, fresh: Fresh) -> TableWrite:
    statements = _NestedInsert(bound, fresh)
    kept = statements.rows(root.inserted, {}, keep=True)
    answer = answer_plan(fresh(), root, _kept(bound, WRITTEN), _kept(bound, AFFECTED))
    return TableWrite(root.key, tuple(statements.found), answer, kept)


def _kept(bound: BoundValues, name: str) -> Bound:
    """What an earlier statement left among the variables."""

    def bind(_: object, variables: Mapping[str, Any]) -> str | None:
        text: str = variables[name]
        return text

    return bound.add(("kept", name), bind)


class _NestedInsert:
    """The statements of a nested insert, in Hasura's order: what gives a row its keys, the row, what gets its keys from it."""

    def __init__(self, bound: BoundValues, fresh: Fresh) -> None:
        self.bound, self.fresh = bound, fresh
        self.found: list[WriteStatement] = []

    def rows(self, inserted: InsertedRows, given: Given, *, keep: bool = False) -> tuple[str, ...]:
        """Rows that all get `given` from the row that they belong to; returns the names under which they are kept."""
        paths = [f"{inserted.path}[{index}]" for index in range(len(inserted.rows))]
        if inserted.are_nested:
            return tuple(self.row(inserted, row, given, path, keep=keep) for row, path in zip(inserted.rows, paths, strict=True))
        for row, path in zip(inserted.rows, paths, strict=True):
            _check_columns(row, given, path)
        return (self._statement(inserted, [{**row.columns, **given} for row in inserted.rows], inserted.path, keep=keep),)

    def row(self, inserted: InsertedRows, row: InsertedRow, given: Given, path: str, *, keep: bool) -> str:
        """One row with all that is nested in it."""
        _check_columns(row, given, path)
        relationships = self.fresh().catalog[inserted.table].relationships
        own = {**row.columns, **given}
        columns = dict(own)
        for nested in row.before:
            columns |= self._before(nested, relationships[nested.relationship], own)
        name = self._statement(inserted, [columns], path, keep=keep or bool(row.after))
        if row.after:
            sentence = _NO_PARENT.format(inserted.table)
            self._need(sentence, path)
        for nested in row.after:
            pairs = relationships[nested.relationship].columns
            self.rows(nested.inserted, {remote: OfWrittenRow(_kept(self.bound, name), inserted.table, local) for local, remote in pairs})
        return name

    def _before(self, nested: NestedRows, relationship: Relationship, columns: Given) -> dict[str, Written]:
        determined = [f'"{local}"' for local, _ in relationship.columns if local in columns]
        if determined:
            sentence = _RELATIONSHIP_DETERMINED.format(relationship.name, ", ".join(determined))
            raise GraphQLRefusal("validation-failed", sentence, nested.path)
        inserted = nested.inserted
        name = self.row(inserted, inserted.rows[0], {}, inserted.path, keep=True)
        sentence = (
            f'cannot proceed to insert object relation "{relationship.name}" since insert to table "{inserted.table}" affects zero rows'
        )
        self._need(sentence, nested.path, name)
        return {local: OfWrittenRow(_kept(self.bound, name), inserted.table, remote) for local, remote in relationship.columns}

    def _statement(self, inserted: InsertedRows, rows: list[dict[str, Written]], path: str, *, keep: bool) -> str:
        name = f"{WRITTEN}{len(self.found)}"
        written = replace(inserted, rows=tuple(InsertedRow(columns) for columns in rows))
        plan = nested_plan(self.fresh(), written, keep=keep)
        self.found.append(WriteStatement(plan, inserted.table, path, len(rows), name if keep else None))
        return name

    def _need(self, sentence: str, path: str, name: str | None = None) -> None:
        """The statement kept under that name, or the last one, has to write its row."""
        index = len(self.found) - 1 if name is None else int(name.removeprefix(WRITTEN))
        statement = self.found[index]
        self.found[index] = replace(statement, needed=statement.needed or (sentence, path))


def _check_columns(row: InsertedRow, given: Given, path: str) -> None:
    if determined := [f'"{column}"' for column in row.columns if column in given]:
        sentence = _COLUMNS_DETERMINED.format(", ".join(determined))
        raise GraphQLRefusal("validation-failed", sentence, path)
