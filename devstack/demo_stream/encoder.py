"""The host's encoder: ffmpeg, which sends by RTMP whatever colour it is given at the moment, and a tone."""

import asyncio
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from typing import Final

from devstack import ffmpeg
from devstack.demo_stream.colours import RGB

WIDTH, HEIGHT, RATE = 320, 180, 15
TAKEN_WITHIN: Final = 5.0
# A frame belongs to the moment when it was given.
PICTURE: Final = (
    "-use_wallclock_as_timestamps", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-video_size", f"{WIDTH}x{HEIGHT}", "-framerate", str(RATE),
    "-i", "pipe:0",
)  # fmt: skip
SOUND: Final = ("-re", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000")
# As the how-to tells hosts to set theirs.
VIDEO: Final = (
    "-c:v",
    "libx264",
    "-preset",
    "ultrafast",
    "-tune",
    "zerolatency",
    "-pix_fmt",
    "yuv420p",
    "-g",
    str(2 * RATE),
    "-b:v",
    "500k",
)
AUDIO: Final = ("-c:a", "aac", "-b:a", "128k")


class Encoder:
    """Sends to `url` with `key` between `start` and `stop`, if it is let."""

    def __init__(self, url: str, key: str, colour: str) -> None:
        self._target, self._colour = f"{url}/{key}", colour
        self._shown = asyncio.Event()
        self._process: Process | None = None
        self._feeding: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connects and sends from now on."""
        command = (ffmpeg.program(), "-hide_banner", "-loglevel", "error", *PICTURE, *SOUND, *VIDEO, *AUDIO, "-f", "flv", self._target)
        # What it complains about quotes the key: its end is told by its exit status.
        self._process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL)
        self._feeding = asyncio.create_task(self._feed(self._process))

    async def show(self, colour: str) -> None:
        """Returns when the first picture of this colour was given to ffmpeg."""
        self._colour, self._shown = colour, asyncio.Event()
        try:
            async with asyncio.timeout(TAKEN_WITHIN):
                await self._shown.wait()
        except TimeoutError:
            raise AssertionError(f"the encoder took no picture in {TAKEN_WITHIN:.0f} s") from None

    async def over(self) -> int:
        """Waits until it ends by itself; its exit status."""
        if self._process is None:
            raise AssertionError("the encoder was not started")
        return await self._process.wait()

    def kill(self) -> None:
        """It is gone without a word, as with its machine; `stop` is still to be called."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def stop(self) -> None:
        """Stops sending, as OBS does by its button; safe to call twice."""
        if self._feeding is not None:
            self._feeding.cancel()
            await asyncio.gather(self._feeding, return_exceptions=True)
        if self._process is not None and self._process.returncode is None:
            if self._process.stdin is not None:
                self._process.stdin.close()
            self._process.terminate()
            await self._process.wait()

    async def _feed(self, process: Process) -> None:
        if process.stdin is None:
            raise AssertionError("the encoder has no standard input")
        began, number = time.monotonic(), 0
        while process.returncode is None:
            shown = self._shown
            process.stdin.write(RGB[self._colour] * (WIDTH * HEIGHT))
            await process.stdin.drain()
            shown.set()
            number += 1
            await asyncio.sleep(max(0.0, began + number / RATE - time.monotonic()))
