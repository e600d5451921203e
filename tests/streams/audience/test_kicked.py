"""Who was removed from a call does not come back into its room as one who watches it."""

from uuid import UUID

import pytest

from domain.admission import Entrance, admitted
from domain.calls.actions.kick import kick_participant, readmit_participant
from domain.errors import ParticipantKicked
from domain.streams.actions.token import refresh_stream_token
from domain.streams.viewers.joining import Joined, join_stream
from domain.streams.viewers.out_of_room import take_out
from domain.streams.viewers.unseeing.rounds import end_unseeing_in_rooms
from tests.calls.call_states import group
from tests.streams.audience.live_streams import ANYBODY, joins, refused, viewer
from tests.streams.audience.test_in_the_room import BROADCAST
from tests.support.domain_setup import ALICE, BOB, CAROL, Setup, session
from tests.support.telling_rooms import TellingRoom

pytestmark = pytest.mark.anyio
LATE = "INSERT INTO nchat_stream_viewers (stream_id, user_id, session_id, webrtc) VALUES ($1, $2, 'late', true) RETURNING id"


class Shown:
    """A call of alice, bob and carol, and the stream that shows it."""

    def __init__(self, on: Setup, call_id: UUID, stream_id: UUID, room: TellingRoom) -> None:
        self.on, self.call_id, self.stream_id, self.room = on, call_id, stream_id, room

    async def kick(self, user_id: UUID = BOB) -> None:
        await kick_participant(self.on.world, session(ALICE), self.call_id, await self.participant(user_id))

    async def readmit(self, user_id: UUID = BOB) -> None:
        await readmit_participant(self.on.world, session(ALICE), self.call_id, await self.participant(user_id))

    async def participant(self, user_id: UUID) -> UUID:
        found: UUID = (await self.on.participant(self.call_id, user_id))["id"]
        return found

    async def watch(self, user_id: UUID) -> Joined:
        """By WebRTC, and connected."""
        joined = await joins(self.on, session(user_id), self.stream_id, webrtc=True)
        await self.room.join(f"viewer:{joined.viewer_id}")
        return joined

    async def may_enter(self, joined: Joined) -> bool:
        async with self.on.world.transaction("test") as tx:
            return bool(await admitted(tx, [Entrance(self.room.name, f"viewer:{joined.viewer_id}")]))

    async def viewers_inside(self) -> set[str]:
        people = await self.on.rooms.list_participants(self.room.name)
        return {one.identity.removeprefix("viewer:") for one in people if one.watches}


@pytest.fixture
async def shown(on: Setup) -> Shown:
    call_id = await group(on)
    stream_id = await on.database.fetchval(BROADCAST)
    return Shown(on, call_id, stream_id, TellingRoom(on, (await on.call(call_id))["room_name"]))


async def test_no_way_leads_back_into_the_room(shown: Shown) -> None:
    before = await shown.watch(BOB)
    assert await shown.may_enter(before)
    await shown.kick()
    assert not await shown.may_enter(before), "the door is shut with the commit, before any job"
    await refused(shown.on, joins(shown.on, session(BOB), shown.stream_id, webrtc=True), ParticipantKicked)
    await refused(shown.on, refresh_stream_token(shown.on.world, session(BOB), shown.stream_id), ParticipantKicked)
    late = await shown.on.database.fetchval(LATE, shown.stream_id, BOB)
    await shown.room.join(f"viewer:{late}")
    assert str(late) not in await shown.viewers_inside(), "who was let in beside the kick"


async def test_a_kick_ends_the_session_that_watches_from_the_room(shown: Shown) -> None:
    bobs, carols = await shown.watch(BOB), await shown.watch(CAROL)
    await shown.kick()
    late = await shown.on.database.fetchval(LATE, shown.stream_id, BOB)
    await end_unseeing_in_rooms(shown.on.world)
    await take_out(shown.on.world)
    ended = [(await viewer(shown.on, one))["left_at"] is not None for one in (bobs.viewer_id, late, carols.viewer_id)]
    assert ended == [True, True, False]
    assert await shown.viewers_inside() == {str(carols.viewer_id)}


async def test_what_everybody_may_watch_the_kicked_may_too(shown: Shown) -> None:
    """By HLS, as without a name: it is not the call's room."""
    await shown.kick()
    joined = await join_stream(shown.on.world, session(BOB), shown.stream_id)
    await end_unseeing_in_rooms(shown.on.world)
    assert joined.ticket is None and (await viewer(shown.on, joined.viewer_id))["left_at"] is None
    assert (await joins(shown.on, ANYBODY, shown.stream_id, webrtc=True)).ticket is not None


async def test_who_is_let_back_in_may_watch_again(shown: Shown) -> None:
    await shown.kick()
    await shown.readmit()
    assert await shown.may_enter(await shown.watch(BOB))
