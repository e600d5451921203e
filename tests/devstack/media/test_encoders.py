"""Encoders before the real livekit-server, asked for as the product asks: who is let in, what the room gets, how they are cut off."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import httpx2
import pytest
from livekit import api

from app.livekit.ingress.gateway import LiveKitIngests
from app.livekit.requests import Requests
from app.livekit.room_gateway import open_client
from devstack import ingest
from devstack.ingest import IngestWorker
from devstack.livekit_server import LiveKitServer
from domain.ports import IngressState, IngressWanted, NewIngress
from domain.streams.actions.start import start_stream
from domain.streams.actions.stop import stop_stream
from domain.streams.ingress.reset import reset_stream_ingress
from domain.streams.ingress.rounds import look_at_ingresses
from tests.devstack.media.scene import Scene
from tests.livekit.targets import KEY, SECRET
from tests.support.domain_setup import ALICE, GENERAL, session, setup
from tests.support.encoder import SIZE, encoder, ended, sending
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def worker(livekit: LiveKitServer, redis: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[IngestWorker]:
    started = ingest.start(livekit=livekit, redis=redis, log=tmp_path_factory.mktemp("ingest") / "worker.log")
    yield started
    started.stop()


@pytest.fixture
async def ingests(livekit: LiveKitServer, anyio_backend: str) -> AsyncIterator[LiveKitIngests]:
    """Of a deployment of the test's own; what it made is gone in the end."""
    async with open_client(livekit.url, KEY, SECRET) as client:
        made = LiveKitIngests(client, Requests(), f"https://{uuid4()}.example.org")
        yield made
        for one in await made.ours():
            await made.delete(one.id)


async def way_in(ingests: LiveKitIngests, scene: Scene, ours: UUID | None = None) -> NewIngress:
    return await ingests.create(IngressWanted(ours or uuid4(), "rtmp", scene.room_name, "ingress:alice", "Alice"))


async def state(ingests: LiveKitIngests, ingress: NewIngress) -> IngressState:
    return next(one.state for one in await ingests.ours() if one.id == ingress.id)


async def refused(ingress: NewIngress, key: str) -> bool:
    return await ended(await encoder(ingress.url, key)) != 0


async def test_an_encoder_becomes_a_participant_with_sound_and_picture(
    scene: Scene, worker: IngestWorker, ingests: LiveKitIngests, livekit: LiveKitServer
) -> None:
    ours = uuid4()
    ingress = await way_in(ingests, scene, ours)
    assert livekit.ingress is not None and ingress.url == livekit.ingress.addresses()["rtmp_base_url"]
    (listed,) = await ingests.ours()
    assert (listed.id, listed.wanted, listed.room, listed.state.status) == (ingress.id, ours, scene.room_name, "inactive")
    worker.turn(report_seconds=0.6)
    try:
        async with sending(ingress.url, ingress.stream_key):
            started = await scene.told.heard(ingress.id, "ingress_started")
            assert (started["state"]["status"], started["streamKey"]) == ("ENDPOINT_PUBLISHING", ingress.stream_key)
            assert await ingests.present(scene.room_name) == {"ingress:alice"}

            async def seen_and_heard() -> bool:
                (who,) = (await scene.client.room.list_participants(api.ListParticipantsRequest(room=scene.room_name))).participants
                sources = {track.source for track in who.tracks}
                return who.name == "Alice" and sources == {api.TrackSource.CAMERA, api.TrackSource.MICROPHONE}

            await eventually(seen_and_heard)
            assert worker.running == [ingress.id]

            async def measured() -> bool:
                now = await state(ingests, ingress)
                return bool(
                    now.video_bitrate and now.fps and 5 < now.fps < 30 and now.audio_bitrate and 20_000 < now.audio_bitrate < 200_000
                )

            await eventually(measured)
            told = await state(ingests, ingress)
            assert (told.status, told.width, told.height) == ("publishing", *SIZE)
            worker.turn(throttle_kbps=24)

            async def throttled() -> bool:
                now = await state(ingests, ingress)
                return (now.video_bitrate or 0) + (now.audio_bitrate or 0) < 48_000 and (now.fps or 0) < 5

            await eventually(throttled)
    finally:
        worker.turn(report_seconds=60, throttle_kbps=0)
    await scene.told.heard(ingress.id, "ingress_ended")
    assert (await state(ingests, ingress)).status == "inactive"
    assert await ingests.present(scene.room_name) == frozenset() and worker.running == []


