"""Two people nobody else knows in a room of the real livekit-server, what they ask of a service process, and what LiveKit has of them."""

import asyncio
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from livekit import rtc

from app.livekit.egress.gateway import LiveKitRecorder
from devstack.store import StoreProcess
from domain.recording_ports import CompositeWanted, Egress, EgressWanted
from domain.recordings.names import new_prefix, part_of
from tests.support.killable_service import KillableService
from tests.support.waiting import eventually
from tests.support.whole_service import Caller, bearer

PEOPLE = "INSERT INTO nchat_users (id, username, display_name) SELECT id, 'u' || id, 'U' FROM unnest($1::uuid[]) id"
CHANNEL = "INSERT INTO nchat_channels (name) VALUES ('here') RETURNING id"
MEMBERS = "INSERT INTO nchat_channel_members (channel_id, user_id) SELECT $1, unnest($2::uuid[])"
# A service that was killed has so long to bring everything together; what is lost of a recorder is found by then.
REPAIRED_WITHIN = 40


@dataclass(frozen=True, slots=True)
class Servers:
    """What stays when a service dies: LiveKit at `ws_url`, asked through `recorder`; the store; the database."""

    ws_url: str
    recorder: LiveKitRecorder
    store: StoreProcess
    database: "asyncpg.Pool"


@dataclass(slots=True)
class RecordedTalk:
    """alice, who hosts, and bob; `strays` are egresses that the test itself began."""

    service: KillableService
    servers: Servers
    alice: UUID = field(default_factory=uuid4)
    bob: UUID = field(default_factory=uuid4)
    call_id: UUID = field(init=False)
    room: str = ""
    people: list[rtc.Room] = field(default_factory=list)
    strays: set[str] = field(default_factory=set)

    async def begin(self) -> None:
        """Both are connected, with their microphones on."""
        people = [self.alice, self.bob]
        await self.servers.database.execute(PEOPLE, people)
        await self.servers.database.execute(MEMBERS, await self.servers.database.fetchval(CHANNEL), people)
        wanted = {"type": "audio", "targetUserIds": [str(self.bob)]}
        started = await self.caller(self.alice).act("initiateCall", "callId roomName token", **wanted)
        self.call_id, self.room = UUID(started["callId"]), started["roomName"]
        accepted = await self.act(self.bob, "acceptCall", "token")
        await asyncio.gather(self._enter(started["token"]), self._enter(accepted["token"]))
        await self.until("SELECT status = 'connected' FROM nchat_calls WHERE id = $1")

    async def leave(self) -> None:
        await asyncio.gather(*(person.disconnect() for person in self.people))

    def caller(self, who: UUID) -> Caller:
        return Caller(self.service.http, bearer(who))

    async def act(self, who: UUID, name: str, answer: str = "callId", /, **fields: object) -> Any:
        """An action on the call."""
        return await self.caller(who).act(name, answer, callId=str(self.call_id), **fields)

    async def press(self, name: str) -> None:
        """alice does that with the recording."""
        await self.caller(self.alice).act(name, "recordingId", recordingId=str(await self.recording_id()))

    async def participant(self, who: UUID) -> str:
        """The participant's id."""
        asked = "SELECT id FROM nchat_call_participants WHERE call_id = $1 AND user_id = $2"
        return str(await self.servers.database.fetchval(asked, self.call_id, who))

    async def recording_id(self) -> UUID | None:
        """The newest of the call; a client whose service died asks for it, too."""
        newest = "SELECT id FROM nchat_call_recordings WHERE call_id = $1 ORDER BY created_at DESC LIMIT 1"
        found: UUID | None = await self.servers.database.fetchval(newest, self.call_id)
        return found

    async def becomes(self, status: str) -> None:
        """The recording; whatever had to be repaired before."""
        await self.until(
            "SELECT status::text = $2 FROM nchat_call_recordings WHERE call_id = $1 ORDER BY created_at DESC LIMIT 1",
            status,
        )

    async def until(self, asked: str, *values: object) -> None:
        async def so() -> bool:
            return bool(await self.servers.database.fetchval(asked, self.call_id, *values))

        await eventually(so, seconds=REPAIRED_WITHIN, every=0.1)

    async def parts(self) -> list[asyncpg.Record]:
        """Of all recordings of the call."""
        mine = (
            "SELECT part.* FROM nchat_call_recording_parts AS part JOIN nchat_call_recordings AS recording ON recording.id = recording_id"
            " WHERE call_id = $1 ORDER BY part.index"
        )
        return list(await self.servers.database.fetch(mine, self.call_id))

    async def change_parts(self, change: str, *, of: str = "true") -> None:
        """As if it had come so: these columns of the parts that LiveKit may still write, `of` those that are so."""
        mine = "recording_id IN (SELECT id FROM nchat_call_recordings WHERE call_id = $1)"
        written = f"{mine} AND status IN ('starting', 'recording') AND {of}"
        await self.servers.database.execute(f"UPDATE nchat_call_recording_parts SET {change} WHERE {written}", self.call_id)

    async def half_a_minute_passes(self) -> None:
        """For questions to LiveKit that nobody knows the answer of; no service runs."""
        await self.change_parts("asked_at = asked_at - interval '31 seconds'", of="egress_id IS NULL")

    async def egresses(self) -> list[Egress]:
        """All that LiveKit ever began for the call, by its own lists: an egress whose request was cut off is missing in its room's."""
        running = [egress for egress in await self.servers.recorder.active() if egress.room == self.room]
        of_room = await self.servers.recorder.of_room(self.room)
        return list({egress.id: egress for egress in (*running, *of_room)}.values())

    async def begin_a_stray(self) -> None:
        """An egress in the room, under a name of ours, that no part wants."""
        wanted = EgressWanted(self.room, new_prefix(uuid4(), uuid4()), CompositeWanted("", None))
        self.strays.add((await self.servers.recorder.start(wanted)).id)

    async def end_egresses(self) -> None:
        """LiveKit ends them, whoever asked it to."""
        for egress in await self.egresses():
            await self.servers.recorder.stop(egress.id)

        async def over() -> bool:
            return all(egress.final for egress in await self.egresses())

        await eventually(over, seconds=REPAIRED_WITHIN)

    async def is_written_once(self) -> None:
        """LiveKit writes one egress for each part that is written, and no other."""

        async def so() -> bool:
            wanted = {part["egress_id"] for part in await self.parts() if part["status"] in ("starting", "recording")}
            return bool(wanted) and {egress.id for egress in await self.egresses() if not egress.final} == wanted

        await eventually(so, seconds=REPAIRED_WITHIN, every=0.2)

    async def wrongs(self) -> Collection[str]:
        """What may never be: two egresses of one part, one that no row knows, one that goes on."""
        egresses, parts = await self.egresses(), await self.parts()
        doubled = [part for part, many in Counter(part_of(egress.path_prefix) for egress in egresses).items() if many > 1]
        known = self.strays | {part["egress_id"] for part in parts}
        return [
            *(f"part {part} was begun twice" for part in doubled),
            *(f"nobody knows of {egress.id}" for egress in egresses if egress.id not in known),
            *(f"{egress.id} goes on" for egress in egresses if not egress.final),
        ]

    async def _enter(self, token: str) -> None:
        person = rtc.Room()
        await person.connect(self.servers.ws_url, token)
        self.people.append(person)
        track = rtc.LocalAudioTrack.create_audio_track("microphone", rtc.AudioSource(48_000, 1))
        await person.local_participant.publish_track(track, rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE))
