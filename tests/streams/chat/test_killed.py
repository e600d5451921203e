"""Killed at any commit: whoever asks again has it once, and the numbers have no gap."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from random import Random
from uuid import UUID

import pytest

from app.database.transactions import EngineTransactions, open_engine
from domain.streams.chat.bans import ban_from_stream, expire_bans, unban_from_stream
from domain.streams.chat.moderating import delete_stream_chat, pin_stream_chat
from domain.streams.chat.sending import send_stream_chat
from domain.world import World
from tests.streams.chat.live_stream import happened, live_stream
from tests.support.call_sites import DOMAIN, transactions
from tests.support.domain_setup import ALICE, BOB, CAROL, Setup, session
from tests.support.kill_points import Killed, KillPoints
from tests.trials.scale import SEED, WHOLE

pytestmark = pytest.mark.anyio
FIRST, SECOND = UUID(int=1), UUID(int=2)
# Among all the other tests.
SAMPLE = 4
HAPPENED = ["message", "message", "pinned", "deleted"]


@asynccontextmanager
async def process(on: Setup, points: KillPoints) -> AsyncIterator[World]:
    """A service process with connections of its own, that dies where `points` says."""
    async with open_engine(on.url) as engine:
        yield replace(on.world, transaction=EngineTransactions(engine, on.publisher, points))


async def life(on: Setup, world: World, stream_id: UUID) -> None:
    """Whatever is done at a chat; each may have been done already."""
    pinned, deleted = [await send_stream_chat(world, session(BOB), stream_id, "hello", None, one) for one in (FIRST, SECOND)]
    await pin_stream_chat(world, session(ALICE), pinned.message_id)
    await delete_stream_chat(world, session(ALICE), deleted.message_id)
    await ban_from_stream(world, session(ALICE), stream_id, CAROL)
    await unban_from_stream(world, session(ALICE), stream_id, CAROL)
    await ban_from_stream(world, session(ALICE), stream_id, CAROL, seconds=1)
    on.clock.advance(1)
    await expire_bans(world)


async def points_of_a_life(on: Setup) -> list[str]:
    points = KillPoints()
    async with process(on, points) as world:
        await life(on, world, await live_stream(on))
    return points.passed


async def test_whatever_point_it_dies_at(on: Setup, request: pytest.FixtureRequest) -> None:
    """By `NCHAT_TRIALS=whole` at each of them; else at a few, by chance."""
    request.node.add_report_section("call", "sample", f"NCHAT_TRIALS_SEED={SEED}")
    points = list(enumerate(await points_of_a_life(on)))
    for at, point in points if WHOLE else Random(SEED).sample(points, SAMPLE):  # noqa: S311 - no secret
        stream_id = await live_stream(on)
        async with process(on, KillPoints(at)) as world:
            with pytest.raises(Killed):
                await life(on, world, stream_id)
        await life(on, on.world, stream_id)
        assert [(seq, kind) for seq, kind, _ in await happened(on, stream_id)] == list(enumerate(HAPPENED, 1)), point
        open_bans = "SELECT count(*) FROM nchat_stream_bans WHERE stream_id = $1 AND lifted_at IS NULL"
        assert await on.database.fetchval(open_bans, stream_id) == 0, point


async def test_no_commit_is_left_out(on: Setup) -> None:
    names = transactions(sorted((DOMAIN / "streams" / "chat").rglob("*.py")))
    assert len(names) == len(set(names)), "a name tells commits apart"
    assert {point.split(":")[0] for point in await points_of_a_life(on)} == set(names)
