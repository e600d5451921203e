"""Whether people may still follow: the rules of a role for many of them, in one statement."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple

import orjson
import sqlalchemy as sa

from domain.errors import ActionError
from permissions.compiling.bool_exp import Bind, condition
from permissions.expressions import Constant, Expression, Operand, SessionVariable, without
from permissions.rules import RoleRules
from permissions.session import Session
from resolvers.hand_written.room_feed import ROOM, Right, RoomFeed
from resolvers.sql.database import Database, DatabaseError
from resolvers.sql.json_values import text_literal
from resolvers.walk.parameter_text import array_of_texts
from schema.model import Catalog, PgType
from schema.sql_types import DIALECT

# In one statement.
ASKED_AT_ONCE: Final = 2_000
# A value of somebody's token that is no value of the column's type.
BAD_VALUE: Final = "22"


class RightAsked(NamedTuple):
    """Somebody in a room."""

    room: str
    session: Session


@dataclass(frozen=True, slots=True)
class Standing:
    """What was found: the room's last seq, and why the person may not follow, if so."""

    head: int
    refusal: type[ActionError] | None = None
    error: DatabaseError | None = None


@dataclass(frozen=True, slots=True)
class _Statement:
    """`refusals` is what its verdicts mean, by their number."""

    sql: str
    variables: Sequence[str]
    refusals: Sequence[type[ActionError]]


class Rights:
    """`rules` are those of each role."""

    def __init__(self, database: Database, catalog: Catalog, rules: Callable[[str], RoleRules]) -> None:
        self._database, self._catalog, self._rules = database, catalog, rules
        self._statements: dict[tuple[str, str], _Statement] = {}

    def who(self, feed: RoomFeed, session: Session) -> tuple[str, ...]:
        """All that the rules look at of a session. Raises Hasura's not-found when it lacks a variable that they name."""
        return tuple(session.variable(name) for name in self._statement(feed, session.role).variables)

    async def ask(self, feed: RoomFeed, role: str, asked: Sequence[RightAsked]) -> tuple[str, Sequence[Standing]]:
        """The epoch, and how each of them stands; all of one role. Raises DatabaseError."""
        statement = self._statement(feed, role)
        columns = [[one.room for one in asked], *([one.session.variable(name) for one in asked] for name in statement.variables)]
        try:
            found = orjson.loads(await self._database.fetch_json(statement.sql, [array_of_texts(column) for column in columns]))
        except DatabaseError as error:
            if not error.sqlstate.startswith(BAD_VALUE):
                raise
            return await self._apart(feed, role, asked, error)
        return found["epoch"], [_standing(statement, verdict, head) for verdict, head in found["standings"]]

    async def _apart(self, feed: RoomFeed, role: str, asked: Sequence[RightAsked], error: DatabaseError) -> tuple[str, Sequence[Standing]]:
        """One bad value is its owner's trouble, not that of the others in the statement."""
        if len(asked) == 1:
            return "", [Standing(0, error=error)]
        half = len(asked) // 2
        (first, some), (second, others) = await self.ask(feed, role, asked[:half]), await self.ask(feed, role, asked[half:])
        return first or second, [*some, *others]

    def _statement(self, feed: RoomFeed, role: str) -> _Statement:
        known = self._statements.get((feed.name, role))
        if known is None:
            known = self._statements[feed.name, role] = _statement(feed, self._catalog, self._rules(role))
        return known


def _standing(statement: _Statement, verdict: int | None, head: int | None) -> Standing:
    return Standing(head or 0, None if verdict is None else statement.refusals[verdict])


def _statement(feed: RoomFeed, catalog: Catalog, rules: RoleRules) -> _Statement:
    """`{"epoch", "standings": [[why one may not follow, the last seq], …]}`, in the order of the rooms and people given."""
    variables: dict[str, str] = {}
    refusals: list[type[ActionError]] = []

    def bind(operand: Operand) -> sa.ColumnElement[str]:
        match operand:
            case SessionVariable(name):
                return sa.literal_column(f"asked.{variables.setdefault(name, f'v{len(variables)}')}", sa.Text())
            case Constant(value):
                return sa.cast(sa.null() if value is None else text_literal(str(value)), sa.Text())
        raise ValueError(f"a permission rule has no request value: {operand}")

    def missing(right: Right) -> str:
        refusals.append(right.refusal)
        verdict = str(len(refusals) - 1)
        if right.bar is not None:
            refusals.append(right.bar.refusal)
            barred = _holds(right, catalog, rules, bind, partial(without, relationship=right.bar.relationship))
            verdict = f"CASE WHEN {barred} THEN {len(refusals) - 1} ELSE {verdict} END"
        return f"WHEN NOT {_holds(right, catalog, rules, bind)} THEN {verdict}"

    verdict = " ".join(map(missing, feed.rights))
    columns = ["room", *variables.values()]
    given = ", ".join(f"CAST(CAST(${number} AS text) AS text[])" for number in range(1, len(columns) + 1))
    counter, of_room = feed.counter, _room_as(_key_type(feed.rights[0], catalog))
    sql = f"""
        SELECT json_build_object('epoch', {feed.epoch}, 'standings', json_agg(json_build_array(verdict, head) ORDER BY place))
        FROM (
            SELECT asked.place, CASE {verdict} END AS verdict,
                (SELECT {counter.seq} FROM {counter.table} AS counter WHERE counter.{counter.room} = {of_room}) AS head
            FROM unnest({given}) WITH ORDINALITY AS asked ({", ".join(columns)}, place)
        ) AS found"""  # noqa: S608 - names of ours, and rules as the compiler writes them
    return _Statement(sql, list(variables), refusals)


def _as_it_is(rule: Expression) -> Expression:
    return rule


def _holds(right: Right, catalog: Catalog, rules: RoleRules, bind: Bind, changed: Callable[[Expression], Expression] = _as_it_is) -> str:
    """EXISTS over the row that has to be seen; it is false where the role sees no row of that table."""
    rule = rules.select.get(right.table)
    if rule is None:
        return "false"
    tracked = catalog[right.table]
    row = tracked.table.alias("followed")
    key = [
        row.c[column] == sa.literal_column(_room_as(tracked.columns[column].type) if value is ROOM else str(value))
        for column, value in right.key.items()
    ]
    seen = sa.select(sa.literal_column("1")).where(*key, condition(changed(rule.filter), tracked, row, bind, catalog)).exists()
    return str(seen.compile(dialect=DIALECT))


def _key_type(right: Right, catalog: Catalog) -> PgType:
    (column,) = (name for name, value in right.key.items() if value is ROOM)
    return catalog[right.table].columns[column].type


def _room_as(type_: PgType) -> str:
    return f"CAST(asked.room AS {type_.sql})"
