"""A host whose name nobody can resolve at this moment: looked for again for a while, told of, and in nobody's way."""

from uuid import UUID

import pytest

from domain.streams.destinations.adding import add_stream_destination
from domain.streams.destinations.changing import DestinationChange, remove_stream_destination, update_stream_destination
from domain.streams.destinations.checking import INSIDE, OutputWanted, Platform
from domain.streams.destinations.sending import take_outputs
from domain.streams.destinations.unfound import GIVEN_UP, GIVEN_UP_AFTER, LONGEST_PAUSE, LOOKED_FOR
from domain.world import World
from tests.streams.destinations.conftest import Died
from tests.streams.destinations.sent_stream import FULL, HOST, KEY, URL, live_stream, look, outputs, recorded, shown, turn
from tests.support.domain_setup import ALICE, Setup, session

pytestmark = pytest.mark.anyio
OUTSIDE = ["93.184.216.34"]


async def add(on: Setup, stream_id: UUID, platform: Platform = "youtube", url: str = URL) -> UUID:
    return (await add_stream_destination(on.world, session(ALICE), stream_id, OutputWanted(platform, url, KEY))).destination_id


async def test_it_is_sent_to_when_the_name_is_back(on: Setup) -> None:
    stream_id, egress = await live_stream(on)
    destination_id = await add(on, stream_id)
    del on.hosts.known[HOST]
    on.publisher.topics()
    await turn(on)
    assert await shown(on, destination_id) == ("connecting", LOOKED_FOR)
    assert "table:nchat_stream_destinations" in on.publisher.topics()
    assert on.hosts.askers == [str(ALICE)] * 2, "one's own slow names are in one's own way"
    for _ in range(5):
        on.clock.advance(LONGEST_PAUSE.total_seconds())
        await turn(on)
    assert (on.recorder.told.get(egress), await shown(on, destination_id)) == (None, ("connecting", LOOKED_FOR))
    on.hosts.known[HOST] = OUTSIDE
    on.clock.advance(LONGEST_PAUSE.total_seconds())
    await turn(on)
    assert on.recorder.sent_to(egress) == [FULL] and await shown(on, destination_id) == ("connecting", None)
    await look(on, 15)
    assert await shown(on, destination_id) == ("connected", None)
    (row,) = await outputs(on)
    assert (row["unfound_since"], row["not_before"]) == (None, None)


async def test_pauses_grow_up_to_a_minute(on: Setup) -> None:
    stream_id, _ = await live_stream(on)
    await add(on, stream_id)
    on.hosts.known.clear()
    pauses = []
    for _ in range(8):
        await turn(on)
        asked = len(on.hosts.asked)
        await turn(on)
        assert len(on.hosts.asked) == asked, "the pause is not over"
        (row,) = await outputs(on)
        pauses.append((row["not_before"] - on.clock.now()).total_seconds())
        on.clock.advance(pauses[-1])
    assert pauses == [2, 2, 4, 8, 16, 32, 60, 60]


async def test_what_leads_nowhere_is_given_up_and_tried_again_when_the_host_says_so(on: Setup) -> None:
    stream_id, egress = await live_stream(on)
    destination_id = await add(on, stream_id)
    on.hosts.known.clear()
    await turn(on)
    on.clock.advance(GIVEN_UP_AFTER.total_seconds() - 1)
    await turn(on)
    assert await shown(on, destination_id) == ("connecting", LOOKED_FOR)
    on.clock.advance(LONGEST_PAUSE.total_seconds())
    await turn(on)
    assert await shown(on, destination_id) == ("error", GIVEN_UP)
    asked = len(on.hosts.asked)
    on.clock.advance(LONGEST_PAUSE.total_seconds())
    await turn(on)
    assert len(on.hosts.asked) == asked
    on.hosts.known[HOST] = OUTSIDE
    await update_stream_destination(on.world, session(ALICE), destination_id, DestinationChange())
    await turn(on, times=2)
    assert on.recorder.sent_to(egress) == [FULL]


async def test_the_stream_s_next_part_looks_for_it_anew(on: Setup) -> None:
    stream_id, first = await live_stream(on)
    destination_id = await add(on, stream_id)
    on.hosts.known.clear()
    await turn(on)
    await on.database.execute("UPDATE nchat_call_recording_parts SET status = 'processing', closed_at = now()")
    second = await recorded(on, stream_id, index=1)
    on.hosts.known[HOST] = OUTSIDE
    await turn(on)
    assert on.recorder.sent_to(second) == [FULL] and first not in on.recorder.told
    assert await shown(on, destination_id) == ("connecting", None)


async def test_others_of_the_same_stream_don_t_wait(on: Setup) -> None:
    stream_id, egress = await live_stream(on)
    on.hosts.known["other.example.org"] = OUTSIDE
    await add(on, stream_id)
    await add(on, stream_id, "twitch", "rtmp://other.example.org/app")
    del on.hosts.known[HOST]
    await turn(on, times=2)
    assert on.recorder.sent_to(egress) == [f"rtmp://other.example.org/app/{KEY}"]


async def test_a_private_address_is_refused_at_once_also_after_a_while(on: Setup) -> None:
    stream_id, egress = await live_stream(on)
    destination_id = await add(on, stream_id)
    del on.hosts.known[HOST]
    await turn(on)
    on.hosts.known[HOST] = ["10.0.0.7"]
    on.clock.advance(LONGEST_PAUSE.total_seconds())
    await turn(on)
    assert await shown(on, destination_id) == ("error", INSIDE) and egress not in on.recorder.told


async def test_one_that_is_removed_meanwhile_is_looked_for_no_more(on: Setup) -> None:
    stream_id, egress = await live_stream(on)
    destination_id = await add(on, stream_id)
    del on.hosts.known[HOST]
    await turn(on)
    await remove_stream_destination(on.world, session(ALICE), destination_id)
    on.hosts.known[HOST] = OUTSIDE
    for _ in range(2):
        await turn(on)
        on.clock.advance(LONGEST_PAUSE.total_seconds())
    assert on.recorder.sent_to(egress) == [] and all(row["over_at"] is not None for row in await outputs(on))


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_whoever_dies_while_it_is_written_down(on: Setup, mortal: tuple[World, set[str]], moment: str) -> None:
    world, deadly = mortal
    stream_id, egress = await live_stream(on)
    destination_id = await add(on, stream_id)
    del on.hosts.known[HOST]
    deadly.add(f"stream_outputs.unfound:{moment}_commit")
    with pytest.raises(Died):
        for ask in await take_outputs(world):
            await ask()
    on.hosts.known[HOST] = OUTSIDE
    on.clock.advance(21)
    await turn(on)
    assert on.recorder.told[egress] == [FULL] and await shown(on, destination_id) == ("connecting", None)
