"""callEvents: every event once, in order, from any cursor, as long as one may see them."""

import asyncio
from uuid import UUID, uuid4

import pytest

from domain.calls import events
from domain.calls.actions.invite import invite_to_call
from domain.calls.actions.kick import kick_participant
from domain.world import World
from permissions.session import Session
from resolvers.sql.database import DatabaseError
from schema.tables.history import EPOCH
from tests.calls.call_states import answered, group, open_channel_call, participant_id, ringing
from tests.subscriptions.listening import Listeners, seqs
from tests.support.domain_setup import ALICE, BOB, CAROL, DAVE, MALLORY, MOD, Setup, session
from tests.support.dump import dump
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio


async def write(world: World, call_id: UUID, count: int) -> None:
    """`count` events more, each in a transaction of its own."""
    for number in range(count):
        async with world.transaction("test") as tx:
            await events.append(tx, call_id, "call_video_changed", ALICE, {"enabled": number % 2 == 0})


async def test_an_event_as_it_is_sent(on: Setup, listen: Listeners) -> None:
    call_id = await ringing(on)
    first, second, _ = (await listen.events(session(BOB), call_id).count(3))[:3]
    rung = str(await participant_id(on, call_id, BOB))
    alice = {"id": str(ALICE), "displayName": "Alice"}
    at = await on.database.fetchval("SELECT to_json(created_at)::text FROM nchat_call_events WHERE call_id = $1 AND seq = 1", call_id)
    assert first == {
        "seq": 1,
        "epoch": await on.database.fetchval(f"SELECT {EPOCH}"),
        "kind": "call_initiate",
        "callId": str(call_id),
        "actor": alice,
        "participantId": None,
        "userId": None,
        "payload": {},
        "createdAt": at.strip('"'),
    }
    assert (second["kind"], second["participantId"], second["payload"]) == ("call_incoming", rung, {"participantId": rung})
    assert second["userId"] == str(BOB)


async def test_each_event_names_the_person_it_is_about(on: Setup, listen: Listeners) -> None:
    call_id = await group(on)
    listener = listen.events(session(BOB), call_id)
    await listener.count(len(await on.events(call_id)))
    # Somebody whom no event has named yet, after the first pages.
    await invite_to_call(on.world, session(ALICE), call_id, [DAVE])
    await kick_participant(on.world, session(ALICE), call_id, await participant_id(on, call_id, CAROL), None)
    got = await listener.count(len(await on.events(call_id)))
    rows = await on.database.fetch("SELECT id::text, user_id::text FROM nchat_call_participants WHERE call_id = $1", call_id)
    person = {None: None} | {row["id"]: row["user_id"] for row in rows}
    assert [event["userId"] for event in got] == [person[event["participantId"]] for event in got]
    assert {event["userId"] for event in got} == {None, *map(str, (BOB, CAROL, DAVE))}


async def test_from_the_start_from_a_cursor_and_from_beyond(on: Setup, listen: Listeners) -> None:
    call_id = await answered(on)
    before = len(await on.events(call_id))
    firsts: dict[int | str, int] = {0: 1, -5: 1, before - 1: before, str(before - 1): before, before: before + 1}
    listening = {after: listen.events(session(BOB), call_id, after) for after in firsts}
    assert seqs(await listening[0].count(before)) == seqs(await listening[-5].count(before)) == list(range(1, before + 1))
    await write(on.world, call_id, 4)
    for after, first in firsts.items():
        got = await listening[after].until(lambda got: got and got[-1]["seq"] == before + 4)
        assert seqs(got) == list(range(first, before + 5))


async def test_from_now_on(on: Setup, listen: Listeners) -> None:
    call_id = await answered(on)
    before = len(await on.events(call_id))
    listener = listen.events(session(BOB), call_id, None)

    async def heard_one_more() -> bool:
        await write(on.world, call_id, 1)
        return bool(listener.got)

    await eventually(heard_one_more)
    last = len(await on.events(call_id))
    got = seqs(await listener.until(lambda got: got[-1]["seq"] == last))
    assert got[0] > before
    assert got == list(range(got[0], last + 1))


@pytest.mark.parametrize("after", [2**63, "1.5", "x", True, 1.5])
async def test_a_cursor_that_is_no_bigint(on: Setup, listen: Listeners, after: object) -> None:
    call_id = await ringing(on)
    before = await dump(on.database)
    refused = await listen(session(BOB), EVENTS_AFTER, call=str(call_id), after=after).ended()
    assert (refused.code, await dump(on.database)) == ("validation-failed", before)


EVENTS_AFTER = "subscription ($call: uuid!, $after: bigint) { callEvents(callId: $call, after: $after) { seq } }"


async def test_a_long_history_comes_in_pages_and_goes_on_live(on: Setup, listen: Listeners) -> None:
    call_id = await ringing(on)
    async with on.world.transaction("test") as tx:
        for _ in range(900):
            await events.append(tx, call_id, "call_video_changed", ALICE, {"enabled": True})
    listener = listen.events(session(BOB), call_id)
    await listener.count(10)
    await write(on.world, call_id, 5)
    total = len(await on.events(call_id))
    assert total > 900
    assert seqs(await listener.count(total)) == list(range(1, total + 1))


