"""What is recorded is what was heard and seen: tones and colours of people who come and go, in each output."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from livekit import api

from devstack import media
from devstack.demo.watching import share, watch, watch_playlist
from devstack.livekit_server import LiveKitServer
from devstack.media import MediaWorker
from devstack.store import StorageAddress
from tests.devstack.media.performer import Performer
from tests.devstack.media.scene import Scene
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio

RED, BLUE = (255, 0, 0), (0, 0, 255)
SMALL = api.EncodingOptions(width=640, height=360, framerate=15, video_bitrate=800)


@pytest.fixture
def worker(livekit: LiveKitServer, redis: str, own_storage: StorageAddress, tmp_path: Path) -> Iterator[MediaWorker]:
    """One that encodes."""
    started = media.start(livekit=livekit, redis=redis, storage=own_storage, log=tmp_path / "worker.log")
    yield started
    started.stop()


async def performer(scene: Scene, identity: str, hertz: float, colour: tuple[int, int, int] | None = None) -> Performer:
    one = Performer(await scene.join(identity), hertz, colour)
    await one.begin()
    return one


async def segments(s3: Any, scene: Scene, number: int, *, more: bool = False) -> None:
    """Waits until so many segments of the scene are in the store, or so many more than now."""

    async def count() -> int:
        listed = await asyncio.to_thread(s3.list_objects_v2, Bucket="recordings", Prefix=f"{scene.room_name}/s_")
        return len(listed.get("Contents", []))

    wanted = number + (await count() if more else 0)

    async def enough() -> bool:
        return await count() >= wanted

    await eventually(enough, seconds=60, every=0.1)


async def finished(scene: Scene, egress_id: str) -> dict[str, Any]:
    await scene.stop(egress_id)
    record = await scene.told.ended(egress_id, seconds=60)
    assert record["status"] == "EGRESS_COMPLETE", record
    return record


def body(s3: Any, key: str) -> bytes:
    return bytes(s3.get_object(Bucket="recordings", Key=key)["Body"].read())


async def test_two_people_in_a_grid(scene: Scene, worker: MediaWorker, s3: Any) -> None:
    alice, bob = await performer(scene, "alice", 440, RED), await performer(scene, "bob", 660, BLUE)
    file = api.EncodedFileOutput(filepath=f"{scene.room_name}/whole.mp4")
    image = api.ImageOutput(filename_prefix=f"{scene.room_name}/i", capture_interval=1, width=160, height=90)
    egress_id = (await scene.record(file_outputs=[file], image_outputs=[image], advanced=SMALL)).egress_id
    await segments(s3, scene, 5)
    record = await finished(scene, egress_id)
    await alice.end()
    await bob.end()

    whole = watch(body(s3, f"{scene.room_name}/whole.mp4"))
    assert sorted(whole.codecs) == ["aac", "h264"]
    assert whole.frames[-1].shape == (360, 640, 3)
    assert whole.tones(-3) == {440, 660}
    assert whole.share(RED) == pytest.approx(0.25, abs=0.05)
    assert whole.share(BLUE) == pytest.approx(0.25, abs=0.05)
    assert whole.seconds == pytest.approx(int(record["fileResults"][0]["duration"]) / 1e9, abs=0.7)

    text, played = watch_playlist(s3, "recordings", f"{scene.room_name}/all.m3u8")
    assert "#EXT-X-PLAYLIST-TYPE:EVENT" in text and text.endswith("#EXT-X-ENDLIST\n")
    assert text.count("#EXT-X-PROGRAM-DATE-TIME") == text.count("#EXTINF") == int(record["segmentResults"][0]["segmentCount"])
    assert played.tones(-3) == {440, 660}
    assert played.seconds == pytest.approx(whole.seconds, abs=0.3)

    stills = int(record["imageResults"][0]["imageCount"])
    assert stills >= 5
    still = watch(body(s3, f"{scene.room_name}/i_{stills - 1:05d}.jpeg")).frames[0]
    assert still.shape == (90, 160, 3)
    assert share(still, RED) > 0.15 and share(still, BLUE) > 0.15


async def test_who_comes_late_and_who_leaves_in_sound_alone(scene: Scene, worker: MediaWorker, s3: Any) -> None:
    alice = await performer(scene, "alice", 440)
    egress_id = (await scene.record(audio_only=True)).egress_id
    await segments(s3, scene, 3)
    bob = await performer(scene, "bob", 660)
    await segments(s3, scene, 3, more=True)
    await alice.end()
    await segments(s3, scene, 3, more=True)
    await finished(scene, egress_id)
    await bob.end()

    _, played = watch_playlist(s3, "recordings", f"{scene.room_name}/all.m3u8")
    assert (played.codecs, played.frames) == (["aac"], [])
    heard = [frozenset(played.tones(window)) for window in range(int(played.seconds * 2))]
    order = [one for one, before in zip(heard, [None, *heard[:-1]], strict=True) if one != before]
    alone, both, other = frozenset({440}), frozenset({440, 660}), frozenset({660})
    assert [one for one in order if one] == [alone, both, other]


async def test_one_track_has_nothing_of_the_others(scene: Scene, worker: MediaWorker, s3: Any) -> None:
    alice, bob = await performer(scene, "alice", 440, RED), await performer(scene, "bob", 660)
    output = api.SegmentedFileOutput(filename_prefix=f"{scene.room_name}/s", playlist_name="all.m3u8", segment_duration=1)
    request = api.TrackCompositeEgressRequest(
        room_name=scene.room_name,
        audio_track_id=alice.tracks["audio"],
        video_track_id=alice.tracks["video"],
        segment_outputs=[output],
        advanced=SMALL,
    )
    egress_id = (await scene.egress.start_track_composite_egress(request)).egress_id
    await segments(s3, scene, 3)
    await finished(scene, egress_id)
    await alice.end()
    await bob.end()
    _, played = watch_playlist(s3, "recordings", f"{scene.room_name}/all.m3u8")
    assert played.tones(-3) == {440}
    assert played.share(RED) > 0.95


async def test_nothing_is_lost_while_the_store_is_slow(scene: Scene, worker: MediaWorker, s3: Any, store_process: Any) -> None:
    alice = await performer(scene, "alice", 440)
    egress_id = (await scene.record(audio_only=True)).egress_id
    await segments(s3, scene, 2)
    await asyncio.to_thread(store_process.turn, latency=0.4)
    await segments(s3, scene, 3, more=True)
    await asyncio.to_thread(store_process.turn, latency=0)
    record = await finished(scene, egress_id)
    await alice.end()
    _, played = watch_playlist(s3, "recordings", f"{scene.room_name}/all.m3u8")
    assert played.seconds == pytest.approx(int(record["segmentResults"][0]["duration"]) / 1e9, abs=0.7)
    assert all(played.tones(window) == {440} for window in range(1, int(played.seconds * 2) - 1))
    assert np.abs(played.samples).max() > 1000
