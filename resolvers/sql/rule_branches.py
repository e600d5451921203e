"""A rule that says "this, or that, or that", taken apart where a page of rows is asked for: each branch finds its own by its own index.

PostgreSQL answers an OR of EXISTS row by row in the order asked for, until the page is full: for who sees little of a large table
that is most of it. The first rows of each branch, merged, hold the first of all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from permissions.compiling.leakproof import parted
from permissions.expressions import TRUE, And, Compare, Constant, Expression, Not, Or, Related
from permissions.rules import SelectRule
from resolvers.ir import Arguments, OrderBy
from resolvers.sql.implied_conditions import speaks_of_root
from resolvers.sql.row_source import sorting_tells
from schema.model import Catalog, TrackedTable

# More rows than these are better sorted once.
_LONGEST_PAGE: Final = 1_000
# Of a rule, and of what is asked beside it, which stands in each of them.
_MOST_BRANCHES: Final = 5
_MOST_ASKED: Final = 8
# The orders in which an index is read, forwards or backwards.
_STORED: Final = frozenset({"asc", "asc_nulls_last", "desc", "desc_nulls_first"})


@dataclass(frozen=True, slots=True)
class Branch:
    """`condition` holds for its rows. With `way` they are those below the rows of that relationship for which its own condition holds."""

    condition: Expression
    way: Related | None = None


def branches_of(rule: SelectRule, arguments: Arguments, limit: int | None, tracked: TrackedTable, catalog: Catalog) -> Sequence[Branch]:
    """The branches; none where the rule is better decided as it stands.

    That is so unless an index holds the rows of each of them in the order asked for, below values that are known or found by indexes,
    all that is done with the rows may be done beside the rule (decision 27), and the page is short.
    """
    if limit is None or limit > _LONGEST_PAGE or not arguments.order_by or arguments.distinct_on or not tracked.primary_key:
        return ()
    branches = _branches(rule.filter)
    if not 1 < len(branches) <= _MOST_BRANCHES or rule.redactions or sorting_tells(arguments, tracked):
        return ()
    if parted(arguments.where, tracked)[1] != TRUE or _size(arguments.where) > _MOST_ASKED:
        return ()
    found = [_in_order(branch, arguments.order_by[0], tracked, catalog) for branch in branches]
    return [branch for branch in found if branch is not None] if None not in found else ()


def _in_order(branch: Expression, first: OrderBy, tracked: TrackedTable, catalog: Catalog) -> Branch | None:
    """A branch whose first rows an index gives; None where all of its rows would be looked at."""
    terms = branch.terms if isinstance(branch, And) else (branch,)
    for place, term in enumerate(terms):
        match term:
            case Compare(column, "_eq", operand) if operand != Constant(None) and _gives_first(column, first, tracked):
                return Branch(branch)
            case Compare(column, "_in", operand) if operand != Constant(None) and tracked.primary_key == (column,):
                return Branch(branch)
            case Related(name, where) if not speaks_of_root(where):
                related = tracked.relationships[name]
                is_first = len(related.columns) == 1 and _gives_first(related.columns[0][0], first, tracked)
                if is_first and _leads_to_rows(where, catalog[related.target], catalog):
                    return Branch(And((*terms[:place], *terms[place + 1 :])), term)
    return None


def _gives_first(column: str, first: OrderBy, tracked: TrackedTable) -> bool:
    """Whether the first rows with one value of a column need no look at the others: there is one, or they are stored in that order."""
    return tracked.primary_key == (column,) or ((column, first.column) in tracked.ordered and first.direction in _STORED)


def _branches(rule: Expression) -> Sequence[Expression]:
    """What of a rule has to hold, each time one of several."""
    match rule:
        case Or(terms):
            return [branch for term in terms for branch in _branches(term)]
        case And(terms) if sum(isinstance(term, Or) for term in terms) == 1:
            place = next(place for place, term in enumerate(terms) if isinstance(term, Or))
            return [And((*terms[:place], branch, *terms[place + 1 :])) for branch in _branches(terms[place])]
    return [rule]


def _leads_to_rows(branch: Expression, tracked: TrackedTable, catalog: Catalog) -> bool:
    """Whether indexes lead from a known value to the rows of the table."""
    match branch:
        case Compare(column, "_eq" | "_in", operand):
            return column in tracked.indexed and operand != Constant(None)
        case And(terms):
            return any(_leads_to_rows(term, tracked, catalog) for term in terms)
        case Related(name, where):
            related = tracked.relationships[name]
            joined = any(local in tracked.indexed for local, _ in related.columns)
            return joined and _leads_to_rows(where, catalog[related.target], catalog)
    return False


def _size(asked: Expression) -> int:
    match asked:
        case And(terms) | Or(terms):
            return sum(map(_size, terms))
        case Not(term):
            return _size(term)
    return 1
