"""Joins that take long, are not wanted any more, or lose their process: nobody does them twice, and nothing of them stays behind."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import pytest

from app.adapters import ffmpeg_joiner
from app.adapters.ffmpeg_joiner import FORGOTTEN_AFTER, FfmpegJoiner
from app.storage.s3_store import S3Store
from devstack import ffmpeg
from devstack.demo.watching import watch
from domain.recording_ports import ObjectStore
from domain.recordings.joining import joins
from domain.recordings.joining.joining import join_due
from domain.recordings.joining.joins import TAKEN_FOR
from domain.recordings.starting import Manner
from tests.recordings.joinable import recorded
from tests.recordings.recorded_call import RecordedCall
from tests.support.fake_store import FakeStore
from tests.support.waiting import eventually, within

pytestmark = pytest.mark.anyio
LATER = TAKEN_FOR.total_seconds() + 1
DELETE = "UPDATE nchat_call_recordings SET delete_asked_at = $1"


@dataclass(slots=True)
class SlowUpload:
    """A store that takes a file when the test lets it."""

    store: S3Store
    began: asyncio.Event = field(default_factory=asyncio.Event)
    let: asyncio.Event = field(default_factory=asyncio.Event)

    def of(self, _bucket: str | None) -> "SlowUpload":
        return self

    async def upload(self, key: str, path: Path, content_type: str) -> None:
        self.began.set()
        await self.let.wait()
        await self.store.upload(key, path, content_type)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders are made."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
async def slow(call: RecordedCall, stored: S3Store, folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SlowUpload]:
    """Two parts are to be joined, by a process that speaks often and uploads slowly."""
    monkeypatch.setattr(ffmpeg_joiner, "UPLOAD_TOLD_EVERY", 0.02)
    await recorded(call, stored, Manner(), 440, 660)
    upload = SlowUpload(stored)
    call.on.world = replace(call.on.world, joiner=FfmpegJoiner(ffmpeg.program(), cast(ObjectStore, upload)))
    yield upload
    assert list(folder.iterdir()) == []


@pytest.fixture
def silent(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program that says nothing, and does not end."""
    monkeypatch.setattr(ffmpeg_joiner, "TOLD_EVERY", 0.02)
    program = folder / "silent"
    program.write_text("#!/bin/sh\nexec tail -f /dev/null\n")
    program.chmod(0o700)
    return program


def kept(call: RecordedCall) -> Callable[[], Awaitable[bool]]:
    """Whether the join is in hands for a good while from now."""

    async def is_kept() -> bool:
        until = (await call.recording())["work_taken_until"]
        return until is not None and until - call.on.clock.now() > TAKEN_FOR * 0.9

    return is_kept


async def joined_keys(call: RecordedCall, store: S3Store) -> list[str]:
    return [one.key for one in await store.list(f"recordings/{(await call.recording())['id']}/") if "joined" in one.key]


async def test_an_upload_that_takes_minutes_stays_in_one_hand(call: RecordedCall, stored: S3Store, slow: SlowUpload) -> None:
    joining = asyncio.create_task(join_due(call.on.world))
    await slow.began.wait()
    for _ in range(5):
        call.on.clock.advance(TAKEN_FOR.total_seconds() / 2)
        await eventually(kept(call))
        assert await joins.take(call.on.world) is None
    assert (await call.recording())["join_progress"] == 90
    slow.let.set()
    assert await joining == 1
    row = await call.recording()
    assert (row["join_progress"], row["file_path"]) == (100, (await joined_keys(call, stored))[0])


async def test_what_is_removed_meanwhile_leaves_no_file(call: RecordedCall, stored: S3Store, slow: SlowUpload) -> None:
    joining = asyncio.create_task(join_due(call.on.world))
    await slow.began.wait()
    await call.on.database.execute(DELETE, call.on.clock.now())
    slow.let.set()
    await joining
    assert await joined_keys(call, stored) == []
    assert (await call.recording())["file_path"] is None


async def test_a_process_that_stops_leaves_no_folder_and_the_next_joins(call: RecordedCall, stored: S3Store, slow: SlowUpload) -> None:
    joining = asyncio.create_task(join_due(call.on.world))
    await slow.began.wait()
    joining.cancel()
    with pytest.raises(asyncio.CancelledError):
        await joining
    slow.let.set()
    assert await join_due(call.on.world) == 0, "it may still live"
    call.on.clock.advance(LATER)
    assert await join_due(call.on.world) == 1
    assert await joined_keys(call, stored) == [(await call.recording())["file_path"]]


async def test_a_program_that_is_silent_keeps_the_join(call: RecordedCall, stored: S3Store, silent: Path) -> None:
    await recorded(call, stored, Manner(), 440, 660)
    joining = asyncio.create_task(join_due(replace(call.on.world, joiner=FfmpegJoiner(str(silent), stored))))
    await eventually(kept(call))
    for _ in range(3):
        call.on.clock.advance(TAKEN_FOR.total_seconds() / 2)
        await eventually(kept(call))
    await call.on.database.execute(DELETE, call.on.clock.now())
    assert await within(joining, 10) == 1, "dropped, and the program with it"
    assert await joined_keys(call, stored) == []


async def test_a_program_that_hangs_is_ended(call: RecordedCall, stored: S3Store, silent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ffmpeg_joiner, "SILENT_FOR", 0.1)
    await recorded(call, stored, Manner(), 440, 660)
    assert await join_due(replace(call.on.world, joiner=FfmpegJoiner(str(silent), stored))) == 1
    row = await call.recording()
    assert (row["work_attempts"], row["work_taken_until"], row["file_path"]) == (1, None, None)


async def test_folders_of_killed_processes_go(folder: Path, call: RecordedCall, stored: S3Store) -> None:
    old, young, other = folder / "nchat-join-old", folder / "nchat-join-young", folder / "other"
    for one in (old, young, other):
        one.mkdir()
        (one / "joined.mp4").write_bytes(b"half")
    for one in (old, other):
        os.utime(one, times=(one.stat().st_mtime - FORGOTTEN_AFTER - 1,) * 2)
    await recorded(call, stored, Manner(), 440, 660)
    assert await join_due(call.on.world) == 1
    assert sorted(folder.iterdir()) == [young, other]


async def test_a_store_that_fails_for_a_while(call: RecordedCall, stored: S3Store) -> None:
    await recorded(call, stored, Manner(), 440, 660)
    down = replace(call.on.world, joiner=FfmpegJoiner(ffmpeg.program(), FakeStore(down=True)))
    assert await join_due(down) == 1
    row = await call.recording()
    assert (row["file_reason"], row["work_taken_until"], row["work_attempts"]) == (None, None, 1)
    assert await join_due(call.on.world) == 0, "not at once again"
    call.on.clock.advance(LATER)
    assert await join_due(call.on.world) == 1
    assert (await call.recording())["join_progress"] == 100


async def test_sound_of_several_parts_is_one_ogg(call: RecordedCall, stored: S3Store) -> None:
    await recorded(call, stored, Manner("audio_only"), 440, 660)
    assert await join_due(call.on.world) == 1
    watched = watch(await stored.read((await call.recording())["file_path"]) or b"")
    assert watched.codecs == ["opus"]
    assert (watched.tones(1), watched.tones(12)) == ({440}, {660})
