"""Fewer may watch from now on: in the same transaction the present part is told to end, and no later one is on the CDN."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.playback.broadcast import Broadcast, broadcast
from tests.streams.life.staged_stream import plan_stream
from tests.support.domain_setup import Setup

pytestmark = pytest.mark.anyio


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
