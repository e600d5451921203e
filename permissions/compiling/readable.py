"""What a session may read, as a condition for SQL written by hand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from permissions.compiling.bool_exp import Condition, condition
from permissions.compiling.named import NamedColumn, columns_named
from permissions.expressions import Bound, Constant, Expression, Operand, Progress, SessionVariable, WholeSession, without
from permissions.rules import RoleRules
from permissions.session import Session
from schema.model import Catalog, TableName

ValueOf = Callable[[str], sa.ColumnElement[str]]
Changed = Callable[[Expression], Expression]
# The name under which a rule asks for the session as a whole; no session variable can have it.
WHOLE_SESSION: Final = "session"


def readable(catalog: Catalog, rules: RoleRules, session: Session, table: TableName, from_: sa.FromClause | None = None) -> Condition:
    """The select rule of the session's role, with the session's values as parameters; false when there is none.

    It stands on the catalog's table, or on `from_`: an alias or a model of the same table. Raises Hasura's not-found when the
    rule names a session variable that the session lacks.
    """
    return _rule(catalog, rules, table, from_, _values_of(session))


@dataclass(frozen=True, slots=True)
class RoleCondition:
    """A role's select rule with a parameter for each session variable, for a statement that is made once and asked often."""

    condition: Condition
    variables: frozenset[str]

    def values(self, session: Session) -> Mapping[str, str]:
        """The parameters. Raises Hasura's not-found when the session lacks one."""
        return {name: _value_of(session, name) for name in self.variables}


class ReadableRows:
    """The select rules of all roles; `rules` knows those of each."""

    def __init__(self, catalog: Catalog, rules: Callable[[str], RoleRules]) -> None:
        self._catalog, self._rules = catalog, rules

    def __call__(self, session: Session, table: TableName, from_: sa.FromClause) -> Condition:
        """As `readable` has it."""
        return readable(self._catalog, self._rules(session.role), session, table, from_)

    def without(self, relationship: str, session: Session, table: TableName, from_: sa.FromClause) -> Condition:
        """The same as if rows of the table had nothing in that relationship."""
        return _rule(self._catalog, self._rules(session.role), table, from_, _values_of(session), _lacking(relationship))

    def of_role(self, role: str, table: TableName, from_: sa.FromClause) -> RoleCondition:
        """The same for whoever has the role."""
        variables = set[str]()

        def named(name: str) -> sa.ColumnElement[str]:
            variables.add(name)
            return sa.bindparam(name, type_=sa.Text())

        return RoleCondition(self.by_values(role, table, from_, named), frozenset(variables))

    def by_values(self, role: str, table: TableName, from_: sa.FromClause, value_of: ValueOf, *, without: str | None = None) -> Condition:
        """The same where each session variable is what `value_of` gives for its name: for many sessions in one statement.

        It may be as if rows of the table had nothing in the relationship `without`.
        """
        changed = _unchanged if without is None else _lacking(without)
        return _rule(self._catalog, self._rules(role), table, from_, value_of, changed)

    def named(self, role: str, table: TableName) -> frozenset[NamedColumn]:
        """What decides which rows of the table the role sees."""
        rule = self._rules(role).select.get(table)
        return frozenset() if rule is None else frozenset(columns_named(rule.filter, table, self._catalog))


def _unchanged(rule: Expression) -> Expression:
    return rule


def _lacking(relationship: str) -> Changed:
    return lambda rule: without(rule, relationship)


def _rule(
    catalog: Catalog,
    rules: RoleRules,
    table: TableName,
    from_: sa.FromClause | None,
    value_of: ValueOf,
    changed: Changed = _unchanged,
) -> Condition:
    rule = rules.select.get(table)
    if rule is None:
        return sa.false()
    tracked = catalog[table]
    return condition(
        changed(rule.filter), tracked, tracked.table if from_ is None else from_, lambda operand: _bind(operand, value_of), catalog
    )


def _values_of(session: Session) -> ValueOf:
    return lambda name: sa.literal(_value_of(session, name), sa.Text())


def _value_of(session: Session, name: str) -> str:
    return session.as_argument() if name == WHOLE_SESSION else session.variable(name)


def _bind(operand: Operand, value_of: ValueOf) -> sa.ColumnElement[str]:
    match operand:
        case SessionVariable(name):
            return value_of(name)
        case WholeSession():
            return value_of(WHOLE_SESSION)
        case Constant(value):
            return sa.literal(value, sa.Text())
        case Bound() | Progress():
            raise ValueError(f"a permission rule has no request value: {operand.key}")
