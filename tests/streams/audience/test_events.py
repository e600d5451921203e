"""Those who follow a stream's events: first how it is, then what changes, at most four times a second, and only while they may see it."""

import asyncio
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.streams.reactions.react import react_to_stream
from permissions.session import Session
from resolvers.actions.streams.audience.event_feed import EVERY, FEED, _events
from resolvers.feeds import rounds
from resolvers.feeds.rights.sharing import is_shared
from schema.types.audience.events import StreamEvent
from tests.streams.audience.live_streams import ANYBODY, banned, invited, live
from tests.subscriptions.listening import Listener, Listeners
from tests.subscriptions.processes import process
from tests.support.domain_setup import ALICE, BOB, CAROL, MALLORY, MOD, Setup, newcomers, product_rules, session

pytestmark = pytest.mark.anyio

EVENTS = """subscription ($stream: uuid!) {
  streamEvents(streamId: $stream) { kind status viewerCount reactions { type count } createdAt }
}"""
EVERYBODY = (ANYBODY, session(ALICE), session(BOB), session(MALLORY), session(MOD, "moderator"), Session("admin"))


def follow(listen: Listeners, who: Session, stream_id: UUID) -> Listener:
    return listen(who, EVENTS, stream=str(stream_id))


def kinds(got: list[Any]) -> list[str]:
    return [event["kind"] for event in got]


def reactions(event: Any) -> dict[str, int]:
    return {one["type"]: one["count"] for one in event["reactions"]}


def has(viewers: int, got: list[Any]) -> bool:
    return bool(got[-1]["viewerCount"] >= viewers)


def shows(likes: int, got: list[Any]) -> bool:
    return bool(got) and reactions(got[-1]) == {"like": likes}


async def test_first_how_it_is_then_what_changes(on: Setup, listen: Listeners) -> None:
    """A foreign program writes, so no hint comes: it is told within a second."""
    stream_id = await live(on, status="starting")
    await on.database.execute("UPDATE nchat_streams SET viewer_count = 7")
    listening = [follow(listen, who, stream_id) for who in EVERYBODY]
    for listener in listening:
        first = await listener.count(3)
        assert kinds(first) == ["status", "reactions", "viewers"]
        assert {(one["status"], one["viewerCount"], tuple(one["reactions"])) for one in first} == {("starting", 7, ())}
    steps = [
        ("status = 'live'", "status"),
        ("viewer_count = 8", "viewers"),
        ("host_gone_since = now()", "host_reconnecting"),
        ("host_gone_since = NULL", "host_back"),
    ]
    for number, (change, kind) in enumerate(steps, 4):
        await on.database.execute(f"UPDATE nchat_streams SET {change}")
        for listener in listening:
            got = await listener.count(number, seconds=1.5)
            assert kinds(got)[number - 1 :] == [kind]
    assert (got[-1]["status"], got[-1]["viewerCount"]) == ("live", 8)


async def test_who_comes_while_the_host_is_gone_is_told_and_else_not(on: Setup, listen: Listeners) -> None:
    stream_id = await live(on)
    await on.database.execute("UPDATE nchat_streams SET host_gone_since = now()")
    assert kinds(await follow(listen, session(BOB), stream_id).count(4))[-1] == "host_reconnecting"
    await on.database.execute("UPDATE nchat_streams SET host_gone_since = NULL")
    later = follow(listen, session(CAROL), stream_id)
    await later.count(3)
    await on.database.execute("UPDATE nchat_streams SET status = 'ended', ended_at = now(), viewer_count = 3")
    assert kinds(await later.count(5)) == ["status", "viewers", "reactions", "status", "viewers"]


async def test_totals_are_told_at_most_four_times_a_second(on: Setup, listen: Listeners) -> None:
    stream_id, crowd = await live(on), await newcomers(on, 20)
    listeners = [follow(listen, who, stream_id) for who in (ANYBODY, session(BOB), session(BOB))]
    for listener in listeners:
        await listener.count(3)
    loop = asyncio.get_running_loop()
    began = loop.time()
    for _ in range(12):
        await asyncio.gather(*(react_to_stream(on.world, session(one), stream_id, "fire") for one in crowd))
    took = loop.time() - began
    for listener in listeners:
        got = await listener.until(lambda got: reactions(got[-1]) == {"fire": 240})
        told = [event for event in got[3:] if event["kind"] == "reactions"]
        totals = [reactions(event)["fire"] for event in told]
        assert totals == sorted(set(totals)), "each is more than the one before"
        assert len(told) <= took / EVERY + 2


