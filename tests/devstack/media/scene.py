"""A room, people in it, and requests to record them."""

import asyncio
import contextlib
from typing import Any

from livekit import api, rtc

from devstack.livekit_server import LiveKitServer
from tests.devstack.media.told import Told
from tests.livekit.targets import RealPerson, fresh_room, token


class Scene:
    """`egress` is LiveKit's API for recordings, `told` what its webhooks say."""

    def __init__(self, livekit: LiveKitServer, client: api.LiveKitAPI, told: Told) -> None:
        self.room_name, self.told = fresh_room(), told
        self._livekit, self.client = livekit, client
        self._people: list[RealPerson] = []

    @property
    def egress(self) -> Any:
        return self.client.egress

    async def join(self, identity: str) -> RealPerson:
        room = rtc.Room()
        await room.connect(self._livekit.ws_url, token(self.room_name, identity))
        person = RealPerson(room, asyncio.get_running_loop().create_future())
        self._people.append(person)
        return person

    async def sings(self, identity: str) -> RealPerson:
        """Somebody with a microphone, which stays silent."""
        person = await self.join(identity)
        await person.publish("microphone", "microphone")
        return person

    async def record(self, **differently: Any) -> Any:
        """A room composite with segments of one second, asked for as the product does."""
        segments = api.SegmentedFileOutput(filename_prefix=f"{self.room_name}/s", playlist_name="all.m3u8", segment_duration=1)
        wanted = {"room_name": self.room_name, "layout": "grid", "segment_outputs": [segments]} | differently
        return await self.egress.start_room_composite_egress(api.RoomCompositeEgressRequest(**wanted))

    async def stop(self, egress_id: str) -> Any:
        return await self.egress.stop_egress(api.StopEgressRequest(egress_id=egress_id))

    async def status(self, egress_id: str) -> str:
        """What the record says."""
        (info,) = (await self.egress.list_egress(api.ListEgressRequest(egress_id=egress_id))).items
        return str(api.EgressStatus.Name(info.status))

    async def participants(self) -> list[str]:
        """Who is connected, as the server knows it, hidden ones too."""
        found = await self.client.room.list_participants(api.ListParticipantsRequest(room=self.room_name))
        return [one.identity for one in found.participants if one.state == api.ParticipantInfo.ACTIVE]

    async def close_room(self) -> None:
        await self.client.room.delete_room(api.DeleteRoomRequest(room=self.room_name))

    async def over(self) -> None:
        for person in self._people:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(5):
                    await person.room.disconnect()
