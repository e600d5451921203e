"""A right that ends while somebody follows: told within two seconds, nothing that came after it, and nobody else is disturbed."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest

from permissions.session import Session
from tests.calls.call_states import group, open_channel_call, ringing
from tests.subscriptions.listening import Listener, Listeners, seqs
from tests.subscriptions.stream_chats import ANYBODY, follow, say, stream
from tests.subscriptions.test_call_events import UNHINTED
from tests.support.domain_setup import ALICE, BOB, CAROL, DAVE, GENERAL, MALLORY, MOD, Setup, newcomers, session

pytestmark = pytest.mark.anyio

MODERATOR = session(MOD, "moderator")
IN_TIME = 2.0
INVITE = "INSERT INTO nchat_stream_invites (stream_id, user_id, invited_by) VALUES ($1, $2, $3)"
BAN = "INSERT INTO nchat_stream_bans (stream_id, user_id, banned_by) VALUES ($1, $2, $3)"
STREAMS = "subscription ($stream: uuid!) { nchat_streams_by_pk(id: $stream) { title } }"
CHAT_ROWS = "subscription ($stream: uuid!) { nchat_stream_chat(where: {stream_id: {_eq: $stream}}) { content } }"
EVENT_ROWS = "subscription ($call: uuid!) { nchat_call_events_aggregate: nchat_call_events(where: {call_id: {_eq: $call}}) { seq } }"


@dataclass(frozen=True, slots=True)
class End:
    """What a foreign program writes, `$1` being the stream of the channel general, and for whom it is the end. Carol is invited."""

    visibility: str
    sql: str
    lose: Sequence[Session]
    keep: Sequence[Session]
    code: str = "not-found"


HOST = session(ALICE)
ENDS = {
    "public, now for the channel": End(
        "public",
        "UPDATE nchat_streams SET visibility = 'channel_members' WHERE id = $1",
        [ANYBODY, session(MALLORY)],
        [HOST, session(BOB), MODERATOR],
    ),
    "public, now for those who are invited": End(
        "public",
        "UPDATE nchat_streams SET visibility = 'invite_only' WHERE id = $1",
        [ANYBODY, session(BOB), session(MALLORY)],
        [HOST, session(CAROL), MODERATOR],
    ),
    "for the channel, now for those who are invited": End(
        "channel_members",
        "UPDATE nchat_streams SET visibility = 'invite_only' WHERE id = $1",
        [session(BOB), session(DAVE)],
        [HOST, session(CAROL), MODERATOR],
    ),
    "cancelled": End(
        "public",
        "UPDATE nchat_streams SET status = 'cancelled' WHERE id = $1",
        [ANYBODY],
        [HOST, session(BOB), session(MALLORY), MODERATOR],
    ),
    "banned": End(
        "public",
        f"""INSERT INTO nchat_stream_bans (stream_id, user_id, banned_by)
            SELECT $1, id, '{ALICE}' FROM unnest('{{{BOB},{MOD}}}'::uuid[]) AS id""",
        [session(BOB), session(MOD)],
        [ANYBODY, HOST, session(CAROL), MODERATOR],
        "banned",
    ),
    "invited no more": End(
        "invite_only",
        "DELETE FROM nchat_stream_invites WHERE stream_id = $1",
        [session(CAROL)],
        [HOST, MODERATOR],
    ),
    "the channel's no more": End(
        "channel_members",
        """WITH another AS (INSERT INTO nchat_channels (name) VALUES ('another') RETURNING id)
            UPDATE nchat_streams SET channel_id = another.id FROM another WHERE nchat_streams.id = $1""",
        [session(BOB)],
        [HOST, MODERATOR],
    ),
}


@dataclass(slots=True)
class Followed:
    """One person's subscriptions to a stream."""

    chat: Listener
    row: Listener
    messages: Listener

    async def have_begun(self) -> None:
        await asyncio.gather(self.chat.count(1), self.row.count(1), self.messages.count(1))
        assert (self.row.got, self.messages.got) == ([{"title": "live"}], [[{"content": "before"}]])

    async def go_on(self) -> None:
        assert [event["message"]["content"] for event in await self.chat.count(2, seconds=IN_TIME)] == ["before", "after"]
        assert len((await self.messages.until(lambda got: len(got[-1]) == 2, seconds=IN_TIME))[-1]) == 2
        assert (self.row.got, self.chat.refused) == ([{"title": "live"}], None)

    async def end(self, absent: Any) -> None:
        assert (await self.chat.ended(seconds=IN_TIME)).answer() == absent
        assert seqs(self.chat.got) == [1]
        # A live query does not end: its answer is the smaller one.
        assert (await self.row.count(2, seconds=IN_TIME))[1:] == [None]
        assert (await self.messages.count(2, seconds=IN_TIME))[1:] == [[]]
        assert self.row.refused is self.messages.refused is None


