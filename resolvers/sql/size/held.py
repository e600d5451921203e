"""What PostgreSQL holds side by side until a statement ends, and may be long: so much of it that it counts, wherever it stands.

An answer is made at once, and so is a row: whatever they are made of lies there until all of it does. Each such value is measured by
itself, and what one may be follows from how many of its kind there are.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from resolvers.ir import (
    AggregateNodes,
    AggregatePart,
    AggregateValues,
    ColumnField,
    ComputedFieldValue,
    ComputedRows,
    RelatedAggregate,
    RelatedRow,
    RelatedRows,
    RowField,
    SelectRoot,
    Typename,
)
from resolvers.sql.size.answer_size import SIBLINGS, of_each
from resolvers.sql.size.widths import computed_is_long, holds_lists, may_be_long, values_are_long
from schema.model import Catalog, TrackedTable


@dataclass(frozen=True, slots=True)
class HeldParts:
    """Lists of rows that hold lists (`outer`), all other lists (`inner`), and what is long in rows: texts that are made, rows with them.

    `reads` are the paths: for each PostgreSQL takes the whole JSON from where it is stored, and keeps that until the row is made.
    """

    outer: int = 0
    inner: int = 0
    values: int = 0
    reads: int = 0

    def __add__(self, other: "HeldParts") -> "HeldParts":
        return HeldParts(self.outer + other.outer, self.inner + other.inner, self.values + other.values, self.reads + other.reads)


_NOTHING = HeldParts()
_VALUE = HeldParts(values=1)
_READ = HeldParts(reads=1)


@dataclass(frozen=True, slots=True)
class Shares:
    """The bytes of one of each, and how many may be `gathered` of a list before it is measured.

    `read` are those of JSON that is read by many paths; None where there are few.
    """

    outer: int
    inner: int
    value: int
    gathered: int
    read: int | None

    @classmethod
    def of(cls, held: HeldParts, largest: int) -> Self:
        """Where an answer may be so large."""
        outer, inner, value = (of_each(largest, number) for number in (held.outer, held.inner, held.values))
        read = of_each(largest, held.reads) if held.reads > SIBLINGS else None
        return cls(outer, inner, value, SIBLINGS * largest // max(held.outer + held.inner, 1), read)

    def of_list(self, selection: Sequence[RowField]) -> int:
        """Of a list of such rows."""
        return self.outer if holds_lists(selection) else self.inner


def held_by_roots(roots: Iterable[SelectRoot | Typename], catalog: Catalog) -> HeldParts:
    """What the root fields of a statement are made of."""
    return _sum(_held_by_root(root, catalog) for root in roots if isinstance(root, SelectRoot))


def _sum(held: Iterable[HeldParts]) -> HeldParts:
    return sum(held, _NOTHING)


def _held_by_root(root: SelectRoot, catalog: Catalog) -> HeldParts:
    tracked = catalog[root.table]
    match root.kind:
        case "select_aggregate":
            return _held_by_parts(root.parts, tracked, catalog)
        case "select_by_pk":
            return held_by_row(root.selection, tracked, catalog)
    return held_by_list(root.selection, tracked, catalog)


def held_by_list(selection: Sequence[RowField], tracked: TrackedTable, catalog: Catalog) -> HeldParts:
    """A list of such rows, and all in it."""
    return (HeldParts(outer=1) if holds_lists(selection) else HeldParts(inner=1)) + _held_in(selection, tracked, catalog)


def held_by_row(selection: Sequence[RowField], tracked: TrackedTable, catalog: Catalog) -> HeldParts:
    """One such row, and all in it."""
    return (_VALUE if may_be_long(selection, tracked, catalog) else _NOTHING) + _held_in(selection, tracked, catalog)


def _held_in(selection: Sequence[RowField], tracked: TrackedTable, catalog: Catalog) -> HeldParts:
    return _sum(_held_by(item, tracked, catalog) for item in selection)


def _held_by(item: RowField, tracked: TrackedTable, catalog: Catalog) -> HeldParts:
    match item:
        case ColumnField(path=path) if path is not None:
            return _READ
        case ComputedFieldValue() if computed_is_long(item, tracked):
            return _VALUE
        case ComputedRows(_, name, _, _, selection):
            return held_by_list(selection, catalog[tracked.computed_fields[name].function.table], catalog)
        case RelatedRow(_, relationship, selection):
            return held_by_row(selection, catalog[tracked.relationships[relationship].target], catalog)
        case RelatedRows(_, relationship, _, selection):
            return held_by_list(selection, catalog[tracked.relationships[relationship].target], catalog)
        case RelatedAggregate(_, relationship, _, parts):
            return _held_by_parts(parts, catalog[tracked.relationships[relationship].target], catalog)
    return _NOTHING


def _held_by_parts(parts: Sequence[AggregatePart], tracked: TrackedTable, catalog: Catalog) -> HeldParts:
    return _sum(_held_by_part(part, tracked, catalog) for part in parts)


def _held_by_part(part: AggregatePart, tracked: TrackedTable, catalog: Catalog) -> HeldParts:
    match part:
        case AggregateNodes():
            return held_by_list(part.selection, tracked, catalog)
        case AggregateValues() if values_are_long(part, tracked):
            return _VALUE
    return _NOTHING
