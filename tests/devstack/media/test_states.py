"""Each status that an egress can end in, as livekit-server tells it."""

import asyncio
import time
from typing import Any

import pytest
from livekit import api

from devstack import media
from devstack.livekit_server import LiveKitServer
from devstack.media import MediaWorker
from devstack.store import StorageAddress
from tests.devstack.media.scene import Scene
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio


def keys(s3: Any, scene: Scene) -> list[str]:
    listed = s3.list_objects_v2(Bucket="recordings", Prefix=f"{scene.room_name}/").get("Contents", [])
    return [found["Key"].removeprefix(f"{scene.room_name}/") for found in listed]


async def active(scene: Scene, **differently: Any) -> str:
    """The id of an egress that is being written."""
    egress_id: str = (await scene.record(**differently)).egress_id
    await scene.told.saw(egress_id, "EGRESS_ACTIVE")
    return egress_id


async def test_stopped_by_request(scene: Scene, worker: MediaWorker, s3: Any) -> None:
    alice = await scene.sings("alice")
    file = api.EncodedFileOutput(filepath=f"{scene.room_name}/whole.mp4")
    image = api.ImageOutput(filename_prefix=f"{scene.room_name}/i", capture_interval=1)
    before = time.time_ns()
    began = await scene.record(file_outputs=[file], image_outputs=[image])
    assert began.status == api.EgressStatus.EGRESS_STARTING
    await scene.told.saw(began.egress_id, "EGRESS_ACTIVE")
    assert not alice.room.remote_participants
    await eventually(lambda: _has(s3, scene, "s_00001.ts"))
    playing = s3.get_object(Bucket="recordings", Key=f"{scene.room_name}/all.m3u8")["Body"].read().decode()
    assert "#EXT-X-ENDLIST" not in playing

    assert (await scene.stop(began.egress_id)).status == api.EgressStatus.EGRESS_ENDING
    record = await scene.told.ended(began.egress_id)
    assert scene.told.of(began.egress_id) == [
        ("egress_started", "EGRESS_STARTING"),
        ("egress_updated", "EGRESS_ACTIVE"),
        ("egress_updated", "EGRESS_ENDING"),
        ("egress_ended", "EGRESS_COMPLETE"),
    ]
    assert record["details"] == "End reason: StopEgress API"
    assert before < int(record["startedAt"]) < int(record["endedAt"]) < time.time_ns()
    assert record["segmentResults"][0]["playlistName"] == f"{scene.room_name}/all.m3u8"
    assert int(record["fileResults"][0]["size"]) > 0
    there = keys(s3, scene)
    segments, stills = int(record["segmentResults"][0]["segmentCount"]), int(record["imageResults"][0]["imageCount"])
    assert [key for key in there if key.endswith(".ts")] == [f"s_{number:05d}.ts" for number in range(segments)]
    assert [key for key in there if key.endswith(".jpeg")] == [f"i_{number:05d}.jpeg" for number in range(stills)]
    assert {"all.m3u8", "whole.mp4", f"{began.egress_id}.json"} <= set(there)
    ended = s3.get_object(Bucket="recordings", Key=f"{scene.room_name}/all.m3u8")
    assert (ended["ContentType"], ended["Body"].read().decode().splitlines()[-1]) == ("application/x-mpegurl", "#EXT-X-ENDLIST")
    with pytest.raises(api.TwirpError) as refused:
        await scene.stop(began.egress_id)
    assert refused.value.code == "failed_precondition"


async def _has(s3: Any, scene: Scene, key: str) -> bool:
    return key in keys(s3, scene)


async def test_the_room_closes(scene: Scene, worker: MediaWorker) -> None:
    await scene.sings("alice")
    egress_id = await active(scene)
    await scene.close_room()
    record = await scene.told.ended(egress_id)
    assert (record["status"], record["details"]) == ("EGRESS_COMPLETE", "End reason: Source closed")


async def test_the_limit_is_reached(scene: Scene, worker: MediaWorker, s3: Any) -> None:
    await scene.sings("alice")
    worker.turn(session_limit=4)
    egress_id = (await scene.record()).egress_id
    record = await scene.told.ended(egress_id)
    assert (record["status"], record["error"], record["errorCode"]) == ("EGRESS_LIMIT_REACHED", "Session limit reached", 413)
    assert "EGRESS_ENDING" not in [status for _, status in scene.told.of(egress_id)]
    assert "all.m3u8" in keys(s3, scene)