def followed(listen: Listeners, who: Session, stream_id: UUID) -> Followed:
    return Followed(*(follow(listen, who, stream_id), *(listen(who, query, stream=str(stream_id)) for query in (STREAMS, CHAT_ROWS))))


async def test_who_may_not_see_a_stream_any_more_hears_no_more_of_it(on: Setup, listen: Listeners) -> None:
    absent = (await follow(listen, session(MALLORY), uuid4()).ended()).answer()
    assert absent == (await follow(listen, ANYBODY, uuid4()).ended()).answer()
    answers = {"not-found": absent, "banned": await answer_to_the_banned(on, listen)}
    following: dict[str, tuple[UUID, list[Followed], list[Followed]]] = {}
    for how, end in ENDS.items():
        stream_id = await stream(on, end.visibility)
        await on.database.execute(INVITE, stream_id, CAROL, ALICE)
        await say(on.database, stream_id, ALICE, "before")
        lose, keep = [[followed(listen, who, stream_id) for who in those] for those in (end.lose, end.keep)]
        following[how] = stream_id, lose, keep
        await asyncio.gather(*(one.have_begun() for one in [*lose, *keep]))
    for how, (stream_id, _, _) in following.items():
        await on.database.execute(ENDS[how].sql, stream_id)
        await say(on.database, stream_id, ALICE, "after")
    await asyncio.gather(*(ends(how, lose, keep, answers[ENDS[how].code]) for how, (_, lose, keep) in following.items()))


async def answer_to_the_banned(on: Setup, listen: Listeners) -> Any:
    """Where the stream would be seen without the ban. Where it would not, there is no stream."""
    public, hidden = await stream(on), await stream(on, "channel_members")
    for stream_id in (public, hidden):
        await on.database.execute(BAN, stream_id, MALLORY, ALICE)
    barred, absent = [(await follow(listen, session(MALLORY), asked).ended()).answer() for asked in (public, hidden)]
    assert absent == (await follow(listen, session(MALLORY), uuid4()).ended()).answer() != barred
    return barred


async def ends(how: str, lose: Sequence[Followed], keep: Sequence[Followed], absent: Any) -> None:
    try:
        await asyncio.gather(*(one.end(absent) for one in lose), *(one.go_on() for one in keep))
    except AssertionError as error:
        error.add_note(how)
        raise


async def test_a_member_who_leaves_the_channel_and_a_ban_that_is_lifted(on: Setup, listen: Listeners) -> None:
    stream_id = await stream(on, "channel_members")
    await say(on.database, stream_id, ALICE, "before")
    removed, banned, stays = [followed(listen, session(who), stream_id) for who in (DAVE, BOB, CAROL)]
    for one in (removed, banned, stays):
        await one.have_begun()
    absent = (await follow(listen, session(MALLORY), uuid4()).ended()).answer()
    await on.database.execute("DELETE FROM nchat_channel_members WHERE user_id = $1", DAVE)
    await on.database.execute(BAN, stream_id, BOB, ALICE)
    await say(on.database, stream_id, ALICE, "after")
    barred = await answer_to_the_banned(on, listen)
    await asyncio.gather(removed.end(absent), banned.end(barred), stays.go_on())
    await on.database.execute("UPDATE nchat_stream_bans SET lifted_at = now()")
    again = follow(listen, session(BOB), stream_id, 1)
    assert [event["message"]["content"] for event in await again.count(1)] == ["after"]
    assert (await banned.messages.until(lambda got: len(got[-1]) == 2, seconds=IN_TIME))[-2] == []
    assert (await follow(listen, session(DAVE), stream_id, 1).ended()).answer() == absent


