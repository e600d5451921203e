"""Recordings on the real servers: livekit-server hands them to a worker, which writes to a store.

What is heard and seen in them stands in `test_pictures.py`, what a killed worker costs in `test_killed_workers.py`.
"""

import time
from dataclasses import replace

import pytest
from livekit import rtc

from app.storage.s3_store import S3Store
from domain.recordings.actions.pause import pause_recording, resume_recording
from domain.recordings.actions.stop import stop_recording
from domain.recordings.names import playlist_key
from domain.recordings.playing.part_segments import KnownSegments
from domain.recordings.playing.playlist import compose
from domain.recordings.playing.visible import Visible
from domain.recordings.playlists import segments_of
from domain.recordings.starting import Manner
from permissions.session import ADMIN, Session
from tests.recordings.conftest import Workers
from tests.recordings.live_call import LiveCall
from tests.support.domain_setup import ALICE, Setup, session

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("deaf", [False, True], ids=["told", "deaf"])
async def test_paused_and_resumed(live: LiveCall, workers: Workers, deaf: bool) -> None:
    workers()
    live.deaf = deaf
    recording_id = await live.start()
    await live.becomes(recording_id, "recording")
    await live.has_segments(recording_id, 0, 1)
    await pause_recording(live.world, session(ALICE), recording_id)
    await live.becomes(recording_id, "paused")
    assert live.world.recorder is not None
    assert [one for one in await live.world.recorder.active() if one.room == await live.room()] == []
    await resume_recording(live.world, session(ALICE), recording_id)
    await live.becomes(recording_id, "recording")
    await live.has_segments(recording_id, 1, 1)
    await stop_recording(live.world, session(ALICE), recording_id)
    await live.becomes(recording_id, "ready")
    parts, row = await live.parts(recording_id), await live.recording(recording_id)
    assert [(part["status"], part["end_reason"]) for part in parts] == [("ready", "paused"), ("ready", "stopped")]
    assert row["duration"] >= 8
    assert row["thumbnail_path"] == f"{parts[0]['path_prefix']}picture_00000.jpeg"
    assert row["media_started_at"] == parts[0]["media_started_at"] >= row["started_at"]
    assert await live.told() == ["recording_started", "recording_paused", "recording_resumed", "recording_stopped", "recording_ready"]


@pytest.fixture
def short_segments(on: Setup) -> None:
    """As where the settings say 2."""
    on.world = replace(on.world, limits=replace(on.world.limits, segment_seconds=2))


@pytest.mark.usefixtures("short_segments")
async def test_segments_are_as_long_as_the_settings_say(live: LiveCall, workers: Workers, own_store: S3Store) -> None:
    """As the worker really cuts them, and as our playlist tells."""
    workers(blank=False)
    recording_id = await live.start(Manner("audio_only"))
    for _ in range(60):
        silence = rtc.AudioFrame.create(48_000, 1, 4_800)
        await live.sound.capture_frame(silence)
    await live.has_segments(recording_id, 0, 2)
    (part,) = await live.parts(recording_id)
    named = segments_of(await own_store.read(playlist_key(part["path_prefix"])) or b"")
    assert [round(segment.seconds) for segment in named[:2]] == [2, 2] and part["segment_seconds"] == 2
    visible = await Visible(live.world).playlist(Session(ADMIN, {}), recording_id)
    assert visible is not None
    text = (await compose(KnownSegments(own_store, time.monotonic), visible[1], ended=False)).whole("LINK")
    assert b"#EXT-X-TARGETDURATION:3\n" in text and text.count(b"#EXTINF:2.0") >= 1
    await stop_recording(live.world, session(ALICE), recording_id)
    await live.becomes(recording_id, "ready")


async def test_limits_of_the_recorder_begin_the_next_part(live: LiveCall, workers: Workers) -> None:
    worker = workers()
    worker.turn(session_limit=5)
    recording_id = await live.start(Manner("audio_only"))
    await live.has_segments(recording_id, 0, 1)
    worker.turn(session_limit=0)
    await live.has_segments(recording_id, 1, 1)
    await stop_recording(live.world, session(ALICE), recording_id)
    await live.becomes(recording_id, "ready")
    reasons = [part["end_reason"] for part in await live.parts(recording_id)]
    assert (reasons[0], reasons[-1]) == ("limit", "stopped")


async def test_a_store_that_refuses(live: LiveCall, workers: Workers) -> None:
    workers().turn(refuse_uploads=True)
    recording_id = await live.start()
    await live.part_becomes(recording_id, 0, "failed", seconds=40)
    await stop_recording(live.world, session(ALICE), recording_id)
    await live.becomes(recording_id, "failed", seconds=40)
    row = await live.recording(recording_id)
    assert row["error_message"] == "The store refused what was recorded."
    assert (await live.told())[-1] == "recording_failed"
