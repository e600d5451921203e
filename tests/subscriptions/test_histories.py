"""Cursors that can't be right are told so, those who resume and those who listen; nobody waits in silence."""

from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest
from anyio import to_thread

from app.cli import main
from domain.calls import events
from domain.world import World
from resolvers.feeds.follower import Follower
from resolvers.hand_written.room_feed import Event
from resolvers.sql.database import DatabaseError
from tests.calls.call_states import answered
from tests.subscriptions.listening import Listeners
from tests.support.domain_setup import ALICE, BOB, MALLORY, Setup, session
from tests.support.dump import dump

pytestmark = pytest.mark.anyio

RESUMED = """subscription ($call: uuid!, $after: bigint, $epoch: String) {
  callEvents(callId: $call, after: $after, epoch: $epoch) { seq epoch }
}"""
STREAM = "subscription { nchat_call_events_stream(batch_size: 10, cursor: {initial_value: {seq: 0}}) { call_id seq } }"
# What a dump that was restored leaves: the same rows in a table of its own.
TABLE_ANEW = """ALTER TABLE nchat_history RENAME TO before; CREATE TABLE nchat_history (LIKE before INCLUDING ALL);
    INSERT INTO nchat_history TABLE before; DROP TABLE before"""
# As a backup has it that is older by so many events.
OLDER = "DELETE FROM nchat_call_events WHERE call_id = $1 AND seq > $2"
COUNTER = "UPDATE nchat_call_counters SET event_seq = $2 WHERE call_id = $1"


async def write(world: World, call_id: UUID, count: int) -> None:
    for _ in range(count):
        async with world.transaction("test") as tx:
            await events.append(tx, call_id, "call_video_changed", ALICE, {"enabled": True})


async def test_a_cursor_beyond_the_last_event(on: Setup, listen: Listeners) -> None:
    call_id = await answered(on)
    last = len(await on.events(call_id))
    before = await dump(on.database)
    refused = await listen.events(session(BOB), call_id, last + 1).ended(seconds=2)
    assert (refused.code, refused.path) == ("cursor-ahead", "$.selectionSet.callEvents")
    assert await dump(on.database) == before
    at_the_end = listen.events(session(BOB), call_id, last)
    await write(on.world, call_id, 1)
    assert (await at_the_end.count(1))[0]["seq"] == last + 1


async def test_the_epoch_of_an_event_is_taken_back_until_a_dump_is_restored(
    on: Setup, listen: Listeners, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    call_id = await answered(on)
    listening = listen(session(BOB), RESUMED, call=str(call_id), after=0)
    epoch = (await listening.count(1))[0]["epoch"]
    resumed = listen(session(BOB), RESUMED, call=str(call_id), after=2, epoch=epoch)
    assert (await resumed.count(1))[0] == {"seq": 3, "epoch": epoch}
    # The same dump may be restored twice.
    for _ in range(2):
        monkeypatch.setenv("NCHAT_DATABASE_URL", on.url)
        running = listen(session(BOB), RESUMED, call=str(call_id), after=0)
        await running.count(1)
        assert await run_in_thread(["restored"]) == 0
        assert "another history" in capsys.readouterr().out
        assert (await running.ended(seconds=2)).code == "history-changed"
    assert [one.refused.code for one in (listening, resumed) if one.refused] == ["history-changed"] * 2
    late = await listen(session(BOB), RESUMED, call=str(call_id), after=2, epoch=epoch).ended(seconds=2)
    assert late.code == "history-changed"
    anew = await listen(session(BOB), RESUMED, call=str(call_id), after=0).count(1)
    assert anew[0]["epoch"] != epoch


async def test_without_the_migration_nothing_is_marked(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NCHAT_DATABASE_URL", empty_database_url)
    before = await dump(empty_database_url)
    assert await run_in_thread(["restored"]) == 1
    assert "nchat-rtc migrate" in capsys.readouterr().err
    assert await dump(empty_database_url) == before


async def test_a_database_that_is_older_than_what_was_sent(on: Setup, listen: Listeners) -> None:
    """Whatever brought it back: the last event is before the one that is known."""
    call_id = await answered(on)
    await write(on.world, call_id, 20)
    last = len(await on.events(call_id))
    running = listen.events(session(BOB), call_id)
    await running.count(last)
    await on.database.execute(OLDER, call_id, last - 10)
    await on.database.execute(COUNTER, call_id, last - 10)
    assert (await running.ended(seconds=2)).code == "history-changed"
    assert (await listen.events(session(BOB), call_id, last).ended(seconds=2)).code == "cursor-ahead"


async def test_a_restored_dump_is_noticed_before_anybody_says_so(on: Setup, listen: Listeners) -> None:
    call_id = await answered(on)
    running = listen(session(BOB), RESUMED, call=str(call_id), after=0)
    streaming = listen(session(BOB), STREAM)
    epoch = (await running.count(1))[0]["epoch"]
    await streaming.count(1)
    await on.database.execute(TABLE_ANEW)
    assert (await running.ended(seconds=2)).code == "history-changed"
    # Its cursor is the service's own: nothing would ever come after it.
    assert (await streaming.ended(seconds=2)).code == "history-changed"
    late = await listen(session(BOB), RESUMED, call=str(call_id), after=2, epoch=epoch).ended(seconds=2)
    assert late.code == "history-changed"
    # The same whether there is such a call or not: of the call it says nothing.
    before = await dump(on.database)
    for who, asked in ((MALLORY, call_id), (BOB, uuid4())):
        stranger = listen(session(who), RESUMED, call=str(asked), after=2, epoch=epoch)
        assert ((await stranger.ended(seconds=2)).code, stranger.got) == ("history-changed", [])
    assert await dump(on.database) == before


async def test_events_that_somebody_deleted_are_passed_over(on: Setup, listen: Listeners) -> None:
    """As hidden ones are: the numbers go on after them, and so does whoever comes back to them."""
    call_id = await answered(on)
    last = len(await on.events(call_id))
    await on.database.execute(OLDER, call_id, last - 2)
    resumed = listen.events(session(BOB), call_id, last - 2)
    await write(on.world, call_id, 1)
    assert [event["seq"] for event in await resumed.count(1)] == [last + 1]


async def test_one_who_could_not_be_told_is_no_reason_to_forget_what_the_others_were(on: Setup, listen: Listeners) -> None:
    """An older state is older than what anybody knows, not than what all know."""
    call_id = await answered(on)
    first = len(await on.events(call_id))
    told = listen.events(session(BOB), call_id)
    await told.count(first)
    stuck = listen(session(BOB), RESUMED, call=str(call_id), after=first)
    await write(on.world, call_id, 1)
    await stuck.count(1)
    room = next(iter(listen.subscriptions._rooms.open.values()))
    channel = list(room.channels.values())[-1]

    async def fails(_of: Follower, _after: int) -> Sequence[Event]:
        raise DatabaseError("08006", "connection error")

    channel._page = fails
    await write(on.world, call_id, 9)
    await told.count(first + 10)
    await on.database.execute(OLDER, call_id, first + 1)
    await on.database.execute(COUNTER, call_id, first + 1)
    for one in (told, stuck):
        assert (await one.ended(seconds=2)).code == "history-changed"


async def run_in_thread(arguments: list[str]) -> int:
    """A command, which has a loop of its own."""
    return await to_thread.run_sync(main, arguments)
