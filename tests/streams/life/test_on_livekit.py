"""A stream on the real servers: livekit-server hands it to a worker, which writes to a store, and the service's own jobs do the rest."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from uuid import UUID

import asyncpg
import pytest
from livekit import api, rtc
from starlette.applications import Starlette

from app.adapters.clock import SystemClock
from app.adapters.host_names import SystemHostNames
from app.jobs import start_jobs
from app.livekit.egress.gateway import LiveKitRecorder
from app.livekit.egress.requests import Bucket
from app.livekit.join_tokens import LiveKitJoinTokens
from app.livekit.requests import Requests
from app.livekit.room_gateway import LiveKitRooms, open_client
from app.livekit.room_settings import RoomTimeouts
from app.livekit.webhook_endpoint import LiveKitWebhooks
from app.livekit.webhook_signature import WebhookSignatures
from app.storage.s3_store import S3Store
from devstack.livekit_server import LiveKitServer
from devstack.ports import free_port
from domain.recordings.names import playlist_key
from domain.recordings.playlists import segments_of
from domain.streams.actions.start import start_new_stream
from domain.streams.actions.stop import stop_stream
from domain.streams.actions.token import refresh_stream_token
from domain.streams.destinations.adding import add_stream_destination
from domain.streams.destinations.changing import remove_stream_destination
from domain.streams.destinations.checking import OutputWanted, Platform
from domain.streams.destinations.status import REFUSED
from domain.streams.planning import StreamPlan
from domain.webhooks import inbox
from domain.world import World
from tests.devstack.media.receiving import KEY as STREAM_KEY
from tests.devstack.media.receiving import platform
from tests.livekit.serving import serving
from tests.livekit.targets import KEY, SECRET
from tests.recordings import conftest as servers
from tests.support.domain_setup import ALICE, GENERAL, Setup, session
from tests.support.recording_servers import BUCKET
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio
# The servers of the tests of recordings.
recorder_port, recorder_redis, recording_livekit = servers.recorder_port, servers.recorder_redis, servers.recording_livekit
bucket, workers, own_store = servers.bucket, servers.workers, servers.own_store


@dataclass(slots=True)
class LiveStage:
    """A world on the real servers, whose jobs run."""

    on: Setup
    world: World
    livekit: LiveKitServer
    clients: list[rtc.Room] = field(default_factory=list)

    async def send(self, token: str) -> rtc.Room:
        """Somebody connects with this token and sends a picture."""
        client = rtc.Room()
        await client.connect(self.livekit.ws_url, token)
        self.clients.append(client)
        track = rtc.LocalVideoTrack.create_video_track("camera", rtc.VideoSource(320, 180))
        await client.local_participant.publish_track(track, rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_CAMERA))
        return client

    async def becomes(self, stream_id: UUID, status: str, *, seconds: float = 30) -> None:
        await self.says("SELECT status::text = $2 FROM nchat_streams WHERE id = $1", stream_id, status, seconds=seconds)

    async def says(self, asked: str, *values: object, seconds: float = 15) -> None:
        """The database comes to say so."""

        async def so() -> bool:
            return bool(await self.on.database.fetchval(asked, *values))

        await eventually(so, seconds=seconds)


@pytest.fixture
async def stage(on: Setup, recording_livekit: LiveKitServer, recorder_port: int, own_store: S3Store) -> AsyncIterator[LiveStage]:
    async with AsyncExitStack() as stack:
        clock, requests = SystemClock(), Requests()
        client = await stack.enter_async_context(open_client(recording_livekit.url, KEY, SECRET))
        world = replace(
            on.world,
            rooms=LiveKitRooms(client, requests, RoomTimeouts()),
            clock=clock,
            tokens=LiveKitJoinTokens(KEY, SECRET, ttl=600, clock=clock),
            recorder=LiveKitRecorder(client, requests, Bucket(BUCKET), {}),
            ingests=None,
            host_names=SystemHostNames(),
            limits=replace(on.world.limits, sends_to_loopback=True),
            store=own_store,
        )
        jobs = await start_jobs(world, await stack.enter_async_context(asyncpg.create_pool(on.url, min_size=1, max_size=2)))
        stack.push_async_callback(jobs.stop)

        async def receive(event: inbox.WebhookEvent) -> bool:
            return await inbox.store(world, event)

        endpoint = LiveKitWebhooks(WebhookSignatures({KEY: SECRET}), receive, jobs.wake)
        await stack.enter_async_context(serving(Starlette(routes=[endpoint.route()]), recorder_port))
        ready = LiveStage(on, world, recording_livekit)
        yield ready
        await asyncio.gather(*(one.disconnect() for one in ready.clients))


async def test_a_stream_is_live_when_it_can_be_watched(stage: LiveStage, workers: servers.Workers, own_store: S3Store) -> None:
    workers()
    started = await start_new_stream(stage.world, session(ALICE), StreamPlan(GENERAL, "Friday", record=True))
    assert started.ticket is not None
    host = await stage.send(started.ticket.token)
    await stage.becomes(started.stream_id, "live")
    part = await stage.on.database.fetchrow("SELECT part.* FROM nchat_call_recording_parts AS part")
    assert part is not None
    playlist = await own_store.read(playlist_key(part["path_prefix"]))
    assert playlist is not None and segments_of(playlist), "live, and nothing to watch"

    await host.disconnect()
    await stage.says("SELECT host_gone_since IS NOT NULL FROM nchat_streams WHERE id = $1", started.stream_id)
    await stage.send((await refresh_stream_token(stage.world, session(ALICE), started.stream_id)).token)
    await stage.says("SELECT host_gone_since IS NULL AND status = 'live' FROM nchat_streams WHERE id = $1", started.stream_id)

    await stop_stream(stage.world, session(ALICE), started.stream_id)
    await stage.becomes(started.stream_id, "ended")
    row = await stage.on.database.fetchrow("SELECT status::text, file_path, duration FROM nchat_call_recordings")
    assert row is not None and row["status"] == "ready" and row["duration"] > 0 and row["file_path"] is not None
    await stage.says("SELECT room_closed_at IS NOT NULL FROM nchat_streams WHERE id = $1", started.stream_id)
    async with api.LiveKitAPI(stage.livekit.url, KEY, SECRET) as livekit:
        assert list((await livekit.room.list_rooms(api.ListRoomsRequest(names=[started.room_name]))).rooms) == []


DESTINATION = "SELECT status::text = $2 AND error_message IS NOT DISTINCT FROM $3 FROM nchat_stream_destinations WHERE platform::text = $1"


async def test_a_live_stream_is_sent_where_its_host_says(stage: LiveStage, workers: servers.Workers) -> None:
    """To one from its start, to another that comes and goes while it is live, and to one that is not there: each has a fate of its own."""
    workers()
    async with platform() as first, platform() as second:
        started = await start_new_stream(stage.world, session(ALICE), StreamPlan(GENERAL, "Friday"), outputs=[_to("youtube", first.port)])
        assert started.ticket is not None
        await stage.send(started.ticket.token)
        await stage.says(DESTINATION, "youtube", "connecting", None, seconds=30)
        added = await add_stream_destination(stage.world, session(ALICE), started.stream_id, _to("twitch", second.port))
        await add_stream_destination(stage.world, session(ALICE), started.stream_id, _to("custom", free_port()))
        await stage.says(DESTINATION, "custom", "error", REFUSED)
        await stage.says(DESTINATION, "youtube", "connected", None)
        await remove_stream_destination(stage.world, session(ALICE), added.destination_id)
        await eventually(lambda: _record_says(stage, ["active", "finished", "failed"]), seconds=30)
        await stage.becomes(started.stream_id, "live")
        await stop_stream(stage.world, session(ALICE), started.stream_id)
        await stage.becomes(started.stream_id, "ended")
        await stage.says(DESTINATION, "youtube", "disconnected", None)
        await stage.says("SELECT count(*) = 0 FROM nchat_stream_outputs")


def _to(name: Platform, port: int) -> OutputWanted:
    return OutputWanted(name, f"rtmp://127.0.0.1:{port}/app", STREAM_KEY)


async def _record_says(stage: LiveStage, statuses: list[str]) -> bool:
    assert stage.world.recorder is not None
    (record,) = await stage.world.recorder.of_room(
        await stage.on.database.fetchval("SELECT room_name FROM nchat_streams ORDER BY created_at DESC LIMIT 1")
    )
    return [one.status for one in record.outputs] == statuses
