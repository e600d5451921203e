"""Who gets the same bytes: an authorization class, found in the rules and not in what somebody says of them."""

from collections.abc import Hashable, Sequence

from permissions.expressions import (
    And,
    Compare,
    CompareColumns,
    Exists,
    Expression,
    Not,
    Or,
    Related,
    Returned,
    Rule,
    SessionVariable,
)
from permissions.rules import RoleRules
from permissions.session import Session
from resolvers.hand_written.room_feed import RoomFeed
from schema.model import TableName


def audience(feed: RoomFeed, rules: RoleRules, session: Session) -> Hashable:
    """Equal for all whose pages are the same, as long as they may follow: the role, and the whole session where the rules look at it."""
    return session.role if is_shared(feed, rules) else (session.role, frozenset(session.variables.items()))


def is_shared(feed: RoomFeed, rules: RoleRules) -> bool:
    """Whether the role's rules show the same of a room to everyone who may follow it.

    They do where a row's rule asks for nothing but what the rights ask of the room, or pages ask of their rows, and where a rule beside it
    asks nobody who they are.
    """
    asked = [term for right in feed.rights for term in _of_room(feed, rules, right.table)]
    within = all(term in asked for table in feed.within for term in _of_room(feed, rules, table))
    return within and all(_asks_nobody(rules.select[table].filter) for table in feed.beside if table in rules.select)


def _of_room(feed: RoomFeed, rules: RoleRules, table: TableName) -> Sequence[object]:
    """What the rule of a table asks of the room's row; something that equals nothing where it asks for more, or shows nothing."""
    rule = rules.select.get(table)
    if rule is None:
        return [object()]
    if table not in feed.within:
        return _terms(rule.filter)
    asked = [term for term in _terms(rule.filter) if not _is_given(term, feed.given.get(table))]
    return [of_room for term in asked for of_room in _through(feed.within[table], term)]


def _is_given(term: Expression, given: Expression | None) -> bool:
    """Whether every row that satisfies `given` satisfies the term."""
    return term == given or (isinstance(term, Or) and any(_is_given(one, given) for one in term.terms))


def _through(to_room: str, term: Expression) -> Sequence[object]:
    """What the term asks of the room's row, to which the relationship leads."""
    match term:
        case Related(relationship, where) if relationship == to_room and not _has_root(where):
            return _terms(where)
    return [object()]


def _terms(expression: Expression) -> Sequence[Expression]:
    return expression.terms if isinstance(expression, And) else [expression]


def _has_root(expression: Expression) -> bool:
    """Whether it compares with a column of the row that the rule stands on (`$`)."""
    match expression:
        case CompareColumns(of_root=of_root):
            return of_root
        case And(terms) | Or(terms):
            return any(map(_has_root, terms))
        case Not(term):
            return _has_root(term)
        case Related(_, where) | Returned(_, where) | Exists(_, where):
            return _has_root(where)
    return isinstance(expression, Rule)


def _asks_nobody(expression: Expression) -> bool:
    match expression:
        case Compare(operand=operand):
            return not isinstance(operand, SessionVariable)
        case CompareColumns():
            return True
        case And(terms) | Or(terms):
            return all(map(_asks_nobody, terms))
        case Not(term):
            return _asks_nobody(term)
        case Related(_, where) | Exists(_, where):
            return _asks_nobody(where)
    return False