async def test_a_key_that_was_removed_is_cut_off_and_refused(scene: Scene, worker: IngestWorker, ingests: LiveKitIngests) -> None:
    ingress = await way_in(ingests, scene)
    async with sending(ingress.url, ingress.stream_key) as process:
        await scene.told.heard(ingress.id, "ingress_started")
        assert await refused(ingress, ingress.stream_key), "somebody publishes with it already"
        await ingests.delete(ingress.id)
        assert await ended(process) != 0
    assert await ingests.ours() == [] and worker.running == []
    assert await refused(ingress, ingress.stream_key)
    await ingests.delete(ingress.id)


async def test_who_is_not_let_in(scene: Scene, worker: IngestWorker, ingests: LiveKitIngests) -> None:
    ingress = await way_in(ingests, scene)
    assert await refused(ingress, "of-nobody")
    whip = await ingests.create(IngressWanted(uuid4(), "whip", scene.room_name, "ingress:bob", "Bob"))
    assert whip.url.startswith("http://") and await refused(ingress, whip.stream_key)
    worker.turn(accepts=False)
    try:
        assert await refused(ingress, ingress.stream_key)
    finally:
        worker.turn(accepts=True)
    assert worker.running == [] and scene.told.ingress == []


async def test_whip_asks_for_the_same_keys(scene: Scene, worker: IngestWorker, ingests: LiveKitIngests) -> None:
    """Up to livekit-server, which reads what a browser offers: this offers nothing."""
    rtmp = await way_in(ingests, scene)
    whip = await ingests.create(IngressWanted(uuid4(), "whip", scene.room_name, "ingress:bob", "Bob"))
    async with httpx2.AsyncClient() as http:
        statuses = [(await http.post(f"{whip.url}/{key}")).status_code for key in ("of-nobody", rtmp.stream_key, whip.stream_key)]
        bearer = await http.post(whip.url, headers={"Authorization": f"Bearer {whip.stream_key}"})
        assert [*statuses, bearer.status_code] == [404, 404, 400, 400]
        assert (await http.delete(f"{whip.url}/sessions/PA_nobody")).status_code == 404
    assert worker.running == []


async def test_a_host_resets_the_key_of_a_stream(scene: Scene, worker: IngestWorker, ingests: LiveKitIngests, database_url: str) -> None:
    """The product's own way: the old encoder is cut off and its key refused before the host has the new one."""
    async with setup(database_url) as on:
        world = replace(on.world, ingests=ingests)
        stream_id = await on.database.fetchval(
            "INSERT INTO nchat_streams (channel_id, host_id, title, status, room_name) VALUES ($1, $2, 'x', 'scheduled', $3) RETURNING id",
            GENERAL,
            ALICE,
            scene.room_name,
        )
        old = (await start_stream(world, session(ALICE), stream_id, "rtmp")).way_in
        assert old is not None
        # Between the two encoders somebody stays: an empty room of a scene closes after a second.
        await scene.join("viewer")
        async with sending(old.url, old.stream_key) as process:
            (listed,) = await ingests.ours()
            await scene.told.heard(listed.id, "ingress_started")
            await look_at_ingresses(world)
            assert await on.database.fetchval("SELECT video_width FROM nchat_stream_ingresses WHERE retired_at IS NULL") == SIZE[0]
            assert {f"ingress:{listed.wanted}"} == await ingests.present(scene.room_name)
            new = (await reset_stream_ingress(world, session(ALICE), stream_id)).way_in
            assert await ended(process) != 0
        assert await ended(await encoder(old.url, old.stream_key)) != 0
        async with sending(new.url, new.stream_key):
            other = next(one for one in await ingests.ours() if one.id != listed.id)
            await scene.told.heard(other.id, "ingress_started")
            await stop_stream(world, session(ALICE), stream_id)
            assert await ingests.ours() == [] and await ingests.present(scene.room_name) == frozenset()


async def test_a_killed_worker_says_nothing_and_its_key_can_be_removed(
    scene: Scene, worker: IngestWorker, ingests: LiveKitIngests, livekit: LiveKitServer, redis: str, tmp_path: Path
) -> None:
    """The last of this file: it needs the ports."""
    ingress = await way_in(ingests, scene)
    async with sending(ingress.url, ingress.stream_key) as process:
        await scene.told.heard(ingress.id, "ingress_started")
        worker.kill()
        assert await ended(process) != 0
    assert (await state(ingests, ingress)).status == "publishing"
    await ingests.delete(ingress.id)
    assert await ingests.ours() == []