async def test_a_hint_is_enough(on: Setup, listen: Listeners, monkeypatch: pytest.MonkeyPatch) -> None:
    """What looks at all rooms does so once more, and then not again in this test."""
    monkeypatch.setattr(rounds, "LOOK_EVERY", 3600.0)
    stream_id = await live(on)
    listener = follow(listen, session(CAROL), stream_id)
    for number in range(1, 4):
        await react_to_stream(on.world, session(BOB), stream_id, "like")
        await listener.until(partial(shows, number))


async def test_two_processes_tell_the_same(on: Setup, listen: Listeners) -> None:
    stream_id = await live(on)
    async with process(on, None) as other:
        here = follow(listen, session(CAROL), stream_id)
        there = follow(await listen.in_world(other.world), session(CAROL), stream_id)
        for listener in (here, there):
            await listener.count(3)
        await react_to_stream(other.world, session(BOB), stream_id, "like")
        for listener in (here, there):
            assert reactions((await listener.count(4))[-1]) == {"like": 1}
        await there.stop()


async def test_who_comes_late_again_and_again_while_it_changes(on: Setup, listen: Listeners) -> None:
    """What is read for one may be newer than what was told: nobody is left without, and nobody is sent away."""
    stream_id = await live(on)
    lasting = follow(listen, session(CAROL), stream_id)
    await lasting.count(3)
    for number in range(1, 13):
        await on.database.execute("UPDATE nchat_streams SET viewer_count = $1", number)
        if number % 2:
            await react_to_stream(on.world, session(BOB), stream_id, "like")
        comes = follow(listen, session(BOB), stream_id)
        got = await comes.count(3)
        assert got[0]["viewerCount"] >= number - 1
        await comes.until(partial(has, number))
    await lasting.until(lambda got: got[-1]["viewerCount"] == 12 and reactions(got[-1]) == {"like": 6})


async def test_a_right_that_is_lost_ends_it_within_two_seconds(on: Setup, listen: Listeners) -> None:
    stream_id = await live(on, "invite_only")
    for who in (BOB, CAROL):
        await invited(on, stream_id, who)
    bobs, carols, hosts = [follow(listen, session(who), stream_id) for who in (BOB, CAROL, ALICE)]
    for listener in (bobs, carols, hosts):
        await listener.count(3)
    await on.database.execute("DELETE FROM nchat_stream_invites WHERE user_id = $1", BOB)
    assert (await bobs.ended(seconds=2)).code == "not-found"
    await banned(on, stream_id, CAROL)
    assert (await carols.ended(seconds=2)).code == "banned"
    await on.database.execute("UPDATE nchat_streams SET viewer_count = 1")
    assert kinds(await hosts.count(4))[-1] == "viewers"


async def test_a_hidden_stream_and_one_that_never_was_look_the_same(on: Setup, listen: Listeners) -> None:
    stream_id = await live(on, "channel_members")
    for who in (session(MALLORY), ANYBODY):
        hidden, absent = [await follow(listen, who, asked).ended() for asked in (stream_id, uuid4())]
        assert (hidden.code, hidden.path) == ("not-found", "$.selectionSet.streamEvents")
        assert hidden.answer() == absent.answer()


@pytest.mark.parametrize("role", ["anonymous", "user", "moderator", "admin"])
async def test_everybody_who_may_follow_gets_the_same_bytes(on: Setup, role: str) -> None:
    assert is_shared(FEED, (await product_rules(on.url)).roles[role])


@pytest.mark.parametrize(("status", "kinds"), [("live", ["status", "host_back"]), ("ending", ["status"]), ("ended", ["status"])])
def test_nobody_is_back_at_a_stream_that_ends_without_its_host(status: str, kinds: list[str]) -> None:
    found = {"host_is_gone": False, "status": status, "viewers": 0, "totals": [], "seqs": {"status": 4, "host": 5}}
    told = [event.value for event in _events({**found, "at": "2026-01-01T12:00:00+00:00"}, 3)]
    assert [str(one.kind) for one in told if isinstance(one, StreamEvent)] == kinds
