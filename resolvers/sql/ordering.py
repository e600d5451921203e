"""Which orders and functions could tell of hidden rows if PostgreSQL sorted before it decides a rule."""

from collections.abc import Iterable

from resolvers.ir import AggregateValues, Arguments, ColumnField, Count, FunctionValues, OrderBy
from schema.model import TrackedTable


def sorting_tells(arguments: Arguments, tracked: TrackedTable) -> bool:
    """Whether `order_by` or `distinct_on` compares by functions that aren't leakproof; an order by related rows may always."""
    plain = all(_is_plain(by) for by in arguments.order_by)
    return not plain or values_tell(tracked, {*arguments.distinct_on, *[by.column for by in arguments.order_by if by.column]})


def aggregate_tells(part: AggregateValues, tracked: TrackedTable) -> bool:
    """Whether a function over the rows compares, or adds up, values of a type whose comparison isn't leakproof."""
    for value in part.values:
        match value:
            case Count(_, columns, distinct) if distinct and (len(columns) > 1 or values_tell(tracked, columns)):
                return True
            case FunctionValues(_, _, columns) if values_tell(tracked, [c.column for c in columns if isinstance(c, ColumnField)]):
                return True
    return False


def values_tell(tracked: TrackedTable, columns: Iterable[str]) -> bool:
    """Whether sorting one of the columns could tell of its values."""
    return not all(tracked.columns[column].leakproof.sorting for column in columns)


def _is_plain(by: OrderBy) -> bool:
    return not by.relationships and by.aggregate is None
