"""A rule's condition as text that is made once: it stands in every statement of its role, and building it takes most of their time.

What differs from one use to the next are holes in the text: the columns of the row that is judged, and the values.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from permissions.compiling.filled_text import FilledText
from permissions.compiling.whole_row import RowType, whole_row
from permissions.expressions import Expression, Operand
from schema.model import Catalog, TableName, TrackedTable
from schema.sql_types import DIALECT

Condition = sa.ColumnElement[bool]
Bind = Callable[[Operand], sa.ColumnElement[str]]
# Builds the condition over a row whose columns and values it is given.
Build = Callable[["JudgedRow", Bind], Condition]

_BOOLEAN = sa.Boolean()
# No statement of ours holds this character: PostgreSQL takes it in no text.
_HOLE = re.compile("\x00(\\d+)\x00")


class _Row:
    """The content of a hole for the whole row."""


@dataclass(frozen=True, slots=True)
class RuleText:
    """Text with numbered holes, and what belongs into each: a column's name, an operand, or the whole row of the `table`."""

    table: sa.Table
    pieces: Sequence[str | int]
    holes: Sequence[str | Operand | _Row]

    def over(self, from_: sa.FromClause, bind: Bind) -> Condition:
        """The condition on a row of `from_`."""
        filled = [self._content(hole, from_, bind) for hole in self.holes]
        return FilledText(_BOOLEAN, [piece if isinstance(piece, str) else filled[piece] for piece in self.pieces])

    def _content(self, hole: str | Operand | _Row, from_: sa.FromClause, bind: Bind) -> sa.ColumnElement[Any]:
        if isinstance(hole, str):
            return from_.columns[hole]
        return whole_row(from_, self.table) if isinstance(hole, _Row) else bind(hole)


@dataclass(slots=True)
class JudgedRow:
    """Stands for whatever row the rule will judge: its columns are holes."""

    tracked: TrackedTable
    holes: list[str | Operand | _Row] = field(default_factory=list)

    @property
    def columns(self) -> "JudgedRow":
        return self

    def __getitem__(self, name: str) -> "_Hole":
        return self._hole(name, self.tracked.table.columns[name].type)

    def bind(self, operand: Operand) -> "_Hole":
        return self._hole(operand, sa.Text())

    def whole(self) -> "_Hole":
        """The row as one value."""
        return self._hole(_Row(), RowType(self.tracked.table))

    def _hole(self, content: str | Operand | _Row, type_: Any) -> "_Hole":
        self.holes.append(content)
        return _Hole(len(self.holes) - 1, type_)


_MADE: WeakKeyDictionary[Catalog, dict[tuple[TableName, str], RuleText]] = WeakKeyDictionary()


def rule_text(rule: Expression, tracked: TrackedTable, catalog: Catalog, build: Build) -> RuleText:
    """The text of a rule over rows of a table; `build` is asked the first time."""
    made = _MADE.setdefault(catalog, {})
    key = (tracked.name, repr(rule))
    text = made.get(key)
    if text is None:
        row = JudgedRow(tracked)
        sql = str(build(row, row.bind).compile(dialect=DIALECT))
        pieces = [int(piece) if index % 2 else piece for index, piece in enumerate(_HOLE.split(f"({sql})"))]
        text = made[key] = RuleText(tracked.table, pieces, tuple(row.holes))
    return text


class _Hole(sa.ColumnElement[Any]):
    inherit_cache = False

    def __init__(self, number: int, type_: Any) -> None:
        self.number, self.type = number, type_


@compiles(_Hole)
def _render_hole(element: _Hole, _compiler: SQLCompiler, **_: Any) -> str:
    return f"\x00{element.number}\x00"
