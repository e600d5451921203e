"""Conditions of a related row's filter that its parent has answered already.

Rows below a row are often visible because their parent is: the filter of comments says `article: {…}` with the very filter of
articles. When the parent was found through its own filter, and the relationship is the way back, it is the witness, and PostgreSQL
need not look for another one for every row.
"""

from permissions.expressions import TRUE, And, CompareColumns, Exists, Expression, Not, Or, Related, Returned, Rule
from schema.model import Relationship, TrackedTable


def without_implied(
    filter_: Expression, child: TrackedTable, parent: TrackedTable, answered: Expression | None, way: Relationship
) -> Expression:
    """`filter_` of `child` without the terms that `answered`, which holds for the parent row, implies. `way` leads from parent to child."""
    if answered is None:
        return filter_
    terms = filter_.terms if isinstance(filter_, And) else (filter_,)
    left = tuple(term for term in terms if not _implied(term, child, parent, answered, way))
    if len(left) == len(terms):
        return filter_
    return left[0] if len(left) == 1 else And(left) if left else TRUE


def _implied(term: Expression, child: TrackedTable, parent: TrackedTable, answered: Expression, way: Relationship) -> bool:
    if not isinstance(term, Related) or term.where != answered or speaks_of_root(answered):
        return False
    back = child.relationships[term.relationship]
    return back.target == parent.name and {(remote, local) for local, remote in back.columns} == set(way.columns)


def speaks_of_root(expression: Expression) -> bool:
    """`$` means another table inside the child's filter than in the parent's own."""
    match expression:
        case And(terms) | Or(terms):
            return any(speaks_of_root(term) for term in terms)
        case Not(term):
            return speaks_of_root(term)
        case Related(_, where) | Returned(_, where) | Exists(_, where):
            return speaks_of_root(where)
        case CompareColumns():
            return expression.of_root
        case Rule():
            return False
    return False
