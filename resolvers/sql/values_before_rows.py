"""The request's values, read before any row is looked at.

PostgreSQL reads a value when a row needs it: a bad date, or a pattern that can't be compiled, would be an error only when there is
a row that the conditions before it keep. That row may be one the caller must not see, and the error would tell of it, column
by column. So every value that PostgreSQL may refuse is read once at the top of the statement, whatever the tables hold.
"""

from collections.abc import Callable, Iterator

import sqlalchemy as sa

from permissions.expressions import (
    AggregatePredicate,
    And,
    Bound,
    Compare,
    CompareComputed,
    Expression,
    Not,
    Or,
    Progress,
    Redacted,
    Related,
    Returned,
    Rule,
)
from schema.model import Catalog, PgType, TrackedTable
from schema.operators import OPERATORS, TEXT_TYPES, Operator
from schema.sql_types import Native
from schema.type_names import PREDICATE_FUNCTIONS

ValueRead = sa.ColumnElement[object]
BindValue = Callable[[Bound | Progress], sa.ColumnElement[str]]

_REGULAR = frozenset({"SIMILAR TO", "NOT SIMILAR TO", "~", "!~", "~*", "!~*"})
_LIKE = frozenset({"LIKE", "NOT LIKE", "ILIKE", "NOT ILIKE"})
# Functions take 100 arguments.
_AT_ONCE = 50


def values_to_read(expression: Expression, tracked: TrackedTable, catalog: Catalog, bind: BindValue) -> Iterator[tuple[object, ValueRead]]:
    """Every value of `expression` that can be refused, with an identity: the same value is read once.

    Permission rules themselves have none: their literals were checked at start, and a session variable is nothing that the caller chooses.
    """
    match expression:
        case And(terms) | Or(terms):
            for term in terms:
                yield from values_to_read(term, tracked, catalog, bind)
        case Not(term):
            yield from values_to_read(term, tracked, catalog, bind)
        case Rule(_, asked):
            yield from values_to_read(asked, tracked, catalog, bind)
        case Redacted(_, compare):
            yield from values_to_read(compare, tracked, catalog, bind)
        case Related(relationship, where):
            yield from values_to_read(where, catalog[tracked.relationships[relationship].target], catalog, bind)
        case AggregatePredicate(relationship=relationship, function=function, where=where, terms=terms):
            yield from values_to_read(where, catalog[tracked.relationships[relationship].target], catalog, bind)
            for name, operand in terms:
                if isinstance(operand, Bound):
                    yield from _compared(OPERATORS[name], PREDICATE_FUNCTIONS[function], operand, bind)
        case Returned(field, where):
            yield from values_to_read(where, catalog[tracked.computed_fields[field].function.table], catalog, bind)
        case CompareComputed(field, operator, (Bound() | Progress()) as bound, cast):
            type_ = cast or tracked.computed_fields[field].value_type()
            yield from _compared(OPERATORS[operator], type_, bound, bind)
        case Compare(column, operator, (Bound() | Progress()) as bound, cast):
            type_ = cast or tracked.columns[column].type
            yield from _compared(OPERATORS[operator], type_, bound, bind)


def _compared(operator: Operator, left: PgType, bound: Bound | Progress, bind: BindValue) -> Iterator[tuple[object, ValueRead]]:
    type_ = operator.operand_type(left)
    if operator.sql in _REGULAR and operator.family == "text":
        kind = "SIMILAR TO" if "SIMILAR" in operator.sql else "~"
        yield (bound.key, kind), sa.literal_column("''").op(kind)(bind(bound))
    elif operator.sql in _LIKE:
        # Without its escapes a pattern matches itself, so that it is read to its end.
        itself = sa.func.regexp_replace(bind(bound), sa.literal_column(r"'\\(.)'"), sa.literal_column(r"'\1'"), sa.literal_column("'g'"))
        yield (bound.key, "LIKE"), itself.op("LIKE")(bind(bound))
    elif type_.is_array or type_.name not in TEXT_TYPES:
        yield (bound.key, type_), sa.cast(bind(bound), Native(type_))


def all_read(reads: list[ValueRead]) -> list[sa.ColumnElement[bool]]:
    """Conditions that are true once each value was read."""
    zero: ValueRead = sa.literal_column("0")
    return [sa.func.num_nulls(*reads[start : start + _AT_ONCE]) >= zero for start in range(0, len(reads), _AT_ONCE)]
