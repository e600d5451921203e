"""LiveKit's RoomService as the domain's `Rooms` port."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from livekit import api

from app.livekit import protocol
from app.livekit.requests import MediaAbsent, MediaUnanswered, ObserveRequest, Requests, uncounted
from app.livekit.room_settings import RoomTimeouts, create_request
from app.telemetry.moments import Observe, unobserved
from domain.ports import Grant, LiveRoom, Room, RoomParticipant

# Seconds. LiveKit itself takes 3 to say that nobody answered for a participant.
WITHIN: Final = 5.0


@asynccontextmanager
async def connect(
    url: str,
    api_key: str,
    api_secret: str,
    *,
    observe: Observe = unobserved,
    count: ObserveRequest = uncounted,
    timeouts: RoomTimeouts | None = None,
    within: float = WITHIN,
) -> AsyncIterator["LiveKitRooms"]:
    """The process's one client, open while the block runs; needs a running loop. `url` is LiveKit's internal http(s) address."""
    async with open_client(url, api_key, api_secret) as client:
        yield LiveKitRooms(client, Requests(observe, count), timeouts or RoomTimeouts(), within)


@asynccontextmanager
async def open_client(url: str, api_key: str, api_secret: str) -> AsyncIterator[api.LiveKitAPI]:
    """LiveKit's own client, for rooms and recorders alike."""
    client = api.LiveKitAPI(url, api_key, api_secret, failover=False)
    try:
        yield client
    finally:
        await client.aclose()


class LiveKitRooms:
    """`domain.ports.Rooms` over one LiveKit client. Every method may be repeated safely; each answers within `within` seconds."""

    def __init__(self, client: api.LiveKitAPI, requests: Requests, timeouts: RoomTimeouts, within: float = WITHIN) -> None:
        self._rooms = client.room
        self._ask = requests
        self._timeouts = timeouts
        self._within = within

    async def create_room(self, name: str, *, max_participants: int, empty_timeout: int | None = None) -> Room:
        """The room of that name, opened if it is not; a live one keeps its settings."""
        request = create_request(name, self._timeouts.of(empty_timeout), max_participants)
        return protocol.room(await self._ask("rooms.create_room", lambda: self._rooms.create_room(request), within=self._within))

    async def delete_room(self, name: str) -> None:
        """Everybody out, room gone; an absent one is no error.

        A room whose node crashed stays in LiveKit's Redis for ever and nobody answers for it: opening it anew gives it to a
        living node, which can delete it.
        """
        try:
            await self._delete(name)
        except MediaUnanswered:
            reclaim = api.CreateRoomRequest(name=name)
            await self._ask("rooms.reclaim_room", lambda: self._rooms.create_room(reclaim), within=self._within)
            await self._delete(name)

    async def list_rooms(self, names: Sequence[str]) -> list[Room]:
        """Those of the named rooms that are live; no name, no question (LiveKit would answer with every room)."""
        if not names:
            return []
        request = api.ListRoomsRequest(names=list(names))
        reply = await self._ask("rooms.list_rooms", lambda: self._rooms.list_rooms(request), within=self._within)
        return [protocol.room(message) for message in reply.rooms]

    async def all_rooms(self) -> list[LiveRoom]:
        """All that are live, with their counts."""
        reply = await self._ask("rooms.all_rooms", lambda: self._rooms.list_rooms(api.ListRoomsRequest()), within=self._within)
        return [protocol.live_room(message) for message in reply.rooms]

    async def list_participants(self, room: str, *, ingresses: bool = False) -> list[RoomParticipant]:
        """The people and viewers in a room, in no order; egress and agents are neither, and ingresses only where they are asked for."""
        request = api.ListParticipantsRequest(room=room)
        reply = await self._ask("rooms.list_participants", lambda: self._rooms.list_participants(request), within=self._within)
        return [protocol.participant(message) for message in reply.participants if protocol.is_listed(message, ingresses=ingresses)]

    async def remove_participant(self, room: str, identity: str) -> bool:
        """Disconnects one person, and who joined as `<identity>#…` with the person's token (LiveKit's `publish` parameter).

        LiveKit lets the same token in again, so whoever blocks must watch for that.
        """
        removed = await self.remove_exactly(room, identity)
        seconds = [one.identity for one in await self.list_participants(room) if one.identity.startswith(f"{identity}#")]
        return any([removed, *[await self.remove_exactly(room, second) for second in seconds]])

    async def remove_exactly(self, room: str, identity: str) -> bool:
        """Exactly this participant, by one request."""
        request = api.RoomParticipantIdentity(room=room, identity=identity)
        try:
            await self._ask("rooms.remove_participant", lambda: self._rooms.remove_participant(request), within=self._within)
        except MediaAbsent:
            return False
        return True

    async def mute_track(self, room: str, identity: str, track_sid: str) -> bool:
        """Mutes one published track. LiveKit answers an unknown track with an empty reply, an unknown person not at all."""
        request = api.MuteRoomTrackRequest(room=room, identity=identity, track_sid=track_sid, muted=True)
        try:
            reply = await self._ask("rooms.mute_track", lambda: self._rooms.mute_published_track(request), within=self._within)
        except MediaAbsent:
            return False
        except MediaUnanswered:
            if await self._is_present(room, identity):
                raise
            return False
        return reply.track.sid == track_sid

    async def set_grant(self, room: str, identity: str, grant: Grant) -> bool:
        """Replaces a present person's rights; tracks of sources no longer allowed are unpublished by LiveKit."""
        request = api.UpdateParticipantRequest(room=room, identity=identity, permission=protocol.permission(grant))
        try:
            await self._ask("rooms.set_grant", lambda: self._rooms.update_participant(request), within=self._within)
        except MediaAbsent:
            return False
        return True

    async def _delete(self, name: str) -> None:
        request = api.DeleteRoomRequest(room=name)
        try:
            await self._ask("rooms.delete_room", lambda: self._rooms.delete_room(request), within=self._within)
        except MediaAbsent:
            return

    async def _is_present(self, room: str, identity: str) -> bool:
        request = api.RoomParticipantIdentity(room=room, identity=identity)
        try:
            await self._ask("rooms.get_participant", lambda: self._rooms.get_participant(request), within=self._within)
        except MediaAbsent:
            return False
        return True
