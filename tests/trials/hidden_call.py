"""Things that strangers must not find: a call that runs in a channel, and what belongs to it."""

from dataclasses import dataclass
from uuid import UUID, uuid4

import asyncpg

from tests.support.domain_setup import ALICE, BOB, GENERAL
from tests.support.whole_service import WholeService

RECORDING = "INSERT INTO nchat_call_recordings (call_id, started_by, status) VALUES ($1, $2, 'ready') RETURNING id"
PART = "INSERT INTO nchat_call_recording_parts (recording_id, index, status) VALUES ($1, 0, 'ready') RETURNING id"
STREAM = """
    INSERT INTO nchat_streams (channel_id, host_id, title, status, visibility, call_id)
    VALUES ($1, $2, 'between us', 'ended', 'channel_members', $3) RETURNING id
"""
# Seats lapse and calls time out by these: an hour from now nobody looks any more.
STAND_STILL = (
    "UPDATE nchat_calls SET status_since = now() + interval '1 hour' WHERE id = $1",
    "UPDATE nchat_call_participants SET status_since = now() + interval '1 hour' WHERE call_id = $1",
)


@dataclass(frozen=True, slots=True)
class Thing:
    """`other` is something of it that a document may have to name as well."""

    name: str
    id: UUID
    other: UUID

    def in_vain(self) -> list[tuple[UUID, UUID]]:
        """Ids of nothing, alone and with an `other` that is real."""
        return [(uuid4(), uuid4()), (uuid4(), self.other)]


@dataclass(frozen=True, slots=True)
class Hidden:
    call: Thing
    things: tuple[Thing, ...]


async def hide(service: WholeService, database_url: str, *, streamed: bool = True) -> Hidden:
    """Alice and Bob are in a call of the channel general, which is recorded and streamed to the channel."""
    alice, bob = service.person(ALICE), service.person(BOB)
    call_id = UUID((await alice.act("initiateCall", type="video", targetUserIds=[str(BOB)], channelId=str(GENERAL)))["callId"])
    participant_id = UUID((await bob.act("acceptCall", "participantId", callId=str(call_id)))["participantId"])
    database = await asyncpg.connect(database_url)
    for statement in STAND_STILL:
        await database.execute(statement, call_id)
    recording_id = await database.fetchval(RECORDING, call_id, ALICE)
    beside = [("participant", participant_id), ("channel", GENERAL), ("recording", recording_id)]
    beside.append(("part", await database.fetchval(PART, recording_id)))
    if streamed:
        beside.append(("stream", await database.fetchval(STREAM, GENERAL, ALICE, call_id)))
    await database.close()
    call = Thing("call", call_id, participant_id)
    return Hidden(call, (call, *(Thing(name, id_, BOB) for name, id_ in beside)))
