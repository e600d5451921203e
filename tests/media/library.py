"""A recording as rows and objects, and links to it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

import httpx2

from app.media.links import NOBODY, Bearer, LinkKey
from domain.recordings.names import file_key, new_prefix, picture_key
from tests.support.domain_setup import ALICE, BOB, Setup

HOUR = 3600


async def record(on: Setup) -> tuple[UUID, UUID]:
    """alice's call with bob, over by now, and its recording: their ids."""
    call, recording = uuid4(), uuid4()
    await on.database.execute(
        "INSERT INTO nchat_calls (id, initiator_id, type, status, ended_at) VALUES ($1, $2, 'video', 'ended', now())", call, ALICE
    )
    for who in (ALICE, BOB):
        await on.database.execute(
            "INSERT INTO nchat_call_participants (call_id, user_id, status, joined_at) VALUES ($1, $2, 'left', now())", call, who
        )
    await on.database.execute(
        "INSERT INTO nchat_call_recordings (id, call_id, started_by, status, title, started_at, duration, file_path, thumbnail_path)"
        " VALUES ($1, $2, $3, 'ready', 'Minutes', '2026-01-02 10:20+00', 60, 'recordings/file.mp4', 'recordings/still.jpeg')",
        recording,
        call,
        ALICE,
    )
    return call, recording


@dataclass(slots=True)
class Shelf:
    """What the tests hold: `counted` are kinds and outcomes as the endpoint told them."""

    on: Setup
    key: LinkKey
    http: httpx2.AsyncClient
    call: UUID
    recording: UUID
    counted: list[tuple[str, str]]

    def link(self, who: UUID | None, kind: str = "playlist", *, id: UUID | None = None, life: float = HOUR, role: str = "user") -> str:
        """The path of a link for this person; None is nobody."""
        expiry = int(self.on.clock.now().timestamp() + life)
        of = id or self.recording
        return f"/media/{kind}/{of}/{self.key.sign(kind, of, Bearer(role, NOBODY if who is None else str(who), expiry))}"

    async def get(self, who: UUID | None, kind: str = "playlist", **more: object) -> httpx2.Response:
        """What this person gets."""
        return await self.http.get(self.link(who, kind, **more))  # type: ignore[arg-type]

    async def playlist(self, who: UUID = ALICE, *, skip: bool = False) -> str:
        """The text of the playlist, its link in place of the person's own."""
        link = self.link(who)
        answer = await self.http.get(link + ("?_HLS_skip=YES" if skip else ""))
        assert answer.status_code == 200, answer.text
        return answer.text.replace(link.rpartition("/")[2], "LINK")

    async def part(self, index: int, *, segments: int, began_at: datetime, status: str = "ready", closed: bool = True) -> UUID:
        """A part in storage and as a row."""
        part_id = uuid4()
        prefix = new_prefix(self.recording, part_id)
        self.on.store.hold(prefix, segments, began_at, ended=status == "ready")
        for number in range(1, segments * 4 // 10):
            self.on.store.objects[picture_key(prefix, number)] = b"a picture"
        await self.on.database.execute(
            "INSERT INTO nchat_call_recording_parts"
            " (id, recording_id, index, status, segments, path_prefix, file_path, duration, closed_at, media_started_at)"
            " VALUES ($1, $2, $3, $4::recording_status, $5, $6, $7, $8, CASE WHEN $9 THEN now() END, $10)",
            part_id,
            self.recording,
            index,
            status,
            segments,
            prefix,
            file_key(prefix) if status == "ready" else None,
            segments * 4.0,
            closed,
            began_at,
        )
        return part_id

    async def prefix(self, index: int) -> str:
        """What the keys of a part begin with."""
        return str(
            await self.on.database.fetchval(
                "SELECT path_prefix FROM nchat_call_recording_parts WHERE recording_id = $1 AND index = $2", self.recording, index
            )
        )

    async def grow(self, index: int, segments: int, began_at: datetime) -> None:
        """The recorder has uploaded so many by now, and a second has passed."""
        self.on.store.hold(await self.prefix(index), segments, began_at)
        self.on.clock.advance(1)
