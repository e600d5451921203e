"""A stream as rows and objects: alice's, in the channel general, with a recording in parts."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from domain.recording_ports import ObjectStore
from domain.recordings.names import new_prefix, picture_key, playlist_key
from tests.media.film import SECONDS
from tests.support.domain_setup import ALICE, GENERAL, Setup

STREAM = """
    INSERT INTO nchat_streams (id, channel_id, host_id, title, visibility, status, started_at)
    VALUES ($1, $2, $3, 'Ask <me> anything', $4::stream_visibility, $5::stream_status, now())
"""
RECORDING = """
    INSERT INTO nchat_call_recordings (id, stream_id, started_by, status, started_at, keep)
    VALUES ($1, $2, $3, 'recording', now(), $4)
"""
PART = """
    INSERT INTO nchat_call_recording_parts
        (id, recording_id, index, status, segments, path_prefix, asked_at, closed_at, media_started_at, duration, segment_seconds)
    VALUES ($1, $2, $3, $4::recording_status, $5, $6, now(), CASE WHEN $7 THEN now() END, $8, $9, $10)
"""


def listed(segments: int, began_at: datetime, *, ended: bool = False, each: float = SECONDS) -> bytes:
    """What the recorder's playlist says after so many segments."""
    lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:4", "#EXT-X-PLAYLIST-TYPE:EVENT"]
    for number in range(segments):
        at = (began_at + timedelta(seconds=each * number)).isoformat(timespec="milliseconds")
        lines += [f"#EXT-X-PROGRAM-DATE-TIME:{at}", f"#EXTINF:{each:.6f},", f"segment_{number:05d}.ts"]
    return "\n".join([*lines, *["#EXT-X-ENDLIST"] * ended, ""]).encode()


@dataclass(slots=True)
class Broadcast:
    """`store` is where its objects lie."""

    on: Setup
    store: ObjectStore
    stream: UUID
    recording: UUID

    async def part(
        self,
        index: int,
        segments: int,
        *,
        closed: bool = False,
        objects: dict[str, bytes] | None = None,
        each: float = SECONDS,
        asked: int = SECONDS,
    ) -> str:
        """A part, running or over, with so many segments, each so long (and asked to be); what its keys begin with."""
        part_id, began_at = uuid4(), self.on.clock.now()
        prefix = new_prefix(self.recording, part_id)
        status = "ready" if closed else "recording"
        row = (part_id, self.recording, index, status, segments, prefix, closed, began_at, segments * float(each), asked)
        await self.on.database.execute(PART, *row)
        media = {f"segment_{number:05d}.ts": f"{index}/{number}".encode() for number in range(segments)} if objects is None else objects
        for name, body in media.items():
            if name.endswith(".ts"):
                await self.store.write(prefix + name, body, "video/mp2t")
        await self.store.write(picture_key(prefix, 0), b"a picture", "image/jpeg")
        await self.store.write(playlist_key(prefix), listed(segments, began_at, ended=closed, each=each), "application/x-mpegurl")
        return prefix

    async def grow(self, prefix: str, segments: int) -> None:
        """The recorder has uploaded so many by now."""
        for number in range(segments):
            await self.store.write(f"{prefix}segment_{number:05d}.ts", f"more {number}".encode(), "video/mp2t")
        await self.list(prefix, segments)
        await self.on.database.execute("UPDATE nchat_call_recording_parts SET segments = $1 WHERE path_prefix = $2", segments, prefix)
        self.on.clock.advance(2)

    async def list(self, prefix: str, segments: int, *, ended: bool = False, each: float = SECONDS) -> None:
        """The recorder's playlist alone."""
        body = listed(segments, self.on.clock.now(), ended=ended, each=each)
        await self.store.write(playlist_key(prefix), body, "application/x-mpegurl")

    async def end(self) -> None:
        """It is over, and all of it is there."""
        await self.on.database.execute(
            "UPDATE nchat_call_recording_parts SET status = 'ready', closed_at = now() WHERE recording_id = $1", self.recording
        )
        await self.on.database.execute("UPDATE nchat_call_recordings SET status = 'ready', ended_at = now() WHERE id = $1", self.recording)
        await self.on.database.execute("UPDATE nchat_streams SET status = 'ended', ended_at = now() WHERE id = $1", self.stream)
        self.on.clock.advance(2)

    async def show(self, visibility: str) -> None:
        """The host lets others watch from now on."""
        await self.on.database.execute("UPDATE nchat_streams SET visibility = $1::stream_visibility WHERE id = $2", visibility, self.stream)

    async def invite(self, who: UUID) -> None:
        await self.on.database.execute(
            "INSERT INTO nchat_stream_invites (stream_id, user_id, invited_by) VALUES ($1, $2, $3)", self.stream, who, ALICE
        )

    async def ban(self, who: UUID) -> None:
        await self.on.database.execute(
            "INSERT INTO nchat_stream_bans (stream_id, user_id, banned_by) VALUES ($1, $2, $3)", self.stream, who, ALICE
        )


async def broadcast(on: Setup, store: ObjectStore, visibility: str = "public", *, status: str = "live", keep: bool = True) -> Broadcast:
    """The stream, with no part yet; before it is live it has no recording either."""
    made = Broadcast(on, store, uuid4(), uuid4())
    await on.database.execute(STREAM, made.stream, GENERAL, ALICE, visibility, status)
    if status not in ("scheduled", "cancelled"):
        await on.database.execute(RECORDING, made.recording, made.stream, ALICE, keep)
        await on.database.execute("UPDATE nchat_streams SET recording_id = $1 WHERE id = $2", made.recording, made.stream)
    return made
