"""A call on a real livekit-server whose recordings a worker takes, and short questions about it."""

from dataclasses import dataclass, field
from uuid import UUID

import asyncpg
from livekit import rtc

from domain.calls.actions.answer import accept_call
from domain.calls.actions.initiate import CallRequest, initiate_call
from domain.calls.actions.join import join_call
from domain.calls.rows import CallType
from domain.recordings.actions.start import start_recording
from domain.recordings.starting import Manner
from domain.webhooks import inbox
from domain.world import World
from tests.support.domain_setup import ALICE, BOB, GENERAL, Setup, session
from tests.support.waiting import eventually


@dataclass(slots=True)
class LiveCall:
    """`deaf` loses every webhook."""

    on: Setup
    world: World
    ws_url: str
    host: UUID = ALICE
    deaf: bool = False
    id: UUID = field(init=False)
    people: list[rtc.Room] = field(default_factory=list)
    sound: rtc.AudioSource = field(init=False)

    async def begin(self, callee: UUID = BOB) -> None:
        """The host calls somebody in the channel; both are connected and send sound, the host that of `sound`."""
        own, others = await self.ring("audio", callee)
        self.sound = await self.enter(own)
        await self.enter(others)
        await self.is_connected()

    async def ring(self, kind: CallType, callee: UUID) -> tuple[str, str]:
        """The host calls somebody in the channel, who takes it; the tokens of both."""
        started = await initiate_call(self.world, session(self.host), CallRequest(kind, [callee], channel_id=GENERAL))
        accepted = await accept_call(self.world, session(callee), started.call_id)
        self.id = started.call_id
        assert started.ticket is not None
        return started.ticket.token, accepted.ticket.token

    async def stands(self, who: UUID, status: str, *, seconds: float = 15) -> None:
        """The participant comes to this status."""
        asked = "SELECT status::text = $3 FROM nchat_call_participants WHERE call_id = $1 AND user_id = $2"
        await self._until(asked, self.id, who, status, seconds=seconds)

    async def join(self, who: UUID) -> str:
        """Somebody else of the channel comes in; the token."""
        joined = await join_call(self.world, session(who), self.id)
        assert joined.ticket is not None
        return joined.ticket.token

    async def is_connected(self) -> None:
        """LiveKit has told of both."""
        await self._until("SELECT status = 'connected' FROM nchat_calls WHERE id = $1", self.id)

    async def start(self, manner: Manner | None = None) -> UUID:
        return (await start_recording(self.world, session(self.host), self.id, manner or Manner(resolution="720p"))).recording_id

    async def becomes(self, recording_id: UUID, status: str, *, seconds: float = 15) -> None:
        await self._until("SELECT status::text = $2 FROM nchat_call_recordings WHERE id = $1", recording_id, status, seconds=seconds)

    async def says(self, recording_id: UUID, sentence: str) -> None:
        """The recording has this to say to people."""
        await self._until("SELECT error_message = $2 FROM nchat_call_recordings WHERE id = $1", recording_id, sentence)

    async def has_segments(self, recording_id: UUID, index: int, many: int, *, seconds: float = 30) -> None:
        """The part of this index has at least so many."""
        asked = "SELECT segments >= $3 FROM nchat_call_recording_parts WHERE recording_id = $1 AND index = $2"
        await self._until(asked, recording_id, index, many, seconds=seconds)

    async def part_becomes(self, recording_id: UUID, index: int, status: str, *, seconds: float = 15) -> None:
        asked = "SELECT status::text = $3 FROM nchat_call_recording_parts WHERE recording_id = $1 AND index = $2"
        await self._until(asked, recording_id, index, status, seconds=seconds)

    async def part_ends(self, recording_id: UUID, index: int, reason: str, *, seconds: float = 20) -> None:
        """LiveKit says nothing more of it."""
        asked = "SELECT end_reason = $3 AND closed_at IS NOT NULL FROM nchat_call_recording_parts WHERE recording_id = $1 AND index = $2"
        await self._until(asked, recording_id, index, reason, seconds=seconds)

    async def newest_part_grows(self, recording_id: UUID, *, seconds: float = 30) -> None:
        """The part that is written now gets one more segment than it has."""
        newest = "SELECT id, segments FROM nchat_call_recording_parts WHERE recording_id = $1 ORDER BY index DESC LIMIT 1"
        row = await self.on.database.fetchrow(newest, recording_id)
        assert row is not None
        grown = f"SELECT id <> $2 AND segments > 0 OR segments > $3 FROM ({newest}) AS newest"
        await self._until(grown, recording_id, row["id"], row["segments"], seconds=seconds)

    async def recording(self, recording_id: UUID) -> asyncpg.Record:
        row = await self.on.database.fetchrow("SELECT * FROM nchat_call_recordings WHERE id = $1", recording_id)
        assert row is not None
        return row

    async def parts(self, recording_id: UUID) -> list[asyncpg.Record]:
        asked = "SELECT * FROM nchat_call_recording_parts WHERE recording_id = $1 ORDER BY index"
        return list(await self.on.database.fetch(asked, recording_id))

    async def room(self) -> str:
        """The name of the call's room."""
        return str((await self.on.call(self.id))["room_name"])

    async def told(self) -> list[str]:
        """The kinds of events about recordings."""
        return [kind for kind in await self.on.kinds(self.id) if kind.startswith("recording_")]

    async def receive(self, event: inbox.WebhookEvent) -> bool:
        return False if self.deaf else await inbox.store(self.world, event)

    async def enter(self, token: str) -> rtc.AudioSource:
        """Somebody connects with this token, and sends the sound that is given to what is returned."""
        person = rtc.Room()
        await person.connect(self.ws_url, token)
        self.people.append(person)
        # A short queue: what is captured is heard at once.
        source = rtc.AudioSource(48_000, 1, queue_size_ms=50)
        track = rtc.LocalAudioTrack.create_audio_track("microphone", source)
        await person.local_participant.publish_track(track, rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE))
        return source

    async def _until(self, asked: str, *values: object, seconds: float = 15) -> None:
        async def so() -> bool:
            return bool(await self.on.database.fetchval(asked, *values))

        await eventually(so, seconds=seconds)
