"""The egress is told what the host wants, once and no more, and the host is told what became of it."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import pytest
import sqlalchemy as sa

from domain.streams.destinations.adding import add_stream_destination
from domain.streams.destinations.changing import DestinationChange, remove_stream_destination, update_stream_destination
from domain.streams.destinations.checking import INSIDE, OutputWanted, Platform, seal
from domain.streams.destinations.outputs import unwant
from domain.streams.destinations.sending import ASKED_AGAIN_AFTER, take_outputs
from domain.streams.destinations.status import KEY_LOST, NOT_TAKEN, REFUSED
from domain.streams.destinations.watching import look_soon, watch_outputs
from schema.tables.stream_destinations import stream_destinations
from tests.streams.destinations.sent_stream import (
    FULL,
    HOST,
    KEY,
    URL,
    live_stream,
    look,
    new_stream,
    outputs,
    part_ends,
    recorded,
    shown,
    turn,
)
from tests.support.domain_setup import ALICE, Setup, session
from tests.support.log_lines import LogLines

pytestmark = pytest.mark.anyio
PLATFORMS: Sequence[Platform] = ("youtube", "twitch", "facebook", "custom")


async def add(on: Setup, stream_id: UUID, platform: Platform = "youtube", key: str = KEY) -> UUID:
    return (await add_stream_destination(on.world, session(ALICE), stream_id, OutputWanted(platform, URL, key))).destination_id


async def change(on: Setup, destination_id: UUID, **values: str | bool) -> None:
    await update_stream_destination(on.world, session(ALICE), destination_id, DestinationChange(**values))  # type: ignore[arg-type]


async def test_a_destination_that_is_added_while_live_is_sent_to_and_seen_to_connect(on: Setup) -> None:
    stream_id, egress = await live_stream(on)
    destination_id = await add(on, stream_id)
    assert await shown(on, destination_id) == ("pending", None)
    await turn(on)
    assert on.recorder.sent_to(egress) == [FULL]
    assert await shown(on, destination_id) == ("connecting", None)
    await look(on, 1)
    assert await shown(on, destination_id) == ("connecting", None)
    on.publisher.topics()
    await look(on, 15)
    assert await shown(on, destination_id) == ("connected", None)
    assert "table:nchat_stream_destinations" in on.publisher.topics()
    await look(on)
    await turn(on)
    assert on.publisher.topics() == set(), "nothing is told twice"
    assert on.recorder.told[egress] == [FULL]


async def test_a_stream_that_goes_live_is_sent_to_all_that_are_enabled(on: Setup) -> None:
    stream_id = await new_stream(on)
    ids = [await add(on, stream_id, platform, f"{platform}-key-{platform}") for platform in PLATFORMS]
    await change(on, ids[0], enabled=False)
    await turn(on)
    assert await outputs(on) == [], "there is no egress yet"
    await on.database.execute("UPDATE nchat_streams SET status = 'starting'")
    egress = await recorded(on, stream_id)
    await turn(on, times=5)
    assert sorted(on.recorder.sent_to(egress)) == sorted(f"{URL}/{platform}-key-{platform}" for platform in PLATFORMS[1:])
    await look(on, 15)
    assert [(await shown(on, one))[0] for one in ids] == ["pending", "connected", "connected", "connected"]


async def test_one_address_of_an_egress_at_a_time_also_for_two_processes(on: Setup) -> None:
    """Where each stands in the record is known by the order."""
    stream_id, _ = await live_stream(on)
    for platform in PLATFORMS:
        await add(on, stream_id, platform)
    first = await take_outputs(on.world)
    assert (len(first), len(await take_outputs(on.world))) == (1, 0)
    await first[0]()
    assert len(await take_outputs(on.world)) == 1


async def test_keys_whose_ends_are_the_same_are_told_apart(on: Setup) -> None:
    stream_id, egress = await live_stream(on)
    one, other = await add(on, stream_id, "youtube", "abc-111-xyz"), await add(on, stream_id, "custom", "abc-222-xyz")
    await turn(on, times=2)
    on.recorder.output_becomes(egress, f"{URL}/abc-222-xyz", "failed")
    await look(on, 15)
    assert (await shown(on, one), await shown(on, other)) == (("connected", None), ("error", REFUSED))


async def test_a_platform_that_refuses_is_an_error_until_the_host_does_something(on: Setup) -> None:
    stream_id, egress = await live_stream(on)
    destination_id = await add(on, stream_id)
    await turn(on)
    on.recorder.output_becomes(egress, FULL, "failed")
    await look(on)
    assert await shown(on, destination_id) == ("error", REFUSED)
    await turn(on, times=2)
    assert on.recorder.told[egress] == [FULL], "nobody tries by himself again and again"
    await change(on, destination_id)
    assert await shown(on, destination_id) == ("pending", None)
    await turn(on, times=3)
    assert (on.recorder.told[egress], on.recorder.sent_to(egress)) == ([FULL, FULL], [FULL])
    assert on.recorder.asked["remove_output"] == 0, "LiveKit has forgotten what failed"
    await look(on, 15)
    assert await shown(on, destination_id) == ("connected", None)


async def test_a_connection_that_breaks_off_is_told_and_that_it_is_back(on: Setup) -> None:
    stream_id, egress = await live_stream(on)
    destination_id = await add(on, stream_id)
    await turn(on)
    await look(on, 15)
    on.recorder.output_becomes(egress, FULL, "active", retries=1, retried_at=on.clock.now())
    await look(on)
    assert (await shown(on, destination_id))[0] == "disconnected"
    await look(on, 10)
    assert await shown(on, destination_id) == ("connected", None)


async def test_another_key_while_live_takes_the_old_address_away_first(on: Setup) -> None:
    stream_id, egress = await live_stream(on)
    destination_id = await add(on, stream_id)
    await turn(on)
    await look(on, 15)
    await change(on, destination_id, stream_key="another-key-1")
    await turn(on)
    assert on.recorder.sent_to(egress) == []
    await turn(on)
    assert on.recorder.sent_to(egress) == [f"{URL}/another-key-1"]
    await look(on, 15)
    assert await shown(on, destination_id) == ("connected", None)


async def test_one_that_is_switched_off_while_live_is_sent_to_no_more_and_on_again(on: Setup) -> None:
    stream_id, egress = await live_stream(on)
    destination_id = await add(on, stream_id)
    await turn(on)
    await change(on, destination_id, enabled=False)
    await turn(on, times=3)
    assert (on.recorder.sent_to(egress), await shown(on, destination_id)) == ([], ("disconnected", None))
    await look(on, 15)
    assert await shown(on, destination_id) == ("disconnected", None), "what is late changes nothing back"
    await change(on, destination_id, enabled=True)
    await turn(on)
    assert on.recorder.sent_to(egress) == [FULL]


async def test_one_that_is_removed_while_live_is_taken_away_and_its_key_with_the_egress(on: Setup) -> None:
    stream_id, egress = await live_stream(on)
    destination_id = await add(on, stream_id)
    await turn(on)
    await remove_stream_destination(on.world, session(ALICE), destination_id)
    await turn(on)
    assert on.recorder.sent_to(egress) == []
    await part_ends(on, egress)
    await turn(on)
    assert await outputs(on) == []


async def test_one_that_is_removed_before_it_was_asked_for_is_never_sent_to(on: Setup) -> None:
    stream_id, egress = await live_stream(on)
    destination_id = await add(on, stream_id)
    await remove_stream_destination(on.world, session(ALICE), destination_id)
    await turn(on, times=2)
    assert on.recorder.told.get(egress) is None


async def test_the_next_egress_takes_over(on: Setup) -> None:
    stream_id, first = await live_stream(on)
    destination_id = await add(on, stream_id)
    failed = await add(on, stream_id, "custom", "abc-222-xyz")
    await turn(on, times=2)
    on.recorder.output_becomes(first, f"{URL}/abc-222-xyz", "failed")
    await look(on, 15)
    await part_ends(on, first)
    await turn(on)
    assert (await shown(on, destination_id), await shown(on, failed)) == (("disconnected", None), ("error", REFUSED))
    second = await recorded(on, stream_id, index=1)
    await turn(on, times=2)
    assert sorted(on.recorder.sent_to(second)) == sorted([FULL, f"{URL}/abc-222-xyz"])
    await look(on, 15)
    assert (await shown(on, destination_id), await shown(on, failed)) == (("connected", None), ("connected", None))


@pytest.mark.parametrize("status", ["ending", "ended"])
async def test_a_stream_that_ends_is_sent_nowhere_anew(on: Setup, status: str) -> None:
    stream_id, egress = await live_stream(on)
    await add(on, stream_id)
    await on.database.execute("UPDATE nchat_streams SET status = $2::stream_status WHERE id = $1", stream_id, status)
    await turn(on)
    assert on.recorder.told.get(egress) is None


async def test_a_name_that_leads_inside_by_now_is_not_sent_to(on: Setup) -> None:
    """Where it led when the host named it is not where it leads now."""
    stream_id, egress = await live_stream(on)
    destination_id = await add(on, stream_id)
    on.hosts.known[HOST] = ["93.184.216.34", "10.0.0.1"]
    await turn(on)
    assert (await shown(on, destination_id), on.recorder.asked["add_output"]) == (("error", INSIDE), 0)
    on.hosts.known[HOST] = ["93.184.216.34"]
    await change(on, destination_id)
    await turn(on, times=2)
    assert on.recorder.sent_to(egress) == [FULL]


async def test_what_livekit_does_not_answer_is_looked_for_before_it_is_asked_again(on: Setup) -> None:
    stream_id, egress = await live_stream(on)
    destination_id = await add(on, stream_id)
    on.recorder.forgets_answer = True
    await turn(on)
    assert await shown(on, destination_id) == ("pending", None)
    on.recorder.forgets_answer = False
    await turn(on)
    assert on.recorder.asked["add_output"] == 1, "not at once"
    on.clock.advance(ASKED_AGAIN_AFTER.total_seconds() + 1)
    await turn(on)
    assert (on.recorder.told[egress], on.recorder.asked["add_output"]) == ([FULL], 1), "never twice"
    await look(on, 15)
    assert await shown(on, destination_id) == ("connected", None)


async def test_what_livekit_never_heard_is_asked_again(on: Setup) -> None:
    stream_id, egress = await live_stream(on)
    await add(on, stream_id)
    on.recorder.broken.add("add_output")
    await turn(on)
    on.recorder.broken.clear()
    on.clock.advance(ASKED_AGAIN_AFTER.total_seconds() + 1)
    await turn(on)
    assert on.recorder.sent_to(egress) == [FULL]


async def test_an_address_that_could_not_be_taken_away_is_tried_again(on: Setup) -> None:
    stream_id, egress = await live_stream(on)
    destination_id = await add(on, stream_id)
    await turn(on)
    await remove_stream_destination(on.world, session(ALICE), destination_id)
    on.recorder.broken.add("remove_output")
    await turn(on)
    on.recorder.broken.clear()
    on.clock.advance(ASKED_AGAIN_AFTER.total_seconds() + 1)
    await turn(on)
    assert on.recorder.sent_to(egress) == []


async def test_an_egress_that_takes_no_addresses_is_an_error_in_our_words(on: Setup) -> None:
    stream_id, egress = await live_stream(on)
    destination_id = await add(on, stream_id)
    on.recorder.wanted[egress] = replace(on.recorder.wanted[egress], sends_on=False)
    await turn(on)
    assert await shown(on, destination_id) == ("error", NOT_TAKEN)


async def test_a_key_that_nobody_can_read_any_more(on: Setup, log_lines: LogLines) -> None:
    stream_id, _ = await live_stream(on)
    destination_id = await add(on, stream_id)
    await on.database.execute("UPDATE nchat_stream_destinations SET stream_key_encrypted = 'another key''s'")
    await turn(on)
    assert await shown(on, destination_id) == ("error", KEY_LOST)
    assert [line["event"] for line in log_lines] == ["stream_key_unreadable"]


async def test_what_is_written_past_the_actions_is_checked_before_it_is_used(on: Setup) -> None:
    stream_id, egress = await live_stream(on)
    destination_id = await add(on, stream_id)
    await on.database.execute("UPDATE nchat_stream_destinations SET rtmp_url = 'file:///etc/passwd'")
    await turn(on)
    assert ((await shown(on, destination_id))[0], on.recorder.told.get(egress)) == ("error", None)


async def test_a_webhook_of_the_egress_has_its_record_looked_at_at_once(on: Setup) -> None:
    stream_id, egress = await live_stream(on)
    destination_id = await add(on, stream_id)
    await turn(on)
    await look(on, 15)
    on.recorder.output_becomes(egress, FULL, "failed")
    assert await watch_outputs(on.world) == 0, "it is not due"
    async with on.world.transaction("test") as tx:
        await look_soon(tx, egress, on.clock.now())
        await look_soon(tx, "EG_of_somebody_else", on.clock.now())
    assert await watch_outputs(on.world) == 1
    assert await shown(on, destination_id) == ("error", REFUSED)


async def test_no_key_is_logged_or_told(on: Setup, log_lines: LogLines) -> None:
    stream_id, egress = await live_stream(on)
    destination_id = await add(on, stream_id)
    on.recorder.broken.add("add_output")
    await turn(on)
    on.recorder.broken.clear()
    on.clock.advance(30)
    await turn(on)
    on.recorder.output_becomes(egress, FULL, "failed")
    await look(on)
    await change(on, destination_id, stream_key="abc-222-xyz")
    await turn(on, times=3)
    said = f"{list(log_lines)} {on.publisher.hints} {await shown(on, destination_id)}"
    assert log_lines and not any(secret in said for secret in (KEY, KEY[-8:], "abc-222-xyz"))


async def test_one_that_is_being_changed_is_not_written_down_as_it_was(on: Setup) -> None:
    """The host's transaction finds no row to take away, and commits after the jobs have read the key of before."""
    stream_id, egress = await live_stream(on)
    destination_id = await add(on, stream_id)
    async with on.world.transaction("test") as tx:
        await unwant(tx, destination_id)
        fresh = sa.update(stream_destinations).where(stream_destinations.c.id == destination_id)
        await tx.connection.execute(fresh.values(stream_key_encrypted=seal(on.world, "another-key-1")))
        assert await take_outputs(on.world) == []
    await turn(on)
    assert on.recorder.sent_to(egress) == [f"{URL}/another-key-1"]


async def test_whatever_crosses_on_its_way_one_address_is_sent_to_in_the_end(on: Setup) -> None:
    """Changes of the host, two processes that send and look, and webhooks, all at once."""
    stream_id, egress = await live_stream(on)
    ids = [await add(on, stream_id, platform) for platform in PLATFORMS]

    async def change_all(destination_id: UUID) -> None:
        for number in range(4):
            await change(on, destination_id, stream_key=f"{destination_id}-{number}")

    async def work() -> None:
        for _ in range(12):
            await turn(on)
            await watch_outputs(on.world)
            async with on.world.transaction("test") as tx:
                await look_soon(tx, egress, on.clock.now())

    await asyncio.gather(*map(change_all, ids), work(), work())
    for _ in range(20):
        on.clock.advance(ASKED_AGAIN_AFTER.total_seconds() + 1)
        await turn(on)
    assert sorted(on.recorder.sent_to(egress)) == sorted(f"{URL}/{one}-3" for one in ids)
    await look(on, 15)
    assert [(await shown(on, one))[0] for one in ids] == ["connected"] * 4
