"""A stream in a state of its life, written as rows, with the egress that records it."""

from collections.abc import Sequence
from uuid import UUID, uuid4

import asyncpg

from domain.recording_ports import CompositeWanted, EgressWanted
from domain.recordings.names import new_prefix
from domain.streams.destinations.sending import take_outputs
from domain.streams.destinations.watching import watch_outputs
from tests.support.domain_setup import ALICE, GENERAL, Setup

HOST = "live.example.org"
URL = f"rtmp://{HOST}/app"
KEY = "key-0123456789-secret"
FULL = f"{URL}/{KEY}"


async def new_stream(on: Setup, status: str = "scheduled", *, host: UUID = ALICE) -> UUID:
    """A stream of alice's in the channel general."""
    row = "INSERT INTO nchat_streams (channel_id, host_id, title, status) VALUES ($1, $2, 'a stream', $3::stream_status) RETURNING id"
    found = await on.database.fetchval(row, GENERAL, host, status)
    assert isinstance(found, UUID)
    return found


async def recorded(on: Setup, stream_id: UUID, *, index: int = 0) -> str:
    """The stream's egress, which records by now; the next one of the same recording where there is one."""
    room = str(await on.database.fetchval("SELECT room_name FROM nchat_streams WHERE id = $1", stream_id))
    recording_id = await on.database.fetchval("SELECT id FROM nchat_call_recordings WHERE stream_id = $1", stream_id)
    if recording_id is None:
        row = "INSERT INTO nchat_call_recordings (stream_id, started_by, status) VALUES ($1, $2, 'recording') RETURNING id"
        recording_id = await on.database.fetchval(row, stream_id, ALICE)
    part_id = uuid4()
    prefix = new_prefix(recording_id, part_id)
    egress = await on.recorder.start(EgressWanted(room, prefix, CompositeWanted("grid-dark", (1280, 720)), sends_on=True))
    on.recorder.become(egress.id, "active")
    columns = "id, recording_id, index, status, egress_id, asked_at, path_prefix"
    await on.database.execute(
        f"INSERT INTO nchat_call_recording_parts ({columns}) VALUES ($1, $2, $3, 'recording', $4, $5, $6)",
        part_id, recording_id, index, egress.id, on.clock.now(), prefix,
    )  # fmt: skip
    return egress.id


async def live_stream(on: Setup) -> tuple[UUID, str]:
    """One that is live, and its egress."""
    stream_id = await new_stream(on, "live")
    return stream_id, await recorded(on, stream_id)


async def part_ends(on: Setup, egress_id: str) -> None:
    on.recorder.become(egress_id, "complete")
    row = "UPDATE nchat_call_recording_parts SET status = 'processing', closed_at = now() WHERE egress_id = $1"
    await on.database.execute(row, egress_id)


async def turn(on: Setup, *, times: int = 1) -> None:
    """What the jobs do at a turn, for as many as an egress is asked for one after the other."""
    for _ in range(times):
        for ask in await take_outputs(on.world):
            await ask()


async def look(on: Setup, seconds: float = 5) -> None:
    """So much later the records are looked at."""
    on.clock.advance(seconds)
    await watch_outputs(on.world)


async def shown(on: Setup, destination_id: UUID) -> tuple[str, str | None]:
    """What the host sees of it."""
    row = await on.database.fetchrow("SELECT status, error_message FROM nchat_stream_destinations WHERE id = $1", destination_id)
    assert row is not None
    return row["status"], row["error_message"]


async def outputs(on: Setup) -> Sequence[asyncpg.Record]:
    return list(await on.database.fetch("SELECT * FROM nchat_stream_outputs ORDER BY created_at, id"))
