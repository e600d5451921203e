"""Which conditions may be decided before a rule, because they tell of a hidden row nothing but their result, which nobody sees.

PostgreSQL decides conditions in an order of its own. One whose cost or error depends on a value tells of the value even where the
rule then drops the row. What `pg_proc` calls leakproof tells nothing: PostgreSQL's own row security has the same measure.
"""

from collections.abc import Iterable

from permissions.expressions import And, Compare, Expression, Not, Or, conjunction
from schema.model import Leakproof, TrackedTable
from schema.operators import OPERATORS
from schema.sql_types import pg_type


def is_leakproof(expression: Expression, tracked: TrackedTable) -> bool:
    """Whether what a caller asks of rows of `tracked` may be decided before their rule. What isn't known to be leakproof is not."""
    match expression:
        case And(terms) | Or(terms):
            return all(is_leakproof(term, tracked) for term in terms)
        case Not(term):
            return is_leakproof(term, tracked)
        case Compare(column, operator, _, None):
            return OPERATORS[operator].is_leakproof(tracked.columns[column])
    # Related rows among them: how long it takes to find none tells how many there are.
    return False


def joins_leakproof(own: TrackedTable, other: TrackedTable, pairs: Iterable[tuple[str, str]]) -> bool:
    """Whether the columns of a relationship are compared by leakproof functions."""
    found = [(own.table.columns[left], other.table.columns[right]) for left, right in pairs]
    # PostgreSQL may turn a join around.
    both_ways = found + [(right, left) for left, right in found]
    return all(("=", pg_type(right.type)) in left.info.get("leakproof", Leakproof()).operators for left, right in both_ways)


def parted(asked: Expression, tracked: TrackedTable) -> tuple[Expression, Expression]:
    """`asked` as two expressions that hold together: what may stand beside the rule, and what comes after it."""
    terms = list(_terms(asked))
    beside = [is_leakproof(term, tracked) for term in terms]
    return (
        conjunction(term for term, leakproof in zip(terms, beside, strict=True) if leakproof),
        conjunction(term for term, leakproof in zip(terms, beside, strict=True) if not leakproof),
    )


def _terms(expression: Expression) -> Iterable[Expression]:
    if not isinstance(expression, And):
        return (expression,)
    return (part for term in expression.terms for part in _terms(term))
