"""The inbox: stored once, processed in order per room, by one worker at a time, and never lost."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import asyncpg
import pytest
import sqlalchemy as sa

from app.database.transactions import EngineTransactions, open_engine
from domain.calls.actions.answer import accept_call
from domain.calls.actions.initiate import CallRequest, initiate_call
from domain.calls.actions.kick import kick_participant
from domain.calls.repairs import Repair
from domain.webhooks import effects
from domain.webhooks.call_webhook import CallWebhook
from domain.webhooks.inbox import oldest_age, process_pending, purge, store
from domain.webhooks.webhook_event import WebhookEvent
from domain.world import World
from resolvers.sql.database import DatabaseError
from tests.life_cycle.running_call import Running
from tests.support.domain_setup import ALICE, BOB, DAVE, Setup, newcomers, session
from tests.support.dump import dump
from tests.support.log_lines import LogLines
from tests.support.telling_rooms import TellingRoom

pytestmark = pytest.mark.anyio


@pytest.fixture
async def workers(on: Setup) -> AsyncIterator[Sequence[World]]:
    """Two more processes' worth of connections to the same database."""
    async with open_engine(on.url) as one, open_engine(on.url) as other:
        yield [replace(on.world, transaction=EngineTransactions(engine, on.publisher)) for engine in (one, other)]


async def inbox(on: Setup) -> dict[str, "asyncpg.Record"]:
    return {row["id"]: row for row in await on.database.fetch("SELECT * FROM nchat_webhook_events")}


async def test_stored_once(ringing: Running) -> None:
    event = WebhookEvent("EV_same", "room_started", ringing.on.clock.now(), {"room": {"name": "x", "sid": "RM_x"}})
    assert await store(ringing.on.world, event)
    before = await dump(ringing.on.database)
    assert not await store(ringing.on.world, event)
    assert await dump(ringing.on.database) == before


async def test_at_once_from_several_is_stored_once(on: Setup) -> None:
    event = WebhookEvent("EV_same", "room_started", on.clock.now(), {})
    assert sorted(await asyncio.gather(*(store(on.world, event) for _ in range(5)))) == [False] * 4 + [True]


async def test_only_the_allow_list_is_kept(on: Setup) -> None:
    payload = {"room": {"name": "x", "sid": "RM", "turnPassword": "s3cret"}, "participant": {"identity": "a", "metadata": "s3cret"}, "k": 1}
    await store(on.world, WebhookEvent("EV_1", "room_started", on.clock.now(), payload))
    kept = await on.database.fetchval("SELECT payload::text FROM nchat_webhook_events")
    assert "s3cret" not in kept
    assert "turnPassword" not in kept


async def test_two_workers_process_each_event_once_and_in_order(on: Setup, workers: Sequence[World]) -> None:
    calls: list[Running] = []
    crowd = await newcomers(on, 16)
    for caller, callee in zip(crowd[:8], crowd[8:], strict=True):
        started = await initiate_call(on.world, session(caller), CallRequest("audio", [callee, DAVE]))
        await accept_call(on.world, session(callee), started.call_id)
        calls.append(Running(on, started.call_id, TellingRoom(on, started.room_name, silent=True)))
        for user_id in (caller, callee):
            await calls[-1].room.join(user_id, "microphone")
        await calls[-1].room.leave(callee, "connection_timeout")
        await calls[-1].room.join(callee)
    for step in zip(*(call.room.told for call in calls), strict=True):
        for event in step:
            await store(on.world, event)
    done = await asyncio.gather(*(process_pending(worker) for worker in [*workers, *workers]))
    assert sum(done) == sum(len(call.room.told) for call in calls)
    for call in calls:
        assert await call.status() == ("connected", None)
        kinds = await call.kinds()
        assert kinds.count("call_participant_disconnected") == 1
        assert kinds.count("call_participant_joined") == 3


async def test_what_a_crash_left_is_processed_later(ringing: Running, workers: Sequence[World]) -> None:
    ringing.room.silent = True
    await ringing.room.join(ALICE)
    await store(ringing.on.world, ringing.room.told[-1])
    assert await process_pending(workers[0]) == 1
    assert await ringing.standing(ALICE) == ("connected", None)


