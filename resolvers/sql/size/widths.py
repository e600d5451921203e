"""How wide a row may be as JSON, by what is selected of it; lists in it are measured by themselves and are not counted."""

import math
from collections.abc import Iterable, Sequence
from typing import Final

from resolvers.ir import (
    AggregateNodes,
    AggregatePart,
    AggregateValues,
    ColumnField,
    ComputedFieldValue,
    ComputedRows,
    Count,
    FunctionValues,
    RelatedAggregate,
    RelatedRow,
    RelatedRows,
    RowField,
    Typename,
)
from schema.model import Catalog, PgType, TrackedTable

# No value of these is longer than some bytes.
_MOMENTS = frozenset(["date", "time", "timetz", "timestamp", "timestamptz", "interval"])
_NUMBERS = frozenset(["int2", "int4", "int8", "float4", "float8", "oid", "money"])
_FIXED = _MOMENTS | _NUMBERS | {"bool", "uuid", "inet", "cidr", "macaddr", "macaddr8", "char"}
_WIDTH: Final = 40
# Quotes, colon and comma.
_AROUND: Final = 4
# A character may be `\u0001`.
_ESCAPED: Final = 6
_NAME: Final = 63 * _ESCAPED
# As many digits as PostgreSQL has for one; few bytes may be stored of them.
_NUMERIC: Final = 150_000
# A row beyond this is measured where others stand beside it.
_LONG: Final = 65_536


def may_be_long(selection: Sequence[RowField], tracked: TrackedTable, catalog: Catalog) -> bool:
    """Whether a single row can be much."""
    return widest(selection, tracked, catalog) > _LONG


def widest(selection: Sequence[RowField], tracked: TrackedTable, catalog: Catalog) -> float:
    """The bytes of the widest row that there can be; infinite with a text."""
    return _object((item.key, _width(item, tracked, catalog)) for item in selection)


def _object(items: Iterable[tuple[str, float]]) -> float:
    return 2 + sum(len(key) + _AROUND + width for key, width in items)


def _width(item: RowField, tracked: TrackedTable, catalog: Catalog) -> float:
    match item:
        case RelatedRow():
            return widest(item.selection, catalog[tracked.relationships[item.relationship].target], catalog)
        case RelatedAggregate():
            target = catalog[tracked.relationships[item.relationship].target]
            return _object((part.key, _part_width(part, target)) for part in item.parts)
        case RelatedRows() | ComputedRows():
            return 0
    return _value_width(item, tracked)


def _part_width(part: AggregatePart, tracked: TrackedTable) -> float:
    match part:
        case AggregateValues():
            return _object((value.key, _aggregate_width(value, tracked)) for value in part.values)
        case Typename():
            return len(part.name)
    return 0


def _aggregate_width(value: Typename | Count | FunctionValues, tracked: TrackedTable) -> float:
    match value:
        case FunctionValues():
            return _object((item.key, _value_width(item, tracked)) for item in value.values)
        case Typename():
            return len(value.name)
    return _WIDTH


def _value_width(item: Typename | ColumnField | ComputedFieldValue, tracked: TrackedTable) -> float:
    match item:
        case Typename():
            return len(item.name)
        case ColumnField():
            return type_width(tracked.columns[item.column].type)
        case ComputedFieldValue():
            type_ = tracked.computed_fields[item.name].type
            return math.inf if type_ is None else type_width(type_)


def type_width(type_: PgType) -> float:
    """The bytes of the longest value of a type as JSON."""
    if type_.is_array:
        return math.inf
    if type_.is_enum or type_.name == "name":
        return _NAME
    if type_.name in _FIXED:
        return _WIDTH
    if type_.name == "numeric":
        return _NUMERIC
    return math.inf if type_.length is None else type_.length * _ESCAPED


def is_long(type_: PgType) -> bool:
    """Whether a value of a type may have any length."""
    return type_width(type_) == math.inf


def may_vary(type_: PgType) -> bool:
    """Whether values of a type are of different length."""
    return type_.is_array or not (type_.is_enum or type_.name in _FIXED)


def computed_is_long(item: ComputedFieldValue, tracked: TrackedTable) -> bool:
    """Whether what a computed field gives may have any length."""
    return _value_width(item, tracked) == math.inf


def values_are_long(part: AggregateValues, tracked: TrackedTable) -> bool:
    """Whether functions over rows give anything that may have any length: `max` of a text."""
    return _part_width(part, tracked) == math.inf


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
