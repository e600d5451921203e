"""What a single row may grow to before anything can measure it: columns that are named again and again, and rows beside it.

PostgreSQL makes the JSON of a row at once, and escapes and copies each value as often as it is selected.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.types import NULLTYPE

from permissions.compiling.filled_text import FilledText, NamedRows
from permissions.compiling.select_text import ONCE, scalar, subselect
from resolvers.ir import ColumnField, ComputedFieldValue, RelatedRow, RowField
from resolvers.sql.json_values import Items, Json, whole_row
from resolvers.sql.size.answer_size import SIBLINGS, checked, too_large
from resolvers.sql.size.widths import computed_is_long, may_vary
from schema.model import Catalog, TrackedTable


def bounded_row(items: Items, selection: Sequence[RowField], tracked: TrackedTable, largest: int, *, paths: bool = True) -> Items:
    """The values of a row; where one column is selected more than once, all those together are measured before any is copied.

    Without `paths` what lies at the end of one is not among them.
    """
    columns = [(index, item) for index, item in enumerate(selection) if isinstance(item, ColumnField) and _varies(tracked, item.column)]
    places = [(index, item) for index, item in columns if paths or item.path is None]
    often = Counter(item.column for _, item in places)
    repeated = [(index, (item.column, item.path)) for index, item in places if often[item.column] > 1]
    if not repeated:
        return items
    first, _ = repeated[0]
    times = Counter(part for _, part in repeated)
    # One value of each part of a column; different parts of its JSON are of different length.
    values = {part: items[index][1] for index, part in repeated}
    key, value = items[first]
    bounded = bounded_together(value, [(values[part], times[part]) for part in times], largest)
    return [*items[:first], (key, bounded), *items[first + 1 :]]


def bounded_reads(items: Items, selection: Sequence[RowField], cell_of: Callable[[str], Json], most: int) -> Items:
    """The values of a row; JSON in which paths lead is measured before the first of them is followed."""
    places = [(index, item.column) for index, item in enumerate(selection) if isinstance(item, ColumnField) and item.path is not None]
    if not places:
        return items
    first, _ = places[0]
    key, value = items[first]
    # Null beside a length is left out, and null alone is not more.
    size = sa.func.greatest(*[_length(cell_of(column)) for column in dict.fromkeys(column for _, column in places)])
    return [*items[:first], (key, _or_too_large(value, size, most)), *items[first + 1 :]]


def bounded_together(value: Json, together: Iterable[tuple[Json, int]], largest: int) -> Json:
    """`value` as JSON, or an error when so many of each of those values are longer than an answer may be."""
    lengths = [sa.func.coalesce(_length(one), sa.literal_column("0")) * sa.literal_column(str(times)) for one, times in together]
    size = sum(lengths[1:], lengths[0])
    return _or_too_large(value, size, largest)


def _or_too_large(value: Json, size: Json, largest: int) -> Json:
    return sa.case((size > sa.literal_column(str(largest)), too_large(size)), else_=sa.func.to_json(value))


def _length(value: Json) -> Json:
    # Of a text this needs no copy of it. A bigint: many lengths are more than an integer holds.
    return sa.cast(sa.func.octet_length(sa.cast(value, sa.Text())), sa.BigInteger())


def _varies(tracked: TrackedTable, column: str) -> bool:
    return may_vary(tracked.columns[column].type)


def related_in(selection: Sequence[RowField]) -> int:
    """How many related rows, and those of them, stand in a row."""
    return sum(1 + related_in(item.selection) for item in selection if isinstance(item, RelatedRow))


def computed_values_in(selection: Sequence[RowField], tracked: TrackedTable, catalog: Catalog) -> int:
    """How many computed values that can be long stand in a row, and in its related rows."""
    own = sum(computed_is_long(item, tracked) for item in selection if isinstance(item, ComputedFieldValue))
    related = [(item, catalog[tracked.relationships[item.relationship].target]) for item in selection if isinstance(item, RelatedRow)]
    return own + sum(computed_values_in(item.selection, target, catalog) for item, target in related)


def bounded_value(value: Json, largest: int, name: str) -> Json:
    """A value, which is worked out once, as JSON that is no larger than this."""
    each = subselect(name, [("value", FilledText(NULLTYPE, ["to_json(", value, ")"]))], None, page=ONCE)
    return scalar(checked(each.columns["value"], largest), each)


def bounded_json_row(rows: NamedRows, largest: int, name: str) -> Json:
    """A row, or null, as JSON that is no larger than this."""
    row = FilledText(NULLTYPE, [f"to_json({whole_row(rows)})"])
    each = subselect(name, [("row", row)], rows, page=ONCE)
    return scalar(checked(each.columns["row"], largest), each)


def are_many(rows: int) -> bool:
    """Whether so many rows side by side have to share what an answer may be."""
    return rows > SIBLINGS
