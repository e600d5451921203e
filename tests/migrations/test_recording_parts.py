"""Recordings from before there were parts: every file and every track is a part afterwards, and nothing else has changed."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import asyncpg
import pytest

import migrations

pytestmark = pytest.mark.anyio

BEFORE = "0013"
ALICE, CALL = UUID(int=1), UUID(int=2)
RECORDINGS = {
    "ready": (UUID(int=11), "ready", "EG_1", "calls/2/whole.mp4"),
    "running": (UUID(int=12), "recording", "EG_2", None),
    "failed": (UUID(int=13), "failed", None, None),
    "tracks": (UUID(int=14), "ready", None, None),
}
FILL = """
    INSERT INTO nchat_call_recordings (id, call_id, started_by, status, egress_id, file_path, file_size, duration, started_at, ended_at)
    VALUES ($1, $2, $3, $4, $5, $6, 1000, 60, '2026-01-01T10:00Z', '2026-01-01T10:01Z')
"""
TRACK = """
    INSERT INTO nchat_call_recording_tracks (id, recording_id, user_id, kind, status, file_path, duration)
    VALUES ($1, $2, $3, $4, 'ready', $5, 60)
"""


async def fill(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("INSERT INTO nchat_users (id, username) VALUES ($1, 'alice')", ALICE)
    await connection.execute("INSERT INTO nchat_calls (id, initiator_id, type) VALUES ($1, $2, 'video')", CALL, ALICE)
    for recording_id, status, egress_id, path in RECORDINGS.values():
        await connection.execute(FILL, recording_id, CALL, ALICE, status, egress_id, path)
    for number, kind in enumerate(("camera", "microphone")):
        await connection.execute(TRACK, UUID(int=21 + number), RECORDINGS["tracks"][0], ALICE, kind, f"calls/2/{kind}.mp4")
    await connection.close()


async def test_nothing_is_lost_on_the_way_up_and_tracks_on_none(empty_database_url: str) -> None:
    with ThreadPoolExecutor(1) as thread:
        thread.submit(migrations.upgrade, empty_database_url, BEFORE).result()
        await fill(empty_database_url)
        thread.submit(migrations.upgrade, empty_database_url).result()
        connection = await asyncpg.connect(empty_database_url)
        parts = await connection.fetch("SELECT * FROM nchat_call_recording_parts ORDER BY recording_id, index")
        told = [
            (part["recording_id"].int, part["index"], part["kind"], part["track_kind"], part["status"], part["file_path"]) for part in parts
        ]
        assert told == [
            (11, 0, "composite", None, "ready", "calls/2/whole.mp4"),
            (12, 0, "composite", None, "recording", None),
            (14, 0, "track", "camera", "ready", "calls/2/camera.mp4"),
            (14, 1, "track", "microphone", "ready", "calls/2/microphone.mp4"),
        ]
        assert [part["egress_id"] for part in parts] == ["EG_1", "EG_2", None, None]
        rows = await connection.fetch("SELECT id, status::text, file_path, duration, status_since FROM nchat_call_recordings ORDER BY id")
        assert [(row["id"], row["status"], row["file_path"], row["duration"]) for row in rows] == [
            (recording_id, status, path, 60) for recording_id, status, _, path in RECORDINGS.values()
        ]
        await connection.close()
        thread.submit(migrations.downgrade, empty_database_url, BEFORE).result()
        connection = await asyncpg.connect(empty_database_url)
        tracks = await connection.fetch("SELECT id, kind, file_path FROM nchat_call_recording_tracks ORDER BY kind")
        await connection.close()
    assert [(row["id"].int, row["kind"], row["file_path"]) for row in tracks] == [
        (21, "camera", "calls/2/camera.mp4"),
        (22, "microphone", "calls/2/microphone.mp4"),
    ]
