"""An encoder as a host has one: ffmpeg, which sends a moving test picture and a tone by RTMP."""

import asyncio
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from devstack import ffmpeg

SIZE: Final = (160, 90)
RATE: Final = 10
PICTURE: Final = f"testsrc2=size={SIZE[0]}x{SIZE[1]}:rate={RATE}"
VIDEO: Final = ("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p", "-g", str(RATE))
AUDIO: Final = ("-c:a", "aac", "-b:a", "64k", "-ar", "44100")


async def encoder(url: str, key: str, picture: str = PICTURE) -> Process:
    """Sends until it is killed or cut off: `picture` as ffmpeg's lavfi takes it, and 440 Hz."""
    sources = ("-re", "-f", "lavfi", "-i", picture, "-re", "-f", "lavfi", "-i", "sine=frequency=440")
    quiet = ("-hide_banner", "-loglevel", "error", "-nostdin")
    command = (ffmpeg.program(), *quiet, *sources, *VIDEO, *AUDIO, "-f", "flv", f"{url}/{key}")
    return await asyncio.create_subprocess_exec(*command, stdout=DEVNULL, stderr=PIPE)


async def ended(process: Process, seconds: float = 10) -> int:
    """Waits until it ends by itself; its exit code, which is not 0 when it was refused or cut off."""
    async with asyncio.timeout(seconds):
        await process.communicate()
    assert process.returncode is not None
    return process.returncode


@asynccontextmanager
async def sending(url: str, key: str, picture: str = PICTURE) -> AsyncIterator[Process]:
    """Sends inside the block."""
    process = await encoder(url, key, picture)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
