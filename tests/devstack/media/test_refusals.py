"""What the real worker refuses is refused here, through livekit-server, before anything begins; and no secret is told."""

from collections.abc import Iterator
from typing import Any

import pytest
from livekit import api

from devstack import media
from devstack.livekit_server import LiveKitServer
from devstack.media import MediaWorker
from devstack.store import StorageAddress, StoreProcess
from tests.devstack.media.scene import Scene

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def worker(
    livekit: LiveKitServer, redis: str, own_storage: StorageAddress, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MediaWorker]:
    """One for all: it refuses and stays as it was."""
    log = tmp_path_factory.mktemp("worker") / "worker.log"
    started = media.start(livekit=livekit, redis=redis, storage=own_storage, log=log, blank=True)
    yield started
    started.stop()


MP4 = api.EncodedFileOutput(filepath="x.mp4", file_type=api.EncodedFileType.MP4)
OGG = api.EncodedFileOutput(filepath="x.ogg", file_type=api.EncodedFileType.OGG)
SEGMENTS = api.SegmentedFileOutput(filename_prefix="x", playlist_name="x")
IMAGES = api.ImageOutput(filename_prefix="x")


@pytest.mark.parametrize(
    ("differently", "words"),
    [
        pytest.param({"segment_outputs": []}, "invalid field: output", id="no-output"),
        pytest.param({"audio_only": True, "image_outputs": [IMAGES]}, "image output is not possible", id="pictures-of-sound"),
        pytest.param({"audio_only": True, "video_only": True}, "audio_only and video_only", id="neither-sound-nor-picture"),
        pytest.param({"file_outputs": [OGG]}, "video/h264 is not compatible with output type audio/ogg", id="ogg-with-pictures"),
        pytest.param({"audio_only": True, "file_outputs": [OGG]}, "audio/aac is not compatible", id="ogg-beside-segments"),
        pytest.param({"file_outputs": [MP4, MP4]}, "multiple file outputs", id="two-files"),
        pytest.param({"segment_outputs": [SEGMENTS, SEGMENTS]}, "multiple segment outputs", id="two-playlists"),
        pytest.param({"advanced": api.EncodingOptions(width=641, height=360)}, "641x360", id="odd-width"),
        pytest.param({"stream_outputs": [api.StreamOutput(urls=["http://x/y/key"])]}, "invalid field: stream url", id="no-rtmp"),
        pytest.param({"stream_outputs": [api.StreamOutput()]}, "invalid field: stream urls", id="nowhere-and-no-protocol"),
        pytest.param({"stream_outputs": [api.StreamOutput(protocol=api.StreamProtocol.SRT)]}, "sent by RTMP", id="srt"),
    ],
)
async def test_refused(scene: Scene, worker: MediaWorker, differently: dict[str, Any], words: str) -> None:
    with pytest.raises(api.TwirpError) as refused:
        await scene.record(**differently)
    assert refused.value.code == "invalid_argument"
    assert words in refused.value.message
    assert worker.running == []


async def test_the_keys_of_a_request_are_used_and_not_told(scene: Scene, worker: MediaWorker, store_process: StoreProcess, s3: Any) -> None:
    s3.create_bucket(Bucket="another")
    upload = api.S3Upload(
        endpoint=store_process.url,
        bucket="another",
        access_key=store_process.access_key,
        secret=store_process.secret_key,
        region="us-east-1",
        force_path_style=True,
    )
    await scene.sings("alice")
    output = api.EncodedFileOutput(filepath=f"{scene.room_name}/x", s3=upload)
    began = await scene.record(segment_outputs=[], file_outputs=[output], audio_only=True)
    assert began.room_composite.file_outputs[0].s3.secret == "{secret}"
    await scene.told.saw(began.egress_id, "EGRESS_ACTIVE")
    await scene.stop(began.egress_id)
    record = await scene.told.ended(began.egress_id)
    assert store_process.secret_key not in str(scene.told.events)
    assert record["fileResults"][0]["filename"] == f"{scene.room_name}/x.ogg"
    assert s3.head_object(Bucket="another", Key=f"{scene.room_name}/x.ogg")["ContentType"] == "audio/ogg"
