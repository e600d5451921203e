"""What a single row may grow to before anything can measure it: columns that are named again and again, and rows beside it.

PostgreSQL makes the JSON of a row at once, and escapes and copies each value as often as it is selected.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.types import NULLTYPE

from permissions.compiling.filled_text import FilledText, NamedRows
from permissions.compiling.select_text import ONCE, scalar, subselect
from resolvers.ir import (
    AggregateNodes,
    AggregateValues,
    ColumnField,
    ComputedFieldValue,
    ComputedRows,
    FunctionValues,
    RelatedAggregate,
    RelatedRow,
    RelatedRows,
    RowField,
    Typename,
)
from resolvers.sql.json_values import Items, Json, whole_row
from resolvers.sql.size.answer_size import SIBLINGS, checked, too_large
from schema.model import Catalog, PgType, TrackedTable

# No value of these is longer than some bytes.
_MOMENTS = frozenset(["date", "time", "timetz", "timestamp", "timestamptz", "interval"])
_FIXED = _MOMENTS | {"bool", "int2", "int4", "int8", "float4", "float8", "oid", "money", "uuid", "inet", "cidr", "macaddr", "macaddr8"}
# Longer, but hardly ever long. A varchar without a length may be as long as a text.
_SHORT = _FIXED | {"char", "name", "numeric"}
_SHORT_LENGTH = 1_000
# Of a row: longer ones make few rows of short values much.
_LONG_KEYS = 4_096


def bounded_row(items: Items, selection: Sequence[RowField], tracked: TrackedTable, largest: int) -> Items:
    """The values of a row; where one column is selected more than once, all those together are measured before any is copied."""
    places = [(index, item) for index, item in enumerate(selection) if isinstance(item, ColumnField) and _varies(tracked, item.column)]
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


def bounded_together(value: Json, together: Iterable[tuple[Json, int]], largest: int) -> Json:
    """`value` as JSON, or an error when so many of each of those values are longer than an answer may be."""
    lengths = [sa.func.coalesce(_length(one), sa.literal_column("0")) * sa.literal_column(str(times)) for one, times in together]
    size = sum(lengths[1:], lengths[0])
    return sa.case((size > sa.literal_column(str(largest)), too_large(size)), else_=sa.func.to_json(value))


def _length(value: Json) -> Json:
    # Of a text this needs no copy of it. A bigint: many lengths are more than an integer holds.
    return sa.cast(sa.func.octet_length(sa.cast(value, sa.Text())), sa.BigInteger())


def may_be_long(selection: Sequence[RowField], tracked: TrackedTable, catalog: Catalog) -> bool:
    """Whether a row can be large, with all that stands in it but lists: of such rows few are much already."""
    return _key_length(selection) > _LONG_KEYS or _has_long_values(selection, tracked, catalog)


def _key_length(selection: Sequence[RowField]) -> int:
    """The response keys of a row, without those of lists."""
    return sum(len(item.key) + _key_length_in(item) for item in selection)


def _key_length_in(item: RowField) -> int:
    match item:
        case RelatedRow():
            return _key_length(item.selection)
        case RelatedAggregate():
            return sum(len(part.key) + (_value_keys(part) if isinstance(part, AggregateValues) else 0) for part in item.parts)
    return 0


def _value_keys(part: AggregateValues) -> int:
    functions = [value for value in part.values if isinstance(value, FunctionValues)]
    return sum(len(value.key) for value in part.values) + sum(len(item.key) for function in functions for item in function.values)


def _has_long_values(selection: Sequence[RowField], tracked: TrackedTable, catalog: Catalog) -> bool:
    columns = Counter(item.column for item in selection if isinstance(item, ColumnField))
    if any(is_long(tracked.columns[column].type) or (times > 1 and _varies(tracked, column)) for column, times in columns.items()):
        return True
    return any(_is_long_in(item, tracked, catalog) for item in selection)


def _is_long_in(item: RowField, tracked: TrackedTable, catalog: Catalog) -> bool:
    match item:
        case ComputedFieldValue():
            return computed_is_long(item, tracked)
        case RelatedRow():
            return _has_long_values(item.selection, catalog[tracked.relationships[item.relationship].target], catalog)
        case RelatedAggregate():
            target = catalog[tracked.relationships[item.relationship].target]
            return any(values_are_long(part, target) for part in item.parts if isinstance(part, AggregateValues))
    return False


def computed_is_long(item: ComputedFieldValue, tracked: TrackedTable) -> bool:
    """Whether what a computed field gives can be long."""
    type_ = tracked.computed_fields[item.name].type
    return type_ is None or is_long(type_)


def values_are_long(part: AggregateValues, tracked: TrackedTable) -> bool:
    """Whether a function over rows can give something long: `max` of a text."""
    functions = [value for value in part.values if isinstance(value, FunctionValues)]
    return any(_given_is_long(item, tracked) for function in functions for item in function.values)


def _given_is_long(item: Typename | ColumnField | ComputedFieldValue, tracked: TrackedTable) -> bool:
    match item:
        case ColumnField():
            return is_long(tracked.columns[item.column].type)
        case ComputedFieldValue():
            return computed_is_long(item, tracked)
    return False


def holds_lists(selection: Sequence[RowField]) -> bool:
    """Whether a row holds lists: it can be large though its columns are not."""
    return any(_holds_lists(item) for item in selection)


def _holds_lists(item: RowField) -> bool:
    match item:
        case RelatedRows() | ComputedRows():
            return True
        case RelatedRow():
            return holds_lists(item.selection)
        case RelatedAggregate():
            return any(isinstance(part, AggregateNodes) for part in item.parts)
    return False


def is_long(type_: PgType) -> bool:
    """Whether values of a type are long often enough to reckon with it."""
    declared_short = type_.length is not None and type_.length <= _SHORT_LENGTH
    return type_.is_array or not (type_.is_enum or type_.name in _SHORT or declared_short)


def _varies(tracked: TrackedTable, column: str) -> bool:
    return may_vary(tracked.columns[column].type)


def may_vary(type_: PgType) -> bool:
    """Whether values of a type can be long."""
    return type_.is_array or not (type_.is_enum or type_.name in _FIXED)


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
