"""Questions of the media endpoint as GraphQL asks its own: one statement, in the share and within the time of whoever follows the link."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

import orjson
import sqlalchemy as sa

from app.graphql.principal import ADMIN_PRINCIPAL
from app.media.shared_rounds import SharedRounds
from domain.recordings.playing.questions import Question, Rows
from permissions.session import ADMIN, USER_ID, Session
from resolvers.documents.lru import LRU
from resolvers.sql.database import Asker, SharedDatabase
from schema.sql_types import DIALECT

Read = Callable[[Any], Any]
# Of the roles that people have, by the rules of now and, for a while, those before them.
_TEXTS: Final = 256
_BYTES: Final = 4 << 20
# JSON knows neither.
READERS: Final[Mapping[type, Read]] = {UUID: UUID, datetime: datetime.fromisoformat}


@dataclass(frozen=True, slots=True)
class _Text:
    """A question as text: the names of its parameters in their order, those that are always the same, and how each column's values are
    read."""

    sql: str
    names: Sequence[str]
    constants: Mapping[str, str]
    readers: Sequence[Read | None]


class SharedLooks:
    """`domain.recordings.playing.questions.Ask`. Who asks the same in the same name, as all who have none do, is asked for together."""

    def __init__(self, database: SharedDatabase) -> None:
        self._database = database
        self._texts: LRU[int, tuple[Question, _Text]] = LRU(_TEXTS, _BYTES)
        self._asked: SharedRounds[tuple[str, str, tuple[str, ...]], Rows] = SharedRounds()

    async def __call__(self, session: Session, question: Question, values: Mapping[str, str]) -> Rows:
        """Raises DatabaseError, and GraphQLRefusal when the person asks for too much at once."""
        text = self._text_of(question)
        given = {**text.constants, **values}
        asked = tuple(given[name] for name in text.names)
        asker = asker_of(session)
        return await self._asked.ask((asker.principal, text.sql, asked), partial(self._read, asker, text, asked))

    def _text_of(self, question: Question) -> _Text:
        # By identity: there are a few for each role, and the one beside the text keeps its place in memory.
        known = self._texts.get(id(question))
        if known is None:
            known = (question, _text(question.statement))
            self._texts.put(id(question), known, len(known[1].sql))
        return known[1]

    async def _read(self, asker: Asker, text: _Text, asked: Sequence[str]) -> Rows:
        rows = orjson.loads(await self._database.request(asker).fetch_json(text.sql, list(asked)))
        return [
            [value if read is None or value is None else read(value) for value, read in zip(row, text.readers, strict=True)] for row in rows
        ]


def asker_of(session: Session) -> Asker:
    """A link names a person, or admin, or a role that has no person: all who follow such a link have one share."""
    user_id = session.variables.get(USER_ID)
    if user_id:
        return Asker(f"user {user_id}", session.role == ADMIN)
    return Asker(ADMIN_PRINCIPAL, is_admin=True) if session.role == ADMIN else Asker(f"links of {session.role}")


def _text(statement: sa.Select[Any]) -> _Text:
    found = statement.subquery("found")
    row = sa.func.json_build_array(*found.columns)
    whole = sa.select(sa.func.coalesce(sa.func.json_agg(row), sa.cast(sa.literal_column("'[]'"), sa.JSON())))
    compiled: Any = whole.select_from(found).compile(dialect=DIALECT)
    readers = [READERS.get(column.type.python_type) for column in statement.selected_columns]
    return _Text(str(compiled), compiled.positiontup or (), compiled.params, readers)