async def test_a_crash_in_the_middle_leaves_no_half(ringing: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        """The process is gone."""

    arrive = effects.EFFECTS["participant_joined"]

    async def die(webhook: CallWebhook) -> list[Repair]:
        await arrive(webhook)
        raise Killed

    ringing.room.silent = True
    await ringing.room.join(ALICE)
    await store(ringing.on.world, ringing.room.told[-1])
    before = await dump(ringing.on.database)
    with monkeypatch.context() as patched:
        patched.setitem(effects.EFFECTS, "participant_joined", die)
        with pytest.raises(BaseExceptionGroup):
            await process_pending(ringing.on.world)
    assert await dump(ringing.on.database) == before
    await process_pending(ringing.on.world)
    assert await ringing.standing(ALICE) == ("connected", None)


async def test_an_event_that_fails_waits_longer_each_time(ringing: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(_webhook: CallWebhook) -> list[Repair]:
        raise LookupError("s3cret")

    on = ringing.on
    with monkeypatch.context() as patched:
        patched.setitem(effects.EFFECTS, "room_started", fail)
        event = await ringing.room.tell("room_started", {})
        await ringing.room.join(ALICE)
        assert await ringing.standing(ALICE) == ("connected", None)
        attempts = []
        for second in range(200):
            on.clock.advance(1)
            if await process_pending(on.world):
                attempts.append(second + 1)
        assert attempts == [5, 15, 35, 75, 155]
        row = (await inbox(on))[event.id]
        assert (row["processed_at"], row["error"], row["attempts"]) == (None, "LookupError", 6)
    on.clock.advance(600)
    await process_pending(on.world)
    row = (await inbox(on))[event.id]
    assert row["processed_at"] is not None
    assert row["error"] is None


async def fails_once(on: Setup, monkeypatch: pytest.MonkeyPatch, event: WebhookEvent) -> None:
    """Stores an event and works it out, which fails: it waits to be tried again."""

    async def fail(_webhook: CallWebhook) -> list[Repair]:
        raise LookupError

    with monkeypatch.context() as patched:
        patched.setitem(effects.EFFECTS, event.event, fail)
        await store(on.world, event)
        await process_pending(on.world)


async def test_a_join_that_comes_again_leads_to_no_dead_connection(group: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its leave was received after it and has been worked out meanwhile, as was the person's next join."""
    on = group.on
    await group.room.leave(BOB, "connection_timeout")
    group.room.silent = True
    await group.room.join(BOB)
    await group.room.leave(BOB, "connection_timeout")
    alive = await group.room.join(BOB)
    first, *later = group.room.told[-3:]
    await fails_once(on, monkeypatch, first)
    for event in later:
        await store(on.world, event)
    await process_pending(on.world)
    assert await group.sid(BOB) == alive.sid
    on.clock.advance(60)
    assert await process_pending(on.world) == 1
    assert await group.sid(BOB) == alive.sid
    assert await group.standing(BOB) == ("connected", None)


async def test_a_track_that_comes_again_and_is_gone_is_not_sent(direct: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    on, room = direct.on, direct.room
    bob = {"identity": str(BOB), "sid": await direct.sid(BOB)}
    room.silent = True
    for event in ("track_published", "track_unpublished"):
        await room.tell(event, {"participant": dict(bob), "track": {"sid": "TR_screen", "source": "screen_share"}})
    published, unpublished = room.told[-2:]
    await fails_once(on, monkeypatch, published)
    await store(on.world, unpublished)
    assert await process_pending(on.world) == 1
    on.clock.advance(60)
    assert await process_pending(on.world) == 1
    assert not (await on.participant(direct.id, BOB))["is_screen_sharing"]


async def test_an_event_that_always_fails_is_given_up(ringing: Running, monkeypatch: pytest.MonkeyPatch, log_lines: LogLines) -> None:
    """After an hour: it stays with its error, and the oldest that waits is another."""

    async def fail(_webhook: CallWebhook) -> list[Repair]:
        raise LookupError("s3cret")

    on = ringing.on
    monkeypatch.setitem(effects.EFFECTS, "room_started", fail)
    event = await ringing.room.tell("room_started", {})
    for _ in range(11):
        assert await oldest_age(on.world) > 0
        on.clock.advance(600)
        assert await process_pending(on.world) == 1
    on.clock.advance(600)
    assert await process_pending(on.world) == 0
    row = (await inbox(on))[event.id]
    assert (row["attempts"], row["error"]) == (12, "LookupError")
    assert await oldest_age(on.world) == 0
    said = [line["event"] for line in log_lines if line["event"].startswith("webhook_")]
    assert said == ["webhook_failed"] * 11 + ["webhook_given_up"]
    assert "s3cret" not in str(log_lines)


async def test_livekit_that_does_not_answer_is_asked_again(group: Running) -> None:
    on = group.on
    bob = await on.participant(group.id, BOB)
    await kick_participant(on.world, session(ALICE), group.id, bob["id"])
    on.rooms.broken.add("remove_participant")
    await group.room.join(BOB)
    joined = group.room.told[-1].id
    row = (await inbox(on))[joined]
    assert row["processed_at"] is None
    assert row["error"].startswith("MediaSilent")
    on.rooms.broken.clear()
    on.clock.advance(5)
    await process_pending(on.world)
    assert str(BOB) not in on.rooms.people[group.room.name]
    assert (await inbox(on))[joined]["processed_at"] is not None


async def test_hints_of_a_failed_event_are_not_sent(ringing: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    arrive = effects.EFFECTS["participant_joined"]

    async def fail(webhook: CallWebhook) -> list[Repair]:
        await arrive(webhook)
        raise ValueError

    monkeypatch.setitem(effects.EFFECTS, "participant_joined", fail)
    ringing.on.publisher.topics()
    before = await ringing.state()
    await ringing.room.join(ALICE)
    assert await ringing.state() == before
    assert ringing.on.publisher.topics() == set()


async def test_a_week_later_it_is_forgotten(direct: Running) -> None:
    assert await purge(direct.on.world) == 0
    direct.on.clock.advance(7 * 24 * 3600 - 60)
    assert await purge(direct.on.world) == 0
    direct.on.clock.advance(120)
    assert await purge(direct.on.world) == len(direct.room.told)


async def test_a_lost_connection_is_no_failure_of_the_event(direct: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server process goes away in the middle of an event: the attempt is undone as a whole, and the event comes again."""

    async def cut(webhook: CallWebhook) -> list[Repair]:
        await webhook.tx.connection.execute(sa.text("SELECT pg_terminate_backend(pg_backend_pid())"))
        return []

    direct.room.silent = True
    await direct.room.leave(BOB)
    await store(direct.on.world, direct.room.told[-1])
    with monkeypatch.context() as patched:
        patched.setitem(effects.EFFECTS, "participant_left", cut)
        with pytest.raises(ExceptionGroup) as lost:
            await process_pending(direct.on.world)
    assert lost.group_contains(DatabaseError)
    assert await process_pending(direct.on.world) == 1
    assert await direct.status() == ("ended", "completed")
