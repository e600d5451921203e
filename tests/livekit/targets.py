"""Where the same test plays: the simulator with driven people, or a real livekit-server with real clients."""

import asyncio
import contextlib
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal, Protocol

from livekit import api, rtc

from devstack.livekit_server import LiveKitServer
from devstack.livekit_simulator import JoinRefused, RoomDefaults, SimulatedParticipant, Simulator, WallClock, application
from tests.livekit.receiver import Receiver
from tests.livekit.serving import serving

KEY = "nchat"
SECRET = "a-secret-for-tests-only-0123456789abcdef"
# Simulated seconds in a second.
SPEED = 5.0
Kind = Literal["standard", "agent"]


class Refused(Exception):
    """The join was refused with this HTTP status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Person(Protocol):
    async def publish(self, source: str, name: str) -> str:
        """Publishes a track; its sid."""
        ...

    async def unpublish(self, track_sid: str) -> None: ...

    async def leave(self) -> None: ...

    async def disconnected(self) -> int:
        """Waits until LiveKit has thrown the person out; the DisconnectReason."""
        ...


class Target(Protocol):
    url: str
    receiver: Receiver

    async def join(self, token: str) -> Person:
        """A client with this token, connected and active. Raises Refused."""
        ...


def token(room: str, identity: str, *, name: str = "", metadata: str = "", kind: Kind = "standard", publish: bool = True) -> str:
    """A join token with all rights, written out."""
    grants = api.VideoGrants(room_join=True, room=room, can_publish=publish, can_subscribe=True, can_publish_data=True)
    signer = api.AccessToken(KEY, SECRET).with_identity(identity).with_name(name or identity.capitalize()).with_metadata(metadata)
    return signer.with_kind(kind).with_grants(grants).to_jwt()


def fresh_room() -> str:
    """A room name that nobody used before."""
    return f"call_{secrets.token_hex(6)}"


@dataclass
class SimulatedPerson:
    participant: SimulatedParticipant

    async def publish(self, source: str, name: str) -> str:
        return self.participant.publish(source, name)

    async def unpublish(self, track_sid: str) -> None:
        self.participant.unpublish(track_sid)

    async def leave(self) -> None:
        self.participant.leave()

    async def disconnected(self) -> int:
        assert self.participant.message.state == api.ParticipantInfo.DISCONNECTED
        return int(self.participant.message.disconnect_reason)


@dataclass
class SimulatedTarget:
    url: str
    receiver: Receiver
    simulator: Simulator

    async def join(self, token: str) -> Person:
        try:
            return SimulatedPerson(self.simulator.join(token))
        except JoinRefused as error:
            raise Refused(error.status) from None


@dataclass
class RealPerson:
    room: rtc.Room
    reason: "asyncio.Future[int]"

    async def publish(self, source: str, name: str) -> str:
        track: rtc.LocalTrack
        if source == "microphone":
            track = rtc.LocalAudioTrack.create_audio_track(name, rtc.AudioSource(48_000, 1))
        else:
            track = rtc.LocalVideoTrack.create_video_track(name, rtc.VideoSource(640, 360))
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.Value(f"SOURCE_{source.upper().replace('_SHARE', 'SHARE')}"))
        publication = await self.room.local_participant.publish_track(track, options)
        return str(publication.sid)

    async def unpublish(self, track_sid: str) -> None:
        await self.room.local_participant.unpublish_track(track_sid)

    async def leave(self) -> None:
        await self.room.disconnect()

    async def disconnected(self) -> int:
        async with asyncio.timeout(10):
            return await self.reason


@dataclass
class RealTarget:
    url: str
    ws_url: str
    receiver: Receiver
    people: list[RealPerson] = field(default_factory=list)

    async def join(self, token: str) -> Person:
        reason: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        room = rtc.Room()
        room.on("disconnected", lambda why: None if reason.done() else reason.set_result(int(why)))
        try:
            await room.connect(self.ws_url, token)
        except rtc.ConnectError as error:
            status = re.search(r"\b([45]\d\d)\b", error.message)
            assert status, error.message
            raise Refused(int(status[1])) from None
        person = RealPerson(room, reason)
        self.people.append(person)
        return person

    async def leave_all(self) -> None:
        for person in self.people:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(5):
                    await person.room.disconnect()


@asynccontextmanager
async def simulated_target(defaults: RoomDefaults | None = None) -> AsyncIterator[SimulatedTarget]:
    """A simulator in this process, five times as fast as life."""
    async with AsyncExitStack() as stack:
        receiver = Receiver({KEY: SECRET})
        hooks = await stack.enter_async_context(receiver.listening(0))
        simulator = Simulator(
            api_key=KEY,
            api_secret=SECRET,
            webhook_url=hooks.url,
            clock=WallClock(SPEED),
            defaults=defaults or RoomDefaults(),
        )
        # Where it is slow, nobody waits for an answer any more.
        url = await stack.enter_async_context(serving(application(simulator), patience=0))
        yield SimulatedTarget(url, receiver, simulator)


@asynccontextmanager
async def real_target(server: LiveKitServer, webhook_port: int) -> AsyncIterator[RealTarget]:
    """The session's livekit-server, its webhooks arriving at a receiver of this test."""
    receiver = Receiver({KEY: SECRET})
    async with receiver.listening(webhook_port):
        target = RealTarget(server.url, server.ws_url, receiver)
        try:
            yield target
        finally:
            await target.leave_all()
