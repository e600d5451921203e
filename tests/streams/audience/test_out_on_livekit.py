"""A whole service and LiveKit's simulator: the host narrows a stream while many watch it by WebRTC, and they are out. `make trial-audience`
lets it be a thousand."""

import time

import asyncpg
import pytest
from livekit import api
from prometheus_client.parser import text_string_to_metric_families

from devstack.livekit_simulator import Simulator
from tests.livekit.targets import token
from tests.playback.broadcast import broadcast
from tests.support.domain_setup import ALICE, BOB, CAROL, Setup
from tests.support.waiting import eventually
from tests.support.whole_service import WholeService, simulated, whole_service
from tests.trials.scale import WHOLE

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]
MANY = 1000 if WHOLE else 120
CROWD = """INSERT INTO nchat_stream_viewers (stream_id, session_id, role, webrtc)
    SELECT $1, 'the secret ' || number, 'anonymous', true FROM generate_series(1, $2) AS number RETURNING id"""
MEMBER = "INSERT INTO nchat_stream_viewers (stream_id, session_id, user_id, webrtc) VALUES ($1, $2, $3, true) RETURNING id"
NARROW = 'mutation ($id: uuid!) { update_nchat_streams_by_pk(pk_columns: {id: $id}, _set: {visibility: "channel_members"}) { id } }'
BAN = "mutation ($input: BanFromStreamInput!) { banFromStream(input: $input) { streamId } }"


async def removals(service: WholeService) -> int:
    """How often LiveKit was asked to remove somebody."""
    told = (await service.http.get("/metrics")).text
    samples = [sample for family in text_string_to_metric_families(told) for sample in family.samples]
    mine = [one for one in samples if one.name == "nchat_livekit_request_seconds_count" and one.labels["method"] == "remove_participant"]
    return int(sum(one.value for one in mine))


def inside(simulator: Simulator, room: str) -> set[str]:
    return set(simulator.rooms.live[room].participants)


async def test_many_are_out_and_one_who_is_banned_meanwhile(on: Setup) -> None:
    database, stream_id = on.database, (await broadcast(on, on.store)).stream
    room: str = await database.fetchval("SELECT room_name FROM nchat_streams")
    crowd = [f"viewer:{row['id']}" for row in await database.fetch(CROWD, stream_id, MANY)]
    bob, carol = [f"viewer:{await database.fetchval(MEMBER, stream_id, str(who), who)}" for who in (BOB, CAROL)]
    async with simulated(None) as (simulator, livekit), whole_service(on.url, livekit) as service:
        simulator.rooms.open(api.CreateRoomRequest(name=room))
        for identity in (str(ALICE), *crowd, bob, carol):
            simulator.join(token(room, identity))
        asked, alice = await removals(service), service.person(ALICE)
        began = time.monotonic()
        await alice.data(NARROW, {"id": str(stream_id)})
        await eventually(lambda: _fewer(simulator, room, MANY // 10), seconds=60, every=0.005)
        first = time.monotonic()
        await alice.data(BAN, {"input": {"streamId": str(stream_id), "userId": str(BOB)}})
        await eventually(lambda: _gone(simulator, room, {bob}), seconds=60, every=0.005)
        banned = time.monotonic()
        await eventually(lambda: _gone(simulator, room, set(crowd)), seconds=60, every=0.005)
        out = time.monotonic() - began
        assert inside(simulator, room) == {str(ALICE), carol}
        taken = time.monotonic()
        await database.execute("DELETE FROM nchat_channel_members WHERE user_id = $1", CAROL)
        await eventually(lambda: _gone(simulator, room, {carol}), seconds=60, every=0.005)
        told = f"{time.monotonic() - taken:.2f} s for one whose right somebody took by SQL"
        waits = f"{first - began:.2f} s for the first tenth; {banned - first:.2f} s for one; {told}"
        await eventually(lambda: _none(database), seconds=10)
        # The reconciler may have looked meanwhile.
        figures = f"{MANY} out after {out:.2f} s by {await removals(service) - asked} requests, {waits}"
        print(figures)  # noqa: T201 - what the trial is run for


async def _fewer(simulator: Simulator, room: str, gone: int) -> bool:
    return len(inside(simulator, room)) <= MANY + 3 - gone


async def _gone(simulator: Simulator, room: str, people: set[str]) -> bool:
    return not people & inside(simulator, room)


async def _none(database: "asyncpg.Connection") -> bool:
    waiting = "SELECT count(*) FROM nchat_stream_viewers WHERE webrtc AND left_at IS NOT NULL AND out_of_room_at IS NULL"
    return bool(await database.fetchval(waiting) == 0)