async def test_in_a_room_of_many_one_loses_the_right_within_two_seconds(on: Setup, listen: Listeners) -> None:
    stream_id = await stream(on, "channel_members")
    people = await newcomers(on, 60)
    await say(on.database, stream_id, ALICE, "before")
    banned, *others = [follow(listen, session(who), stream_id) for who in people]
    await asyncio.gather(banned.count(1), *(one.count(1) for one in others))
    await on.database.execute(BAN, stream_id, people[0], ALICE)
    assert (await banned.ended(seconds=IN_TIME)).code == "banned"
    await say(on.database, stream_id, ALICE, "after")
    for one in others:
        assert seqs(await one.count(2)) == [1, 2]
    assert seqs(banned.got) == [1]


async def test_a_kick_that_a_foreign_program_writes(on: Setup, listen: Listeners) -> None:
    call_id = await group(on)
    total = len(await on.events(call_id))
    kicked, stays = [(listen.events(session(who), call_id), listen(session(who), EVENT_ROWS, call=str(call_id))) for who in (CAROL, BOB)]
    await asyncio.gather(*(feed.count(total) for feed, _ in (kicked, stays)), *(rows.count(1) for _, rows in (kicked, stays)))
    kick = "UPDATE nchat_call_participants SET status = 'kicked' WHERE call_id = $1 AND user_id = $2"
    await on.database.execute(kick, call_id, CAROL)
    await on.database.execute(UNHINTED, call_id)
    assert (await kicked[0].ended(seconds=IN_TIME)).code == "participant-kicked"
    assert seqs(kicked[0].got) == list(range(1, total + 1))
    assert (await kicked[1].until(lambda got: got[-1] == [], seconds=IN_TIME))[1:] == [[]]
    assert seqs(await stays[0].count(total + 1)) == list(range(1, total + 2))
    await stays[1].until(lambda got: len(got[-1]) == total + 1, seconds=IN_TIME)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE nchat_call_participants SET status = 'kicked' WHERE call_id = $1 AND user_id = $2",
        "DELETE FROM nchat_call_participants WHERE call_id = $1 AND user_id = $2",
    ],
    ids=["kicked", "deleted"],
)
async def test_a_ring_of_whoever_is_thrown_out_stops(on: Setup, listen: Listeners, sql: str) -> None:
    call_id = await ringing(on, BOB, CAROL)
    out, stays = listen.rings(session(BOB)), listen.rings(session(CAROL))
    await asyncio.gather(out.count(1), stays.count(1))
    await on.database.execute(sql, call_id, BOB)
    assert [ring["kind"] for ring in await out.count(2, seconds=IN_TIME)] == ["incoming", "cancelled"]
    another = await ringing(on, CAROL, BOB, by=DAVE)
    for listener in (out, stays):
        assert (await listener.until(lambda got: got[-1]["callId"] == str(another)))[-1]["kind"] == "incoming"
    assert [ring["kind"] for ring in stays.got] == ["incoming", "incoming"]
    assert out.refused is stays.refused is None


async def test_a_member_who_is_removed_goes_on_where_there_is_a_place_in_the_call(on: Setup, listen: Listeners) -> None:
    """The channel was one reason of two; a call of the same channel without a place is lost."""
    rung, other = await ringing(on, BOB), await open_channel_call(on, by=CAROL)
    await on.database.execute("UPDATE nchat_calls SET channel_id = $1 WHERE id = $2", GENERAL, rung)
    ring, keeps, loses = listen.rings(session(BOB)), listen.events(session(BOB), rung), listen.events(session(BOB), other)
    total = len(await on.events(rung))
    await asyncio.gather(ring.count(1), keeps.count(total), loses.count(1))
    await on.database.execute("DELETE FROM nchat_channel_members WHERE user_id = $1", BOB)
    assert (await loses.ended(seconds=IN_TIME)).code == "not-found"
    await on.database.execute(UNHINTED, rung)
    assert seqs(await keeps.count(total + 1)) == list(range(1, total + 2))
    assert ([one["kind"] for one in ring.got], ring.refused, keeps.refused) == (["incoming"], None, None)
