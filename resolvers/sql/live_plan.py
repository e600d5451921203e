"""One statement for many sessions at once: what each of them brings is a row, and each row has its own answer."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
import sqlalchemy as sa

from permissions.errors import GraphQLRefusal
from permissions.expressions import Operand, Progress
from permissions.session import Session
from resolvers.ir import Binder, Stream
from resolvers.sql.json_values import Json
from resolvers.sql.parameters import Parameters
from resolvers.sql.plan import EACH
from resolvers.sql.size.answer_size import checked_answers
from schema.model import TableName

_OWN: Final = "own"
_NUMBER: Final = "number"


@dataclass(frozen=True, slots=True)
class LivePlan:
    """`own` are the values that differ from one session to the next, `binders` all others in the order of the parameters.

    One of the parameters, `each_at`, is a JSON list of the sessions' own values. The rows of the result are the session's number in
    that list, from 1, and its answer; a `stream` has a third column, how far its rows lead, null when there are none, and a fourth, the
    epoch, where the database has one.
    """

    sql: str
    binders: tuple[Binder | None, ...]
    own: tuple[Binder, ...]
    tables: frozenset[TableName]
    stream: Stream | None = None

    def shared(self, session: Session, variables: Mapping[str, Any]) -> tuple[str | None, ...]:
        """The arguments that are the same for all of a cohort; the place for what each brings is empty."""
        return tuple(binder(session, variables) if binder else None for binder in self.binders)

    def own_values(self, session: Session, variables: Mapping[str, Any]) -> tuple[str | None, ...]:
        """What this session brings; raises GraphQLRefusal for a missing session variable."""
        return tuple(binder(session, variables) for binder in self.own)

    def arguments(self, shared: Sequence[str | None], each: Iterable[bytes]) -> list[str | None]:
        """The statement's arguments for sessions whose own values are these, as JSON."""
        listed = (b"[" + b",".join(each) + b"]").decode()
        return [value if binder else listed for binder, value in zip(self.binders, shared, strict=True)]


def as_json(own: Sequence[str | None]) -> bytes:
    """What one session brings, as JSON; raises data-exception for what is no text in any encoding."""
    try:
        return orjson.dumps(own)
    except orjson.JSONEncodeError:
        raise GraphQLRefusal("data-exception", "a session variable is no text") from None


@dataclass(slots=True)
class OwnParameters(Parameters):
    """Parameters of which those that belong to a session are read from its row. A stream's `progress` comes before all others."""

    progress: int = 0
    own: dict[str, Binder] = field(default_factory=dict)

    def __call__(self, operand: Operand) -> sa.ColumnElement[str]:
        if isinstance(operand, Progress):
            return _own(operand.number)
        # Not super(): a dataclass with slots is made anew, and is no longer the class that the method belongs to.
        return Parameters.__call__(self, operand)

    def _of_session(self, name: str, binder: Binder) -> sa.ColumnElement[str]:
        self.own.setdefault(name, binder)
        return _own(self.progress + list(self.own).index(name))

    def live_plan(self, answer: sa.Select[Any], largest: int, tables: Iterable[TableName], stream: Stream | None = None) -> LivePlan:
        """Compiles the statement around the `answer` to one session; all answers together are no larger than one may be."""
        each = sa.func.json_array_elements(sa.cast(sa.literal_column(f"CAST({self._place(EACH)} AS TEXT)"), sa.JSON()))
        rows = each.table_valued(sa.column(_OWN, sa.JSON()), with_ordinality=_NUMBER).render_derived(name=EACH)
        compiled = self._compiled(checked_answers(answer, rows, rows.c[_NUMBER], largest))
        binders = tuple(None if name == EACH else self.used[name] for name in compiled.names)
        return LivePlan(compiled.sql, binders, tuple(self.own.values()), frozenset(tables), stream)


def _own(position: int) -> Json:
    return sa.cast(sa.literal_column(f'"{EACH}".{_OWN} ->> {position}'), sa.Text())
