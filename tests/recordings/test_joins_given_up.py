"""Joins whose process dies each time come to an end, and so does the program of a service that is killed."""

import asyncio
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import psutil
import pytest

from domain.recordings.joining import joins
from domain.recordings.joining.joining import CUT_OFF, join_due
from domain.recordings.joining.joins import LONGEST_PAUSE, MOST_TRIES, TAKEN_FOR
from tests.recordings.finished import ended_call, finished_recording
from tests.support.domain_setup import Setup
from tests.support.living_processes import living
from tests.support.log_lines import LogLines
from tests.support.waiting import until

pytestmark = pytest.mark.anyio
# A service that joins with the program of its argument, and says nothing of it.
SERVICE = """
import asyncio, sys
from unittest.mock import Mock
from app.adapters.ffmpeg_joiner import FfmpegJoiner
from domain.recording_ports import JoinWanted

async def told(percent):
    return True

wanted = JoinWanted(((("http://127.0.0.1:9/segment", 4.0),),), 4.0, False)
asyncio.run(FfmpegJoiner(sys.argv[1], Mock()).join(wanted, "key", told))
"""


class NeverAsked:
    """`domain.recording_ports.Joiner` of a test in which nothing is to be joined."""

    async def join(self, *_asked: object) -> int | None:
        raise AssertionError("a join was begun")


async def unjoined(on: Setup) -> UUID:
    """A recording of two parts whose file is still to be made."""
    recording_id = await finished_recording(on, await ended_call(on), parts=2)
    await on.database.execute("UPDATE nchat_call_recordings SET join_progress = 0")
    return recording_id


async def test_a_join_whose_process_dies_each_time_is_given_up(on: Setup, log_lines: LogLines) -> None:
    recording_id = await unjoined(on)
    world = replace(on.world, joiner=NeverAsked())
    for _ in range(MOST_TRIES):
        assert await joins.take(on.world) is not None, "and its process is killed"
        assert await join_due(world) == 0, "it may still live"
        on.clock.advance(TAKEN_FOR.total_seconds() + 1)
    assert await join_due(world) == 1
    row = await on.database.fetchrow("SELECT * FROM nchat_call_recordings WHERE id = $1", recording_id)
    assert row is not None
    assert (row["status"], row["file_path"], row["join_progress"], row["file_reason"]) == ("ready", None, None, CUT_OFF)
    assert await on.database.fetchval("SELECT count(*) FROM nchat_call_recording_parts WHERE status = 'ready'") == 2, "they play"
    on.clock.advance(LONGEST_PAUSE.total_seconds())
    assert await join_due(world) == 0, "nor ever again"
    (line,) = [line for line in log_lines if line["event"] == "recording_join_given_up"]
    assert (line["recording_id"], line["tries"]) == (str(recording_id), MOST_TRIES)


async def test_a_store_that_is_away_for_long_is_no_reason_to_give_up(on: Setup) -> None:
    await unjoined(on)
    world = replace(on.world, joiner=NeverAsked())
    on.store.down = True
    for _ in range(3 * MOST_TRIES):
        assert await join_due(world) == 1
        on.clock.advance(LONGEST_PAUSE.total_seconds())
    row = await on.database.fetchrow("SELECT * FROM nchat_call_recordings")
    assert row is not None
    assert (row["join_progress"], row["file_reason"], row["join_tries"]) == (0, None, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the kernel can't be asked")
async def test_the_program_ends_with_a_service_that_is_killed(tmp_path: Path) -> None:
    program, told = tmp_path / "program", tmp_path / "pid"
    # As ffmpeg does, it does not mind that nobody reads what it says.
    waiting = f"exec {sys.executable} -c 'import signal; signal.pause()'"
    program.write_text(f"#!/bin/sh\necho $$ > {told}.new && mv {told}.new {told}\n{waiting}\n")
    program.chmod(0o700)
    given = {**os.environ, "TMPDIR": str(tmp_path)}
    service = await asyncio.create_subprocess_exec(sys.executable, "-c", SERVICE, str(program), env=given)
    await asyncio.to_thread(until, told.exists)
    joining = psutil.Process(int(told.read_text()))
    assert joining.is_running()
    service.send_signal(signal.SIGKILL)
    await service.wait()
    try:
        await asyncio.to_thread(until, lambda: living([joining]) == {})
    finally:
        for one in living([joining]):
            one.kill()
