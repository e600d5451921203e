"""Root fields that run one after the other: mutations, and queries that mix tables with actions or introspection."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import orjson

from permissions.session import Session
from resolvers.compiled import HandWritten, Introspection, KnownAnswer, Steps, TableRead, TableWrite, TableWrites
from resolvers.root_keys import nested
from resolvers.run.database_refusals import answer_too_large
from resolvers.run.strawberry_runner import StrawberryRunner
from resolvers.run.writes import refused_at, run_write
from resolvers.sql.database import Database, DatabaseTransaction

Open = Callable[[], AbstractAsyncContextManager[DatabaseTransaction]]
# The JSON of each root field by key.
Introspect = Callable[[Introspection], Awaitable[dict[str, bytes]]]


async def run_steps(
    steps: Steps,
    database: Database,
    session: Session,
    variables: Mapping[str, Any],
    strawberry: StrawberryRunner,
    introspect: Introspect,
    largest: int,
) -> bytes:
    """Runs the steps in order; the first error is the only answer.

    What tables answer has at most `largest` bytes. Table writes alone share one transaction. Beside an action each write has its own,
    and what committed before an error stays.
    """
    runner = _StepRunner(database, session, variables, strawberry, introspect, largest)
    if not steps.one_transaction or not any(isinstance(step, TableWrite | TableWrites) for step in steps.steps):
        answers = await runner.run(steps, lambda: _transaction(database, session))
        return _response(steps, answers)
    last = steps.steps[-1]
    with refused_at(last.statements[-1].error_path if isinstance(last, TableWrite) else "$"):
        async with _transaction(database, session) as connection:
            answers = await runner.run(steps, lambda: _shared(connection))
    return _response(steps, answers)


@asynccontextmanager
async def _transaction(database: Database, session: Session) -> AsyncIterator[DatabaseTransaction]:
    async with database.transaction() as connection:
        await connection.set_session(session)
        yield connection


@asynccontextmanager
async def _shared(connection: DatabaseTransaction) -> AsyncIterator[DatabaseTransaction]:
    yield connection


class _StepRunner:
    def __init__(
        self,
        database: Database,
        session: Session,
        variables: Mapping[str, Any],
        strawberry: StrawberryRunner,
        introspect: Introspect,
        largest: int,
    ) -> None:
        self._database, self._session, self._variables = database, session, variables
        self._strawberry, self._introspect, self._left = strawberry, introspect, largest

    async def run(self, steps: Steps, open_: Open) -> dict[str, bytes]:
        answers: dict[str, bytes] = {}
        for step in steps.steps:
            match step:
                case KnownAnswer(key, json):
                    answers[key] = json
                case TableRead(key, _, plan):
                    read = await self._database.fetch_json(plan.sql, plan.bind(self._session, self._variables))
                    answers[key] = self._fitting(read)
                case TableWrite() | TableWrites():
                    answers[step.key] = await self._write(step, open_)
                case HandWritten():
                    answers |= await self._strawberry.run(step)
                case Introspection():
                    answers |= await self._introspect(step)
        return answers

    async def _write(self, step: TableWrite | TableWrites, open_: Open) -> bytes:
        writes = step.writes if isinstance(step, TableWrites) else (step,)
        # What the session lacks is told before a transaction begins.
        for write in writes:
            write.statements[0].plan.bind(self._session, self._variables)
        async with open_() as connection:
            answers = [self._fitting(await run_write(write, connection, self._session, self._variables)) for write in writes]
        return b"[" + b",".join(answers) + b"]" if isinstance(step, TableWrites) else answers[0]

    def _fitting(self, answer: bytes) -> bytes:
        """Each is within the limit already; this is about all of them, and inside the transaction of those that write."""
        self._left -= len(answer)
        if self._left < 0:
            raise answer_too_large()
        return answer


def _response(steps: Steps, answers: Mapping[str, bytes]) -> bytes:
    return b'{"data":' + _object(nested([(key, answers[key]) for key in steps.keys], _object)) + b"}"


def _object(members: Sequence[tuple[str, bytes]]) -> bytes:
    return b"{" + b",".join(orjson.dumps(key) + b":" + value for key, value in members) + b"}"
