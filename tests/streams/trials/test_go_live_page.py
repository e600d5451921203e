"""Five steps to a stream, followed as they stand on the page, with the page's own ffmpeg as the encoder."""

import asyncio
import os
import re
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from devstack import ffmpeg
from devstack.demo_stream.following import Following
from devstack.demo_stream.stage import within
from tests.streams.trials.show import token
from tests.streams.trials.studio import Studio
from tests.support.domain_setup import ALICE, GENERAL
from tests.support.waiting import eventually

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(600)]
PAGE: Final = Path(__file__).parents[3] / "docs" / "go-live.md"
BLOCK: Final = re.compile(r"^```(graphql|sh)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PARTY: Final = ("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30", "-f", "lavfi", "-i", "sine", "-t", "60", "-shortest")


def section(title: str) -> str:
    """The code of the section whose title begins so."""
    text = next(part for part in PAGE.read_text().split("\n## ") if part.startswith(title))
    (block,) = BLOCK.findall(text)
    return str(block[1])


async def alice_asks(studio: Studio, title: str, **variables: object) -> Any:
    """What the section's document answers."""
    (answer,) = (await studio.hosts.ask(token(ALICE), section(title), **variables)).values()
    return answer


@asynccontextmanager
async def command_line(folder: Path, variables: Mapping[str, str]) -> AsyncIterator[Process]:
    """Step 3 in a shell, in a folder that has party.mp4 and a PATH that has ffmpeg."""
    (folder / "ffmpeg").symlink_to(ffmpeg.program())
    making = await asyncio.create_subprocess_exec(
        ffmpeg.program(), *PARTY, "-preset", "ultrafast", "party.mp4", cwd=folder, stdout=DEVNULL, stderr=DEVNULL
    )
    assert await making.wait() == 0
    environment = {**os.environ, **variables, "PATH": f"{folder}:{os.environ['PATH']}"}
    process = await asyncio.create_subprocess_shell(
        f"exec {section('3.')}", cwd=folder, env=environment, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_who_follows_the_page_goes_live(studio: Studio, tmp_path: Path) -> None:
    studio.recorder(blank=True)
    given = await alice_asks(studio, "1.", channel=str(GENERAL))
    variables = {"RTMP_INGEST_URL": given["rtmpIngestUrl"], "STREAM_KEY": given["streamKey"]}
    live = Following(studio.hosts, token(ALICE), section("4."), "nchat_streams_by_pk", stream=given["streamId"])
    try:
        async with command_line(tmp_path, variables) as encoder:
            await within(live.until(lambda row: row["status"] == "live"), 60, "the stream to be live")
            another = await alice_asks(studio, "When a key got out", stream=given["streamId"])
            assert await within(encoder.wait(), 10, "the old key to be cut off") != 0
            assert another["streamKey"] != given["streamKey"]
            stopped = await alice_asks(studio, "5.", stream=given["streamId"])
            assert stopped["stream"]["status"] == "ending"
            await within(live.until(lambda row: row["status"] == "ended"), 60, "the stream to be over")
    finally:
        await live.stop()
    await eventually(lambda: _nobody_sends(studio))


async def _nobody_sends(studio: Studio) -> bool:
    return not await asyncio.to_thread(lambda: studio.ingest.running)
