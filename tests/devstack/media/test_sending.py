"""Sending on by RTMP: each address has a fate of its own, none shows its key, and none stops what is recorded."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from livekit import api

from app.livekit.egress.gateway import LiveKitRecorder
from app.livekit.egress.requests import Bucket
from app.livekit.ingress.gateway import LiveKitIngests
from app.livekit.requests import Requests
from devstack import ingest, media
from devstack.ingest.rtmp import Tag
from devstack.ingest.rtmp.flv import VIDEO
from devstack.livekit_server import LiveKitServer
from devstack.media import MediaWorker
from devstack.ports import free_port
from devstack.store import StorageAddress
from domain.ports import IngressWanted, MediaError, MediaRefused
from domain.recording_ports import CompositeWanted, EgressWanted
from domain.recordings.names import new_prefix
from domain.streams.destinations.matching import place_of, report_at
from tests.devstack.media.receiving import KEY, SHOWN, platform
from tests.devstack.media.scene import Scene
from tests.support.encoder import sending
from tests.support.recording_servers import BUCKET
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio
RED = (255, 0, 0)
SMALL = api.EncodingOptions(width=320, height=180, framerate=10, video_bitrate=400)


@pytest.fixture(scope="module")
def worker(
    livekit: LiveKitServer, redis: str, own_storage: StorageAddress, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MediaWorker]:
    """One for all, without encoders."""
    log = tmp_path_factory.mktemp("worker") / "worker.log"
    started = media.start(livekit=livekit, redis=redis, storage=own_storage, log=log, blank=True)
    yield started
    started.stop()


def dead_address() -> str:
    return f"rtmp://127.0.0.1:{free_port()}/app/{KEY}"


def to(*urls: str) -> api.StreamOutput:
    return api.StreamOutput(protocol=api.StreamProtocol.RTMP, urls=urls)


async def results(scene: Scene, egress_id: str) -> list[tuple[str, str]]:
    """Each address as the record shows it, and its status."""
    (info,) = (await scene.egress.list_egress(api.ListEgressRequest(egress_id=egress_id))).items
    return [(one.url, api.StreamInfo.Status.Name(one.status)) for one in info.stream_results]


async def become(scene: Scene, egress_id: str, expected: list[tuple[str, str]]) -> None:
    found = list[tuple[str, str]]()

    async def so() -> bool:
        found[:] = await results(scene, egress_id)
        return found == expected

    try:
        await eventually(so, seconds=30)
    except AssertionError as error:
        error.add_note(f"it is {found}")
        raise


async def update(scene: Scene, egress_id: str, **urls: Any) -> Any:
    return await scene.egress.update_stream(api.UpdateStreamRequest(egress_id=egress_id, **urls))


async def test_a_dead_address_stops_neither_the_others_nor_the_recording(scene: Scene, worker: MediaWorker) -> None:
    await scene.sings("alice")
    async with platform() as youtube:
        dead = dead_address()
        egress_id = (await scene.record(stream_outputs=[to(dead, youtube.url)])).egress_id
        await scene.told.saw(egress_id, "EGRESS_ACTIVE")
        await become(scene, egress_id, [(dead.replace(KEY, SHOWN), "FAILED"), (youtube.shown, "ACTIVE")])
        await scene.stop(egress_id)
        record = await scene.told.ended(egress_id)
    assert record["status"] == "EGRESS_COMPLETE" and int(record["segmentResults"][0]["segmentCount"]) > 0
    assert [one["status"] for one in record["streamResults"]] == ["FAILED", "FINISHED"]
    assert KEY not in str(scene.told.events)


async def test_addresses_come_and_go_while_it_runs(scene: Scene, worker: MediaWorker) -> None:
    await scene.sings("alice")
    async with platform() as youtube, platform() as twitch:
        egress_id = (await scene.record(stream_outputs=[to()])).egress_id
        await scene.told.saw(egress_id, "EGRESS_ACTIVE")
        assert await results(scene, egress_id) == []
        await update(scene, egress_id, add_output_urls=[youtube.url])
        await update(scene, egress_id, add_output_urls=[twitch.url, youtube.url])
        await become(scene, egress_id, [(youtube.shown, "ACTIVE"), (twitch.shown, "ACTIVE")])
        await update(scene, egress_id, remove_output_urls=[youtube.url])
        await become(scene, egress_id, [(youtube.shown, "FINISHED"), (twitch.shown, "ACTIVE")])
        with pytest.raises(api.TwirpError) as refused:
            await update(scene, egress_id, remove_output_urls=[youtube.url])
        assert refused.value.code == "not_found"
        await update(scene, egress_id, add_output_urls=[youtube.url])
        await become(scene, egress_id, [(youtube.shown, "FINISHED"), (twitch.shown, "ACTIVE"), (youtube.shown, "ACTIVE")])
        await scene.stop(egress_id)
        await scene.told.ended(egress_id)


async def test_without_a_stream_output_there_is_none_to_change(scene: Scene, worker: MediaWorker) -> None:
    await scene.sings("alice")
    egress_id = (await scene.record()).egress_id
    await scene.told.saw(egress_id, "EGRESS_ACTIVE")
    with pytest.raises(api.TwirpError) as refused:
        await update(scene, egress_id, add_output_urls=[dead_address()])
    assert refused.value.code == "invalid_argument"
    assert await results(scene, egress_id) == []
    await scene.stop(egress_id)


async def test_who_only_sends_and_can_t_has_failed(scene: Scene, worker: MediaWorker) -> None:
    await scene.sings("alice")
    egress_id = (await scene.record(segment_outputs=[], stream_outputs=[to(dead_address())])).egress_id
    record = await scene.told.ended(egress_id)
    assert (record["status"], record["errorCode"]) == ("EGRESS_FAILED", 503)


async def test_who_only_sends_ends_with_its_last_address(scene: Scene, worker: MediaWorker) -> None:
    await scene.sings("alice")
    async with platform() as youtube:
        egress_id = (await scene.record(segment_outputs=[], stream_outputs=[to(youtube.url)])).egress_id
        await scene.told.saw(egress_id, "EGRESS_ACTIVE")
        await update(scene, egress_id, remove_output_urls=[youtube.url])
        record = await scene.told.ended(egress_id)
    assert (record["status"], record["details"]) == ("EGRESS_COMPLETE", "End reason: All streams stopped")


async def test_the_services_own_recorder_finds_its_addresses_in_the_record(scene: Scene, worker: MediaWorker) -> None:
    await scene.sings("alice")
    recorder = LiveKitRecorder(scene.client, Requests(), Bucket(BUCKET), {})
    wanted = EgressWanted(scene.room_name, new_prefix(uuid4(), uuid4()), CompositeWanted("grid-dark", (1280, 720)), sends_on=True)
    egress_id = (await recorder.start(wanted)).id
    await scene.told.saw(egress_id, "EGRESS_ACTIVE")
    async with platform() as youtube, platform() as twitch:
        assert place_of((await recorder.add_output(egress_id, youtube.url)).outputs, KEY, ()) == 0
        record = await recorder.add_output(egress_id, twitch.url)
        assert place_of(record.outputs, KEY, {0}) == 1, "the same key, and another host"
        for _ in range(2):
            await recorder.remove_output(egress_id, youtube.url)
        found = await recorder.find(egress_id)
        assert found is not None
        assert [one.status for one in found.outputs] == ["finished", "active"]
        assert all(report_at(found.outputs, place, KEY) is not None for place in (0, 1)) and KEY not in str(found)
    await recorder.stop(egress_id)
    await scene.told.ended(egress_id)
    with pytest.raises(MediaError):
        await recorder.add_output(egress_id, youtube.url)
    await recorder.remove_output(egress_id, twitch.url)


async def test_the_services_own_recorder_hears_that_an_egress_takes_no_address(scene: Scene, worker: MediaWorker) -> None:
    await scene.sings("alice")
    recorder = LiveKitRecorder(scene.client, Requests(), Bucket(BUCKET), {})
    egress_id = (await scene.record()).egress_id
    await scene.told.saw(egress_id, "EGRESS_ACTIVE")
    with pytest.raises(MediaRefused) as refused:
        await recorder.add_output(egress_id, dead_address())
    assert KEY not in str(refused.value)
    await scene.stop(egress_id)


def begins_with_a_key_frame(tags: list[Tag]) -> bool:
    first = next(tag for tag in tags if tag.kind == VIDEO and tag.media)
    return first.body[0] >> 4 == 1 and first.stamp < 100


async def test_what_an_encoder_sends_arrives_where_it_is_sent_on_to(
    scene: Scene, worker: MediaWorker, livekit: LiveKitServer, redis: str, tmp_path: Path
) -> None:
    """All the way by RTMP: an encoder, the room, a composite, and two platforms, of which one is added while it runs and one hangs up."""
    worker.turn(accepts=False)
    encoders = ingest.start(livekit=livekit, redis=redis, log=tmp_path / "ingest.log")
    encoding = media.start(livekit=livekit, redis=redis, storage=None, log=tmp_path / "worker.log")
    try:
        way_in = await LiveKitIngests(scene.client, Requests(), "https://own.example.org").create(
            IngressWanted(uuid4(), "rtmp", scene.room_name, "ingress:alice", "Alice")
        )
        async with sending(way_in.url, way_in.stream_key, "color=red:size=160x90:rate=10"), platform() as first, platform() as second:
            await scene.told.heard(way_in.id, "ingress_started")
            wanted = {"segment_outputs": [], "stream_outputs": [to(first.url)], "advanced": SMALL}
            egress_id = (await scene.record(**wanted)).egress_id
            await scene.told.saw(egress_id, "EGRESS_ACTIVE")
            await eventually(lambda: _came(first.tags, 1.2))
            await update(scene, egress_id, add_output_urls=[second.url])
            await eventually(lambda: _came(second.tags, 1.2))
            first.hang_up[0]()
            await become(scene, egress_id, [(first.shown, "FAILED"), (second.shown, "ACTIVE")])
            await eventually(lambda: _came(second.tags, 2.5))
            await scene.stop(egress_id)
            record = await scene.told.ended(egress_id)
        assert record["status"] == "EGRESS_COMPLETE" and KEY not in str(scene.told.events)
    finally:
        encoding.stop()
        encoders.stop()
        worker.turn(accepts=True)
    for one in (first, second):
        seen = one.watched()
        assert sorted(seen.codecs) == ["aac", "h264"] and begins_with_a_key_frame(one.tags)
        assert seen.share(RED) > 0.95 and 440 in seen.tones(1)


async def _came(tags: list[Tag], seconds: float) -> bool:
    return bool(tags) and max(tag.stamp for tag in tags) >= seconds * 1000
