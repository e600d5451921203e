"""What a start costs, by what is sent to PostgreSQL: the same few statements, however many people it rings."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import sqlalchemy as sa

from app.database.transactions import EngineTransactions, open_engine
from domain.calls.actions.initiate import CallRequest, initiate_call
from domain.world import World
from tests.support.domain_setup import ALICE, BOB, Setup, newcomers, session

pytestmark = pytest.mark.anyio
# Written, rung, answered: the first and the second of these transactions ask who may be rung, the first also
# whether a single target is busy.
MOST = 18


@pytest.fixture
async def sent() -> list[str]:
    return []


@pytest.fixture
async def counted(on: Setup, sent: list[str]) -> AsyncIterator[World]:
    """A process of its own whose statements are written down; it has a connection already."""
    async with open_engine(on.url) as engine:
        world = replace(on.world, transaction=EngineTransactions(engine, on.publisher))

        def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
            sent.append(statement)

        async with world.transaction("first") as tx:
            await tx.connection.execute(sa.text("SELECT 1"))
        sa.event.listen(engine.sync_engine, "before_cursor_execute", note)
        yield world


async def test_one_or_fifty(on: Setup, counted: World, sent: list[str]) -> None:
    await initiate_call(counted, session(ALICE), CallRequest("audio", [BOB]))
    one = len(sent)
    assert one <= MOST, "\n".join(sent)
    sent.clear()
    crowd = await newcomers(on, 52)
    await initiate_call(counted, session(crowd[0]), CallRequest("audio", crowd[1:51]))
    assert len(sent) < one