async def test_nobody_publishes_and_the_room_closes(scene: Scene, worker: MediaWorker, s3: Any) -> None:
    await scene.join("alice")
    egress_id = (await scene.record()).egress_id

    async def waits_in_the_room() -> bool:
        return egress_id in await scene.participants()

    await eventually(waits_in_the_room)
    await scene.close_room()
    record = await scene.told.ended(egress_id)
    assert (record["status"], record["error"], record["errorCode"]) == ("EGRESS_ABORTED", "Start signal not received", 412)
    assert keys(s3, scene) == []


async def test_stopped_before_it_began(scene: Scene, worker: MediaWorker, s3: Any) -> None:
    await scene.sings("alice")
    worker.turn(start_delay=60)
    egress_id = (await scene.record()).egress_id
    assert (await scene.stop(egress_id)).status == api.EgressStatus.EGRESS_ABORTED
    record = await scene.told.ended(egress_id)
    assert (record["status"], record["error"]) == ("EGRESS_ABORTED", "Stop called before pipeline could start")
    assert keys(s3, scene) == []


async def test_uploads_are_refused(scene: Scene, worker: MediaWorker) -> None:
    await scene.sings("alice")
    egress_id = await active(scene)
    worker.turn(refuse_uploads=True)
    record = await scene.told.ended(egress_id)
    assert (record["status"], record["errorCode"]) == ("EGRESS_FAILED", 400)
    assert record["error"].startswith("S3 upload failed")


async def test_whom_it_should_record_is_not_there(scene: Scene, worker: MediaWorker) -> None:
    worker.turn(lookup_timeout=0.5)
    await scene.sings("alice")
    output = api.EncodedFileOutput(filepath=f"{scene.room_name}/bob.mp4")
    person = api.ParticipantEgressRequest(room_name=scene.room_name, identity="bob", file_outputs=[output])
    record = await scene.told.ended((await scene.egress.start_participant_egress(person)).egress_id)
    assert (record["status"], record["errorCode"], record["error"]) == ("EGRESS_FAILED", 404, "participant bob not found")


async def test_one_track_until_it_is_unpublished(scene: Scene, worker: MediaWorker, s3: Any) -> None:
    alice = await scene.sings("alice")
    track = await alice.publish("screen_share", "screen")
    output = api.SegmentedFileOutput(filename_prefix=f"{scene.room_name}/t", playlist_name="t", segment_duration=1)
    request = api.TrackCompositeEgressRequest(room_name=scene.room_name, video_track_id=track, segment_outputs=[output])
    egress_id = (await scene.egress.start_track_composite_egress(request)).egress_id
    await scene.told.saw(egress_id, "EGRESS_ACTIVE")
    await alice.unpublish(track)
    record = await scene.told.ended(egress_id)
    assert (record["status"], record["details"]) == ("EGRESS_COMPLETE", "End reason: Source closed")
    assert "t.m3u8" in keys(s3, scene)


async def test_a_killed_worker_leaves_a_record_that_stays_active(
    scene: Scene, worker: MediaWorker, livekit: LiveKitServer, redis: str, own_storage: StorageAddress, tmp_path: Any
) -> None:
    await scene.sings("alice")
    egress_id = await active(scene)
    worker.kill()
    with pytest.raises(api.TwirpError) as silent:
        await scene.stop(egress_id)
    assert silent.value.code in ("deadline_exceeded", "unavailable")

    following = media.start(livekit=livekit, redis=redis, storage=own_storage, log=tmp_path / "next.log", blank=True)
    try:
        another = await active(scene)
        assert following.running == [another]
        assert await scene.status(egress_id) == "EGRESS_ACTIVE"
        assert not any(event == "egress_ended" for event, _ in scene.told.of(egress_id))
    finally:
        following.stop()


async def test_a_full_worker_takes_no_more(scene: Scene, worker: MediaWorker) -> None:
    worker.turn(accepts=False)
    await scene.sings("alice")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await scene.record()
    assert worker.running == []
