"""Delivery to a receiver that fails, is slow, is dead; by two processes at once; and never after a ring's end."""

import asyncio
from uuid import UUID

import asyncpg
import pytest

from app.adapters.clock import SystemClock
from app.jobs import start_jobs
from devstack.ports import free_port
from domain.calls.actions.answer import accept_call, decline_call
from domain.calls.actions.initiate import CallRequest, initiate_call
from domain.deliveries.pushes import AT_ONCE, PUSHES, deliver_pushes
from domain.world import World
from tests.pushes.receiver import PushReceiver, delivering
from tests.support.domain_setup import ALICE, BOB, CAROL, GENERAL, Setup, newcomers, session
from tests.support.log_lines import LogLines

pytestmark = pytest.mark.anyio
UNSENT = "SELECT count(*) FROM nchat_push_outbox WHERE sent_at IS NULL AND expires_at > $1"


async def ring(on: Setup, seconds: int = 45) -> UUID:
    request = CallRequest("video", [BOB], ring_timeout_seconds=seconds)
    return (await initiate_call(on.world, session(ALICE), request)).call_id


async def many_alerts(on: Setup, many: int) -> None:
    """So many people missed a call."""
    rows = """
        INSERT INTO nchat_push_outbox (user_id, kind, transport, payload, expires_at, collapse_id, created_at, next_attempt_at)
        SELECT one, 'missed', 'alert', '{}', $2::timestamptz + interval '1 hour', gen_random_uuid(), $2, $2 FROM unnest($1::uuid[]) AS one
    """
    await on.database.execute(rows, await newcomers(on, many), on.clock.now())


async def test_the_push_service_gets_what_a_device_needs(on: Setup, world: World, receiver: PushReceiver) -> None:
    call_id = await ring(on)
    await deliver_pushes(world)
    (body,) = receiver.taken
    row = await on.database.fetchrow("SELECT * FROM nchat_push_outbox")
    assert row is not None
    assert row["sent_at"] == on.clock.now()
    assert body == {
        "id": str(row["id"]),
        "userId": str(BOB),
        "kind": "ring",
        "transport": "voip",
        "collapseId": str(call_id),
        "createdAt": row["created_at"].isoformat().replace("+00:00", "Z"),
        "expiresAt": row["expires_at"].isoformat().replace("+00:00", "Z"),
        "payload": {
            "uuid": str(call_id), "handle": "alice", "hasVideo": True, "callerDisplayName": "Alice", "callerImageUrl": None,
        },
    }  # fmt: skip
    await deliver_pushes(world)
    assert len(receiver.tries) == 1


async def test_a_receiver_that_fails_nine_times_of_ten_gets_a_ring_within_its_life(on: Setup, world: World, receiver: PushReceiver) -> None:
    receiver.answers = [500, 503, 429, 302, 404, 500, 500, 500, 500]
    await ring(on)
    for _ in range(12):
        await deliver_pushes(world)
        on.clock.advance(3)
    assert receiver.kinds() == ["ring"]
    assert len(receiver.tries) == 10
    assert len(set(receiver.tries)) == 1, "every try has the same id and the same body"


async def test_a_rings_push_is_not_tried_after_the_ring(on: Setup, world: World, receiver: PushReceiver, log_lines: LogLines) -> None:
    receiver.answers = [500] * 100
    await ring(on, seconds=10)
    for _ in range(30):
        await deliver_pushes(world)
        on.clock.advance(1)
    tries = len(receiver.tries)
    assert 3 <= tries <= 10
    receiver.answers.clear()
    await deliver_pushes(world)
    assert (receiver.taken, len(receiver.tries)) == ([], tries)
    (line,) = [line for line in log_lines if line["event"] == "push_given_up"]
    assert (line["kind"], line["attempts"], line["error"]) == ("ring", tries, "status 500")


async def test_after_an_answer_the_ring_is_not_delivered_any_more(on: Setup, world: World, receiver: PushReceiver) -> None:
    receiver.answers = [500]
    call_id = await ring(on)
    await deliver_pushes(world)
    on.clock.advance(1)
    await accept_call(on.world, session(BOB), call_id)
    on.clock.advance(1)
    await deliver_pushes(world)
    assert receiver.kinds() == ["answered_elsewhere"]


async def test_a_slow_receiver_is_given_no_longer_than_the_ring_lasts(on: Setup, world: World, receiver: PushReceiver) -> None:
    receiver.held = asyncio.Event()
    await ring(on, seconds=1)
    began = asyncio.get_running_loop().time()
    await deliver_pushes(world)
    assert 0.9 < asyncio.get_running_loop().time() - began < 4
    assert await on.database.fetchval("SELECT error FROM nchat_push_outbox") == "timeout"
    receiver.held.set()


async def test_while_a_ring_is_on_its_way_what_ends_it_waits(on: Setup, world: World, receiver: PushReceiver) -> None:
    receiver.held = asyncio.Event()
    call_id = await ring(on)
    first = asyncio.create_task(deliver_pushes(world))
    await receiver.until(lambda: receiver.tries)
    await decline_call(on.world, session(BOB), call_id)
    async with delivering(on, receiver.url) as other:
        await deliver_pushes(other)
    assert len(receiver.tries) == 1
    receiver.held.set()
    await first
    await deliver_pushes(world)
    assert receiver.kinds() == ["ring", "cancel"]


