"""A write of a table inside a transaction: its statements in order, the check of each, and the answer."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from permissions.errors import GraphQLRefusal
from permissions.session import Session
from resolvers.compiled import TableWrite, WriteStatement
from resolvers.ir import AFFECTED, WRITTEN
from resolvers.run.database_refusals import check_violation, refusal
from resolvers.run.unexpected_errors import unexpected
from resolvers.sql.database import DatabaseError, DatabaseTransaction
from resolvers.sql.writing.write_check import CHECK_FAILED

_NOTHING = b"[]"


async def run_write(write: TableWrite, connection: DatabaseTransaction, session: Session, variables: Mapping[str, Any]) -> bytes:
    """The field's value; raises GraphQLRefusal for what a check or PostgreSQL refuses."""
    given = dict(variables)
    affected, answer = 0, _NOTHING
    for statement in write.statements:
        with refused_at(statement.error_path):
            answer = await _run(statement, connection, session, given)
        if statement.keep is None:
            affected += int(answer) if write.answer is not None else 0
        else:
            given[statement.keep] = answer.decode()
            # Of a nested insert, where it is one row or none; of any other nobody asks.
            affected += answer != _NOTHING
    if write.answer is None:
        return answer
    with refused_at(write.statements[-1].error_path):
        given |= {WRITTEN: _together([given[name] for name in write.rows]), AFFECTED: str(affected)}
        return await connection.fetch_json(write.answer.sql, write.answer.bind(session, given))


async def _run(statement: WriteStatement, connection: DatabaseTransaction, session: Session, given: Mapping[str, Any]) -> bytes:
    answer = await connection.fetch_json(statement.plan.sql, statement.plan.bind(session, given))
    if answer == CHECK_FAILED:
        raise check_violation(statement.error_path)
    if statement.needed is not None and answer == _NOTHING:
        sentence, path = statement.needed
        raise GraphQLRefusal("not-supported", sentence, path)
    connection.wrote(statement.table)
    return answer


def _together(lists: list[str]) -> str:
    """Lists of rows, as PostgreSQL wrote them, as one."""
    return "[" + ",".join(each[1:-1] for each in lists if each[1:-1].strip()) + "]"


@contextmanager
def refused_at(path: str) -> Iterator[None]:
    """PostgreSQL's refusals as answers at this path."""
    try:
        yield
    except DatabaseError as error:
        raise refusal(error, path) or unexpected(error, path) from error
