"""An engine over the tables of `written_things`, and what a refused write must not have done."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg

from permissions.session import Session
from tests.engine.library import Library, library
from tests.engine.written_things import ANN, SQL, TABLES, metadata
from tests.support.databases import Databases
from tests.support.refusals import error_in


@asynccontextmanager
async def things(databases: Databases, folder: Path) -> AsyncIterator[Library]:
    with databases.temporary() as url:
        connection = await asyncpg.connect(url)
        await connection.execute(SQL)
        await connection.close()
        async with library(url, metadata(folder / "metadata.json")) as opened:
            assert opened.resolved.problems == ()
            yield opened


async def dump(store: Library) -> dict[str, Any]:
    return {table: await store.value(f"SELECT json_agg(t ORDER BY t::text)::text FROM {table} t") for table in TABLES}


async def refused(store: Library, query: str, code: str, path: str, session: Session = ANN, variables: Any = None) -> str:
    """The message of the one error; nothing has changed."""
    before = await dump(store)
    error = error_in(await store.ask(query, variables, session=session), query)
    assert await dump(store) == before
    assert (error["extensions"]["code"], error["extensions"]["path"]) == (code, path), error
    return str(error["message"])


async def done(store: Library, query: str, session: Session = ANN, variables: Any = None) -> Any:
    """The data of a mutation that nothing refuses."""
    answer = await store.ask(query, variables, session=session)
    assert "errors" not in answer, answer
    return answer["data"]