async def test_many_writers_and_every_subscriber_sees_each_event_once_in_order(on: Setup, listen: Listeners) -> None:
    call_id = await answered(on)
    early = [listen.events(session(who), call_id) for who in (ALICE, BOB) for _ in range(4)]
    await asyncio.gather(*(write(on.world, call_id, 25) for _ in range(6)))
    late = [listen.events(session(who), call_id) for who in (ALICE, BOB)]
    total = len(await on.events(call_id))
    for listener in early + late:
        assert seqs(await listener.count(total)) == list(range(1, total + 1))


async def test_a_hidden_call_and_one_that_never_was_look_the_same(on: Setup, listen: Listeners) -> None:
    call_id = await ringing(on)
    before = await dump(on.database)
    hidden = await listen.events(session(MALLORY), call_id).ended()
    absent = await listen.events(session(MALLORY), uuid4()).ended()
    assert hidden.answer() == absent.answer()
    assert (hidden.code, hidden.path) == ("not-found", "$.selectionSet.callEvents")
    assert (await listen.events(session(MOD, "moderator"), call_id).ended()).answer() == hidden.answer()
    assert await dump(on.database) == before


async def test_roles_without_the_field(on: Setup, listen: Listeners) -> None:
    call_id = await ringing(on)
    for query in ("subscription { incomingCalls { kind } }", f'subscription {{ callEvents(callId: "{call_id}") {{ seq }} }}'):
        refused = await listen(Session("anonymous"), query).ended()
        assert refused.code == "validation-failed"
    everything = listen.events(Session("admin"), call_id)
    assert seqs((await everything.count(3))[:3]) == [1, 2, 3]


async def test_whoever_is_kicked_hears_no_more_within_two_seconds(on: Setup, listen: Listeners) -> None:
    call_id = await group(on)
    kicked, stays = listen.events(session(CAROL), call_id), listen.events(session(BOB), call_id)
    before = len(await on.events(call_id))
    await asyncio.gather(kicked.count(before), stays.count(before))
    await kick_participant(on.world, session(ALICE), call_id, await participant_id(on, call_id, CAROL), None)
    assert (await kicked.ended(seconds=2)).code == "participant-kicked"
    assert "kicked" not in [event["kind"] for event in kicked.got]
    assert (await stays.until(lambda got: got[-1]["kind"] == "kicked")) is not None
    assert (await listen.events(session(CAROL), call_id).ended()).code == "participant-kicked"


async def test_a_member_who_is_removed_from_the_channel_loses_its_calls(on: Setup, listen: Listeners) -> None:
    call_id = await open_channel_call(on)
    removed, stays = listen.events(session(DAVE), call_id), listen.events(session(CAROL), call_id)
    await asyncio.gather(removed.count(1), stays.count(1))
    await on.database.execute("DELETE FROM nchat_channel_members WHERE user_id = $1", DAVE)
    refused = await removed.ended(seconds=2)
    assert refused.answer() == (await listen.events(session(DAVE), uuid4()).ended()).answer()
    await write(on.world, call_id, 1)
    assert (await stays.until(lambda got: got[-1]["kind"] == "call_video_changed")) is not None


UNHINTED = """WITH taken AS (UPDATE nchat_call_counters SET event_seq = event_seq + 1 WHERE call_id = $1 RETURNING event_seq)
    INSERT INTO nchat_call_events (call_id, seq, kind) SELECT $1, event_seq, 'call_end' FROM taken"""


async def test_a_write_without_any_hint_is_seen_within_a_second(on: Setup, listen: Listeners) -> None:
    call_id = await ringing(on)
    listener = listen.events(session(BOB), call_id)
    before = len(await on.events(call_id))
    await listener.count(before)
    await on.database.execute(UNHINTED, call_id)
    assert seqs(await listener.count(before + 1, seconds=1.5))[-1] == before + 1


async def test_who_comes_before_a_lost_hint_is_made_good_keeps_nobody_from_being_told(on: Setup, listen: Listeners) -> None:
    call_id = await ringing(on)
    before = len(await on.events(call_id))
    early = listen.events(session(BOB), call_id)
    await early.count(before)
    await on.database.execute(UNHINTED, call_id)
    await listen.events(session(ALICE), call_id, before).count(1)
    assert seqs(await early.count(before + 1, seconds=1.5))[-1] == before + 1


async def test_a_database_that_goes_away_for_a_moment(on: Setup, listen: Listeners) -> None:
    call_id = await ringing(on)
    feed, rings = listen.events(session(BOB), call_id), listen.rings(session(BOB))
    await asyncio.gather(feed.count(3), rings.count(1))
    total = len(await on.events(call_id))
    await feed.count(total)
    await on.database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
    )
    await eventually(lambda: written(on, call_id))
    assert seqs(await feed.count(total + 1)) == list(range(1, total + 2))
    assert feed.refused is rings.refused is None


async def written(on: Setup, call_id: UUID) -> bool:
    """Whether one more event could be written: our own connections have to come back as well."""
    try:
        await write(on.world, call_id, 1)
    except DatabaseError:
        return False
    return True
