"""Reactions: each is a row when it is answered, bursts are a few transactions, totals are exact, and none is lost when a process ends."""

import asyncio
from dataclasses import replace
from uuid import UUID

import pytest

from app.adapters.batches import open_batches
from domain.errors import Banned, InvalidInput, NotFound, RateLimited, ReactionsDisabled, StreamNotLive
from domain.streams.reactions import react
from domain.streams.reactions.react import react_to_stream
from domain.world import World
from permissions.errors import GraphQLRefusal
from permissions.session import Session
from tests.streams.audience.live_streams import ANYBODY, banned, live, processes, refused, tallies
from tests.support.domain_setup import ALICE, BOB, CAROL, MALLORY, MOD, Setup, newcomers, session
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio
TYPES = ("like", "love", "fire", "clap", "wow", "laugh", "sad")


async def totals(on: Setup, stream_id: UUID) -> dict[str, int]:
    rows = await on.database.fetch("SELECT type::text, total FROM nchat_stream_reaction_totals WHERE stream_id = $1", stream_id)
    return {row["type"]: row["total"] for row in rows}


async def counted(on: Setup, stream_id: UUID) -> dict[str, int]:
    """From the rows themselves."""
    rows = await on.database.fetch("SELECT type::text, count(*) FROM nchat_stream_reactions WHERE stream_id = $1 GROUP BY 1", stream_id)
    return {row["type"]: row["count"] for row in rows}


async def test_bursts_of_many_on_two_processes_add_up(on: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    crowd, streams = await newcomers(on, 30), [await live(on) for _ in range(2)]
    batches: list[int] = []
    write = react.write

    async def noted(world: World, stream_id: UUID, sent: list[object]) -> object:
        batches.append(len(sent))
        return await write(world, stream_id, sent)  # type: ignore[arg-type]

    monkeypatch.setattr(react, "write", noted)
    async with processes(on) as worlds:
        sent = [(worlds[n % 2], session(who), streams[n % 3 == 0], TYPES[n % 7]) for n, who in enumerate(crowd * 20)]
        await asyncio.gather(*(react_to_stream(world, who, stream_id, type) for world, who, stream_id, type in sent))  # type: ignore[arg-type]
    assert (sum(batches), len(batches) <= 12) == (600, True)
    assert [sum((await counted(on, one)).values()) for one in streams] == [400, 200]
    for stream_id in streams:
        assert await totals(on, stream_id) == await counted(on, stream_id)
        assert (await tallies(on, stream_id)).reactions == sum((await totals(on, stream_id)).values())


async def test_an_answer_means_that_it_is_committed(on: Setup) -> None:
    stream_id = await live(on)
    await react_to_stream(on.world, session(BOB), stream_id, "fire")
    row = await on.database.fetchrow("SELECT user_id, type::text, created_at FROM nchat_stream_reactions")
    assert row is not None
    assert (row["user_id"], row["type"], row["created_at"]) == (BOB, "fire", on.clock.now())
    assert {f"stream:{stream_id}", "table:nchat_stream_reactions"} <= on.publisher.topics()


async def test_what_was_taken_is_written_though_its_sender_and_then_the_process_go_away(on: Setup) -> None:
    stream_id = await live(on)
    async with open_batches() as batches:
        world = replace(on.world, batches=batches)
        held = on.database.transaction()
        await held.start()
        # Whoever writes a reaction has to wait for this.
        await on.database.execute("SELECT FROM nchat_streams FOR UPDATE")
        senders = [asyncio.create_task(react_to_stream(world, session(who), stream_id, "like")) for who in (BOB, CAROL)]
        await eventually(lambda: on.database.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))
        senders.append(asyncio.create_task(react_to_stream(world, session(ALICE), stream_id, "like")))
        await asyncio.sleep(0)
        for sender in senders:
            sender.cancel()
        await asyncio.gather(*senders, return_exceptions=True)
        closing = asyncio.create_task(batches.close())
        await held.commit()
        await closing
        assert await counted(on, stream_id) == {"like": 3}


@pytest.mark.parametrize("who", ["anybody", "a stranger", "the banned", "nobody known"])
async def test_who_may_not_react(on: Setup, who: str) -> None:
    public, hidden = await live(on), await live(on, "channel_members")
    await banned(on, public, CAROL)
    if who == "anybody":
        with pytest.raises(GraphQLRefusal):
            await react_to_stream(on.world, ANYBODY, public, "like")
    elif who == "a stranger":
        await refused(on, react_to_stream(on.world, session(MALLORY), hidden, "like"), NotFound)
        await refused(on, react_to_stream(on.world, session(MALLORY), MALLORY, "like"), NotFound)
    elif who == "the banned":
        await refused(on, react_to_stream(on.world, session(CAROL), public, "like"), Banned)
    else:
        await refused(on, react_to_stream(on.world, session(public), public, "like"), InvalidInput)
    assert await counted(on, public) == {}


async def test_who_may_and_who_may_not_in_one_batch(on: Setup) -> None:
    stream_id = await live(on, "channel_members")
    await banned(on, stream_id, CAROL)
    people = [session(BOB), session(MALLORY), session(CAROL), session(MOD, "moderator"), session(ALICE), session(MOD, "admin")]
    found = await asyncio.gather(*(react_to_stream(on.world, one, stream_id, "wow") for one in people), return_exceptions=True)
    assert [type(one) for one in found] == [type(None), NotFound, Banned, type(None), type(None), type(None)]
    assert await totals(on, stream_id) == {"wow": 4}


@pytest.mark.parametrize("status", ["scheduled", "starting", "ending", "ended"])
async def test_only_what_is_live_is_reacted_to(on: Setup, status: str) -> None:
    await refused(on, react_to_stream(on.world, session(BOB), await live(on, status=status), "like"), StreamNotLive)


async def test_when_reactions_are_off_and_when_they_are_too_many(on: Setup) -> None:
    stream_id = await live(on)
    on.limiter.used_up.add("reaction")
    await refused(on, react_to_stream(on.world, session(BOB), stream_id, "like"), RateLimited)
    assert on.limiter.hits == [("reaction", str(BOB))]
    on.limiter.used_up.clear()
    await on.database.execute("UPDATE nchat_streams SET reactions_enabled = false")
    await refused(on, react_to_stream(on.world, session(ALICE), stream_id, "like"), ReactionsDisabled)


async def test_one_who_can_not_be_read_holds_up_nobody(on: Setup) -> None:
    stream_id = await live(on)
    lacking = Session("user", {"x-hasura-user-id": str(BOB).upper()})
    await asyncio.gather(*(react_to_stream(on.world, one, stream_id, "sad") for one in (lacking, session(CAROL))))
    assert await totals(on, stream_id) == {"sad": 2}
