"""livekit-client in Chromium watches a stream on a real livekit-server, without a name: it sees the host, and is out with the right."""

import asyncio

import pytest
from livekit import api, rtc
from playwright.async_api import Page

from devstack.livekit_server import LiveKitServer
from tests.clients.players.pictures import shows
from tests.devstack.media.performer import Performer
from tests.livekit.targets import KEY, SECRET, RealPerson
from tests.playback.broadcast import broadcast
from tests.recordings.moments import COLOURS
from tests.support.domain_setup import ALICE, Setup
from tests.support.whole_service import whole_service

pytestmark = pytest.mark.anyio
WATCH = """async ([address, token]) => {
  const room = new LivekitClient.Room()
  room.on('trackSubscribed', track => { if (track.kind === 'video') track.attach(document.querySelector('video')) })
  room.on('disconnected', reason => { window.over = LivekitClient.DisconnectReason[reason] })
  await room.connect(address, token)
  window.room = room
}"""
MAY = "() => ['canPublish', 'canPublishData', 'canSubscribe'].map(name => room.localParticipant.permissions[name])"
NARROW = 'mutation ($id: uuid!) { update_nchat_streams_by_pk(pk_columns: {id: $id}, _set: {visibility: "channel_members"}) { id } }'


async def host(address: str, token: str) -> Performer:
    """Who sends a red picture."""
    room = rtc.Room()
    await room.connect(address, token)
    performer = Performer(RealPerson(room, asyncio.get_running_loop().create_future()), 440, COLOURS["red"])
    await performer.begin()
    return performer


async def test_a_viewer_sees_the_host_until_the_right_is_lost(on: Setup, livekit: LiveKitServer, page: Page) -> None:
    stream_id = (await broadcast(on, on.store)).stream
    async with api.LiveKitAPI(livekit.url, KEY, SECRET) as rooms:
        name = await on.database.fetchval("SELECT room_name FROM nchat_streams")
        made = await rooms.room.create_room(api.CreateRoomRequest(name=name))
        await on.database.execute("UPDATE nchat_streams SET room_sid = $1", made.sid)
    async with whole_service(on.url, livekit.url, livekit_public_url=livekit.ws_url) as service:
        alice = service.person(ALICE)
        let_in = await alice.act("refreshStreamToken", "token serverUrl", streamId=str(stream_id))
        performer = await host(let_in["serverUrl"], let_in["token"])
        joined = await service.nobody().act("joinStream", "token serverUrl", streamId=str(stream_id), webrtc=True)
        await page.evaluate(WATCH, [joined["serverUrl"], joined["token"]])
        await shows(page, "red")
        assert await page.evaluate("() => [...room.remoteParticipants.values()].map(one => one.identity)") == [str(ALICE)]
        assert performer.person.room.remote_participants == {}, "who watches is seen by nobody"
        assert await page.evaluate(MAY) == [False, False, True]
        await alice.data(NARROW, {"id": str(stream_id)})
        await page.wait_for_function("() => window.over === 'PARTICIPANT_REMOVED'")
        await performer.end()