async def test_a_dead_receiver_delays_an_alert_and_loses_none(on: Setup, log_lines: LogLines) -> None:
    call_id = await ring(on)
    await decline_call(on.world, session(BOB), call_id)
    async with delivering(on, f"http://127.0.0.1:{free_port()}/secret-path") as world:
        for _ in range(3):
            await deliver_pushes(world)
            on.clock.advance(10)
    assert [line["event"] for line in log_lines if line["event"].startswith("push")] == ["push_service_fails"], "one line an outage"
    assert "secret-path" not in str(log_lines)
    async with PushReceiver().listening() as receiver, delivering(on, receiver.url) as world:
        await deliver_pushes(world)
        assert receiver.kinds() == ["cancel"]


async def test_after_a_crash_the_same_push_comes_again(on: Setup, world: World, receiver: PushReceiver) -> None:
    """The receiver has it, and the process dies before it hears so."""
    receiver.held = asyncio.Event()
    await ring(on)
    dying = asyncio.create_task(deliver_pushes(world))
    await receiver.until(lambda: receiver.tries)
    dying.cancel()
    await asyncio.wait([dying])
    receiver.held.set()
    async with delivering(on, receiver.url) as other:
        await deliver_pushes(other)
        assert len(receiver.tries) == 1, "it may still be under way"
        on.clock.advance(PUSHES.taken_for.total_seconds())
        await deliver_pushes(other)
    assert len(receiver.tries) == 2
    assert len(set(receiver.tries)) == 1
    assert await on.database.fetchval(UNSENT, on.clock.now()) == 0


async def test_who_comes_too_late_with_a_failure_changes_nothing(on: Setup, world: World) -> None:
    await ring(on)
    (late,) = await PUSHES.take(world, 1)
    on.clock.advance(PUSHES.taken_for.total_seconds())
    (again,) = await PUSHES.take(world, 1)
    assert again.id == late.id
    await PUSHES.settle(world, late, error="timeout", next_attempt_at=on.clock.now())
    assert await PUSHES.take(world, 1) == []
    await PUSHES.settle(world, again)
    assert await on.database.fetchval(UNSENT, on.clock.now()) == 0


async def test_two_processes_share_the_work_and_deliver_nothing_twice(on: Setup, receiver: PushReceiver) -> None:
    await many_alerts(on, 5 * AT_ONCE)
    async with delivering(on, receiver.url) as one, delivering(on, receiver.url) as other:
        await asyncio.gather(deliver_pushes(one), deliver_pushes(other))
    assert len(receiver.taken) == len(receiver.tries) == len({push_id for push_id, _ in receiver.tries}) == 5 * AT_ONCE
    assert set(receiver.most_at_once.values()) == {1}


async def test_a_process_has_no_more_under_way_than_it_may_and_rings_go_first(on: Setup, world: World, receiver: PushReceiver) -> None:
    receiver.held = asyncio.Event()
    await many_alerts(on, 2 * AT_ONCE)
    await ring(on)
    working = asyncio.create_task(deliver_pushes(world))
    await receiver.until(lambda: len(receiver.tries) >= AT_ONCE)
    assert len(receiver.tries) == AT_ONCE
    assert await on.database.fetchval("SELECT taken_until IS NOT NULL FROM nchat_push_outbox WHERE kind = 'ring'")
    assert await on.database.fetchval("SELECT count(*) FROM nchat_push_outbox WHERE taken_until IS NOT NULL") == AT_ONCE
    receiver.held.set()
    await working
    assert len(receiver.taken) == 2 * AT_ONCE + 1


async def test_how_long_the_oldest_waits_is_told(on: Setup) -> None:
    await ring(on)
    on.clock.advance(40)
    written = await on.database.fetchval("SELECT created_at FROM nchat_push_outbox")
    assert await PUSHES.oldest_age(on.world) == (on.clock.now() - written).total_seconds() > 0
    on.clock.advance(60)
    assert await PUSHES.oldest_age(on.world) == 0


async def test_without_a_push_service_nothing_is_taken(on: Setup) -> None:
    await ring(on)
    await deliver_pushes(on.world)
    assert await on.database.fetchval("SELECT attempts FROM nchat_push_outbox") == 0


async def test_the_jobs_of_two_processes_deliver_at_once_and_try_again(on: Setup, receiver: PushReceiver) -> None:
    """On the wall clock."""
    receiver.answers = [500] * 9
    async with (
        delivering(on, receiver.url, SystemClock()) as one,
        delivering(on, receiver.url, SystemClock()) as other,
        asyncpg.create_pool(on.url, min_size=1, max_size=4) as pool,
    ):
        jobs = [await start_jobs(world, pool) for world in (one, other)]
        await initiate_call(one, session(ALICE), CallRequest("audio", [BOB, CAROL], channel_id=GENERAL))
        await receiver.until(lambda: len(receiver.taken) == 2)
        for running in jobs:
            await running.stop()
    assert receiver.kinds() == ["ring", "ring"]
    assert len(receiver.tries) == 11
    assert set(receiver.most_at_once.values()) == {1}
