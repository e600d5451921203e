"""What PostgreSQL holds side by side until a statement ends, and may be long: so much of it that it counts, wherever it stands.

An answer is made at once, and so is a row: whatever they are made of lies there until all of it does. Each such value is measured by
itself, and what one may be follows from how many there are.
"""

from collections.abc import Iterable, Sequence

from resolvers.ir import (
    AggregateNodes,
    AggregatePart,
    AggregateValues,
    ComputedFieldValue,
    ComputedRows,
    RelatedAggregate,
    RelatedRow,
    RelatedRows,
    RowField,
    SelectRoot,
    Typename,
)
from resolvers.sql.size.row_size import computed_is_long, may_be_long, values_are_long
from schema.model import Catalog, TrackedTable


def held_by_roots(roots: Iterable[SelectRoot | Typename], catalog: Catalog) -> int:
    """How many long values the root fields of a statement are made of."""
    return sum(_held_by_root(root, catalog) for root in roots if isinstance(root, SelectRoot))


def _held_by_root(root: SelectRoot, catalog: Catalog) -> int:
    tracked = catalog[root.table]
    if root.kind == "select_aggregate":
        return _held_by_parts(root.parts, tracked, catalog)
    return held_by_rows(root.selection, tracked, catalog)


def held_by_rows(selection: Sequence[RowField], tracked: TrackedTable, catalog: Catalog) -> int:
    """How many a list, or a row, of this is made of: itself, and all in it."""
    return 1 + sum(_held_by(item, tracked, catalog) for item in selection)


def _held_by(item: RowField, tracked: TrackedTable, catalog: Catalog) -> int:
    match item:
        case ComputedFieldValue():
            return int(computed_is_long(item, tracked))
        case ComputedRows(_, name, _, _, selection):
            return held_by_rows(selection, catalog[tracked.computed_fields[name].function.table], catalog)
        case RelatedRow(_, relationship, selection):
            target = catalog[tracked.relationships[relationship].target]
            # A row of short columns is none itself.
            return held_by_rows(selection, target, catalog) - (not may_be_long(selection, target, catalog))
        case RelatedRows(_, relationship, _, selection):
            return held_by_rows(selection, catalog[tracked.relationships[relationship].target], catalog)
        case RelatedAggregate(_, relationship, _, parts):
            return _held_by_parts(parts, catalog[tracked.relationships[relationship].target], catalog)
    return 0


def _held_by_parts(parts: Sequence[AggregatePart], tracked: TrackedTable, catalog: Catalog) -> int:
    nodes = sum(held_by_rows(part.selection, tracked, catalog) for part in parts if isinstance(part, AggregateNodes))
    return nodes + sum(values_are_long(part, tracked) for part in parts if isinstance(part, AggregateValues))
