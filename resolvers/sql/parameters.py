"""The parameters of a statement: session variables and the request's values, numbered and bound as text."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from permissions.errors import GraphQLRefusal
from permissions.expressions import Bound, Constant, Operand, Progress, SessionVariable, WholeSession
from resolvers.ir import Binder
from resolvers.sql.json_values import text_literal
from resolvers.sql.plan import Plan
from schema.model import TableName
from schema.sql_types import DIALECT

# What PostgreSQL's protocol can number.
_MAX_PARAMETERS = 32_767


@dataclass(slots=True)
class Parameters:
    """Gives each operand its parameter: rule constants are literals, everything else travels with the request."""

    binders: Mapping[str, Binder]
    used: dict[str, Binder] = field(default_factory=dict)

    def __call__(self, operand: Operand) -> sa.ColumnElement[str]:
        match operand:
            case Constant(value):
                return sa.cast(sa.null() if value is None else text_literal(str(value)), sa.Text())
            case SessionVariable(name):
                return self._of_session(f"session {name}", lambda session, _: session.variable(name))
            case WholeSession():
                # With what the service adds.
                return self._of_session("session", lambda session, _: session.as_argument())
            case Progress():
                raise TypeError("only a stream has come to somewhere")
            case Bound(key):
                return self._parameter(key, self.binders[key])

    def _of_session(self, name: str, binder: Binder) -> sa.ColumnElement[str]:
        """A value that differs from one caller to the next."""
        return self._parameter(name, binder)

    def _parameter(self, name: str, binder: Binder) -> sa.ColumnElement[str]:
        self.used[name] = binder
        # The cast is what the server sees: a parameter of another type would be refused by the driver in its own words.
        return sa.cast(sa.bindparam(name, type_=sa.Text()), sa.Text())

    def plan(self, statement: sa.Select[Any], tables: Iterable[TableName]) -> Plan:
        """Compiles the statement; raises validation-failed when it has more parameters than PostgreSQL takes."""
        sql, names = self._compiled(statement)
        return Plan(sql, tuple(self.used[name] for name in names), frozenset(tables))

    def _compiled(self, statement: sa.Select[Any]) -> tuple[str, Sequence[str]]:
        compiled: Any = statement.compile(dialect=DIALECT)
        names: Sequence[str] = compiled.positiontup or ()
        if len(names) > _MAX_PARAMETERS:
            raise GraphQLRefusal("validation-failed", f"the request holds more than {_MAX_PARAMETERS} values")
        return str(compiled), names
