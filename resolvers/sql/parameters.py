"""The parameters of a statement: session variables and the request's values, numbered and bound as text."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from permissions.compiling.filled_text import FilledText
from permissions.errors import GraphQLRefusal
from permissions.expressions import Bound, Constant, Operand, Progress, SessionVariable, WholeSession
from resolvers.ir import Binder
from resolvers.sql.json_values import text_literal
from resolvers.sql.plan import Plan
from schema.model import TableName
from schema.sql_types import DIALECT

# What PostgreSQL's protocol can number.
_MAX_PARAMETERS = 32_767
_TEXT: Final = sa.Text()
# No statement of ours holds this character: PostgreSQL takes it in no text.
_PLACE: Final = re.compile("\x00\\$(\\d+)\x00")


@dataclass(slots=True)
class Parameters:
    """Gives each operand its parameter: rule constants are literals, everything else travels with the request."""

    binders: Mapping[str, Binder]
    used: dict[str, Binder] = field(default_factory=dict)
    _places: dict[str, int] = field(default_factory=dict)

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
        return FilledText(_TEXT, [f"CAST({self._place(name)} AS TEXT)"])

    def _place(self, name: str) -> str:
        """What stands for its number until the statement is written: it has one for each place that there is in the end."""
        return f"\x00${self._places.setdefault(name, len(self._places))}\x00"

    def plan(self, statement: sa.Select[Any], tables: Iterable[TableName]) -> Plan:
        """Compiles the statement; raises validation-failed when it has more parameters than PostgreSQL takes."""
        compiled = self._compiled(statement)
        return Plan(compiled.sql, compiled.places, tuple(self.used[name] for name in compiled.names), frozenset(tables))

    def _compiled(self, statement: sa.Select[Any]) -> "Compiled":
        names, numbers = list(self._places), dict[str, int]()
        # Text and places take turns.
        pieces = _PLACE.split(str(statement.compile(dialect=DIALECT)))
        for place in range(1, len(pieces), 2):
            pieces[place] = f"${numbers.setdefault(names[int(pieces[place])], len(numbers) + 1)}"
        if len(numbers) > _MAX_PARAMETERS:
            raise GraphQLRefusal("validation-failed", f"the request holds more than {_MAX_PARAMETERS} values")
        ends = tuple(accumulate(map(len, pieces)))
        return Compiled("".join(pieces), list(numbers), ends[:-1:2])


class Compiled(NamedTuple):
    """A statement's text, the names of its parameters in their order, and where in the text they stand."""

    sql: str
    names: Sequence[str]
    places: Sequence[int]
