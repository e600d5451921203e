"""A rule that says "this, or that, or that", taken apart where a page of rows is asked for: each branch finds its own by its own index.

PostgreSQL answers an OR of EXISTS row by row in the order asked for, until the page is full: for who sees little of a large table
that is most of it. The first rows of each branch, merged, hold the first of all.
"""

from collections.abc import Sequence
from typing import Final

from permissions.compiling.leakproof import parted
from permissions.expressions import TRUE, And, Compare, Constant, Expression, Not, Or, Related
from permissions.rules import SelectRule
from resolvers.ir import Arguments
from resolvers.sql.row_source import sorting_tells
from schema.model import Catalog, TrackedTable

# More rows than these are better sorted once.
_LONGEST_PAGE: Final = 1_000
# Of a rule, and of what is asked beside it, which stands in each of them.
_MOST_BRANCHES: Final = 5
_MOST_ASKED: Final = 8


def branches_of(rule: SelectRule, arguments: Arguments, limit: int | None, tracked: TrackedTable, catalog: Catalog) -> Sequence[Expression]:
    """The branches; none where the rule is better decided as it stands.

    That is so unless each of them leads from a value that is known to the rows by indexes, all that is done with the rows may be done
    beside the rule (decision 27), and the page is short.
    """
    if limit is None or limit > _LONGEST_PAGE or not arguments.order_by or arguments.distinct_on or not tracked.primary_key:
        return ()
    branches = _branches(rule.filter)
    if not 1 < len(branches) <= _MOST_BRANCHES or rule.redactions or sorting_tells(arguments, tracked):
        return ()
    if parted(arguments.where, tracked)[1] != TRUE or _size(arguments.where) > _MOST_ASKED:
        return ()
    return branches if all(_leads_to_rows(branch, tracked, catalog) for branch in branches) else ()


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
