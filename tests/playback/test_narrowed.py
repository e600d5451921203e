"""Fewer may watch from now on: in the same transaction the present part is told to end, and no later one is on the CDN."""

from collections.abc import Mapping
from typing import Any

import pytest

from domain.recordings.settling import NARROWED_RESTS
from tests.playback.broadcast import Broadcast, broadcast
from tests.streams.life.staged_stream import plan_stream
from tests.support.domain_setup import Setup

pytestmark = pytest.mark.anyio
PUBLIC_MEDIA = """SELECT count(*) FROM nchat_call_recording_parts
    WHERE on_cdn AND status IN ('starting', 'recording') AND asked_at IS NOT NULL AND stop_asked_at IS NULL"""


async def parts(live: Broadcast) -> list[Mapping[str, Any]]:
    rows = await live.on.database.fetch(
        "SELECT status, on_cdn, end_reason, stop_asked_at IS NOT NULL AS stopped FROM nchat_call_recording_parts"
        " WHERE recording_id = $1 ORDER BY index",
        live.recording,
    )
    return [dict(row) for row in rows]


def part(status: str = "recording", *, on_cdn: bool = True, narrowed: bool = False) -> Mapping[str, Any]:
    return {"status": status, "on_cdn": on_cdn, "end_reason": "narrowed" if narrowed else None, "stopped": narrowed}


@pytest.mark.parametrize("visibility", ["channel_members", "invite_only"])
async def test_the_running_part_ends_and_those_that_are_over_stay(on: Setup, visibility: str) -> None:
    live = await broadcast(on, on.store)
    await live.part(0, 2, closed=True)
    await live.part(1, 2)
    await live.show(visibility)
    assert await parts(live) == [part("ready"), part(narrowed=True)]
    # The next one, whose keys nobody knows.
    prefix = await live.part(2, 1)
    assert (await parts(live))[2] == part(on_cdn=False)
    assert prefix != await on.database.fetchval("SELECT path_prefix FROM nchat_call_recording_parts WHERE index = 1")


async def test_from_members_to_guests_is_narrower_too(on: Setup) -> None:
    live = await broadcast(on, on.store, "channel_members")
    await live.part(0, 2)
    await live.show("invite_only")
    assert await parts(live) == [part(on_cdn=False, narrowed=True)]


async def test_a_part_that_nobody_was_asked_for_yet_goes_on(on: Setup) -> None:
    live = await broadcast(on, on.store)
    await live.part(0, 0)
    await on.database.execute("UPDATE nchat_call_recording_parts SET status = 'starting', asked_at = NULL")
    await live.show("channel_members")
    assert await parts(live) == [part("starting", on_cdn=False)]


async def test_one_that_ends_already_keeps_its_reason(on: Setup) -> None:
    live = await broadcast(on, on.store)
    await live.part(0, 1)
    await on.database.execute("UPDATE nchat_call_recording_parts SET stop_asked_at = now(), end_reason = 'stopped'")
    await live.show("channel_members")
    assert [one["end_reason"] for one in await parts(live)] == ["stopped"]


async def test_what_narrows_nothing_ends_nothing(on: Setup) -> None:
    live = await broadcast(on, on.store, "channel_members")
    other = await broadcast(on, on.store)
    for one in (live, other):
        await one.part(0, 1)
    await live.show("channel_members")
    await on.database.execute("UPDATE nchat_streams SET title = 'Another', chat_enabled = false")
    await live.show("public")
    await live.show("public")
    assert await parts(live) == [part(on_cdn=False)]
    await live.show("invite_only")
    assert await parts(other) == [part()]


async def test_clips_are_on_no_cdn_and_go_on(on: Setup) -> None:
    live = await broadcast(on, on.store)
    await on.database.execute("UPDATE nchat_call_recordings SET clip_from = 0, clip_to = 1")
    await live.part(0, 1)
    await live.show("channel_members")
    assert await parts(live) == [part(on_cdn=False)]


async def test_the_recorder_goes_on_under_other_keys(on: Setup) -> None:
    stream = await plan_stream(on)
    show = "UPDATE nchat_streams SET visibility = $1::stream_visibility WHERE id = $2"
    await on.database.execute(show, "public", stream.id)
    await stream.go_live()
    first = on.recorder.last
    await on.database.execute(show, "channel_members", stream.id)
    await stream.turn()
    assert on.recorder.asked["stop"] == 1 and on.recorder.last == first
    await stream.complete(first)
    second = on.recorder.last
    assert second != first and await stream.is_now() == "live"
    await stream.active(2)
    found = await on.database.fetch("SELECT egress_id, status, on_cdn, end_reason FROM nchat_call_recording_parts ORDER BY index")
    assert [tuple(row) for row in found] == [(first, "ready", True, "narrowed"), (second, "recording", False, None)]
    prefixes = [on.recorder.wanted[egress].path_prefix for egress in (first, second)]
    assert len({prefix.rpartition("-")[2] for prefix in prefixes}) == 2
    assert (await stream.recording())["status"] == "recording"


async def test_who_goes_to_and_fro_gets_no_recorder_for_each_time(on: Setup) -> None:
    """Fewer may watch at once; what they watch under other keys begins later each time, and never does what others knew go on."""
    stream = await plan_stream(on)
    show = "UPDATE nchat_streams SET visibility = $1::stream_visibility WHERE id = $2"
    await on.database.execute(show, "public", stream.id)
    await stream.go_live()
    began = on.clock.now()
    for _ in range(14):
        running = on.recorder.last
        await on.database.execute(show, "channel_members", stream.id)
        await stream.turn()
        if on.recorder.egresses[running].status == "ending":
            await stream.complete(running)
        assert not await on.database.fetchval(PUBLIC_MEDIA), "no recorder goes on under keys that others know"
        await on.database.execute(show, "public", stream.id)
        if on.recorder.last != running:
            await stream.active(1)
        else:
            on.clock.advance(4)
            await stream.turn()
    minutes = (on.clock.now() - began).total_seconds() / 60
    assert on.recorder.asked["start"] <= 6 < 14 and minutes < 1.5
    # Whoever stops that is recorded again.
    if on.recorder.egresses[on.recorder.last].final:
        on.clock.advance(NARROWED_RESTS[-1].total_seconds())
        await stream.turn()
        await stream.active(1)
    assert (await stream.is_now(), (await stream.recording())["status"]) == ("live", "recording")
    assert on.recorder.egresses[on.recorder.last].status == "active"
