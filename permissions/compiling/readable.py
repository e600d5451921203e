"""What a session may read, as a condition for SQL written by hand."""

import sqlalchemy as sa

from permissions.compiling.bool_exp import Condition, condition
from permissions.expressions import Bound, Constant, Operand, SessionVariable
from permissions.rules import RoleRules
from permissions.session import Session
from schema.model import Catalog, TableName


def readable(catalog: Catalog, rules: RoleRules, session: Session, table: TableName, from_: sa.FromClause | None = None) -> Condition:
    """The select rule of the session's role, with the session's values as parameters; false when there is none.

    It stands on the catalog's table, or on `from_`: an alias or a model of the same table. Raises Hasura's not-found when the
    rule names a session variable that the session lacks.
    """
    rule = rules.select.get(table)
    if rule is None:
        return sa.false()
    tracked = catalog[table]
    return condition(rule.filter, tracked, tracked.table if from_ is None else from_, lambda operand: _bind(operand, session), catalog)


def _bind(operand: Operand, session: Session) -> sa.ColumnElement[str]:
    match operand:
        case SessionVariable(name):
            return sa.literal(session.variable(name), sa.Text())
        case Constant(value):
            return sa.literal(value, sa.Text())
        case Bound(key):
            raise ValueError(f"a permission rule has no request value: {key}")
