"""The `ffmpeg` program repackages HLS segments as DASH: it copies what is encoded, reads from us and writes to a folder of its own."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path
from signal import SIGKILL
from typing import Final

from app.adapters.ffmpeg_joiner import remove_forgotten
from app.with_parent import with_parent
from domain.recording_ports import MANIFEST, PackagingFailed

FOLDER: Final = "nchat-dash-"
# Seconds: a program that takes nothing for so long hangs.
TAKES_WITHIN: Final = 20.0


class FfmpegPackager:
    """`domain.recording_ports.Packager`; `program` is ffmpeg's path."""

    def __init__(self, program: str) -> None:
        self._program = program

    @asynccontextmanager
    async def open(self, began_at: datetime, segment_seconds: int) -> AsyncIterator["FfmpegPackaging"]:
        """A program that runs for as long as the block; its folder goes with it."""
        await asyncio.to_thread(remove_forgotten, FOLDER)
        with tempfile.TemporaryDirectory(prefix=FOLDER) as name:
            program = await asyncio.create_subprocess_exec(
                # With a service that is killed the kernel ends it.
                *with_parent(_command(self._program, Path(name), began_at, segment_seconds), SIGKILL),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
            try:
                yield FfmpegPackaging(program, Path(name))
            finally:
                with suppress(ProcessLookupError):
                    program.kill()
                await program.wait()


class FfmpegPackaging:
    """`domain.recording_ports.Packaging`."""

    def __init__(self, program: asyncio.subprocess.Process, folder: Path) -> None:
        self._program, self._folder = program, folder

    async def feed(self, media: bytes) -> None:
        assert self._program.stdin is not None  # noqa: S101
        try:
            async with asyncio.timeout(TAKES_WITHIN):
                self._program.stdin.write(media)
                await self._program.stdin.drain()
        except (OSError, TimeoutError) as error:
            raise PackagingFailed(type(error).__name__) from None
        self._look()

    async def finish(self) -> None:
        assert self._program.stdin is not None  # noqa: S101
        self._program.stdin.close()
        try:
            async with asyncio.timeout(TAKES_WITHIN):
                if code := await self._program.wait():
                    raise PackagingFailed(f"ffmpeg ended with {code}")
        except TimeoutError:
            raise PackagingFailed("ffmpeg hangs") from None

    def written(self) -> Sequence[tuple[str, bytes]]:
        """What ffmpeg still writes is called `.tmp`. The manifest is read first, and told last: it names nothing that is not there."""
        self._look()
        manifest = self._folder / MANIFEST
        if not manifest.exists():
            return []
        told = manifest.read_bytes()
        pieces = sorted(path for path in self._folder.iterdir() if path.suffix == ".m4s")
        return [*((path.name, path.read_bytes()) for path in pieces), (MANIFEST, told)]

    def forget(self, names: Sequence[str]) -> None:
        for name in names:
            (self._folder / name).unlink(missing_ok=True)

    def _look(self) -> None:
        if self._program.returncode:
            raise PackagingFailed(f"ffmpeg ended with {self._program.returncode}")


def _command(program: str, folder: Path, began_at: datetime, segment_seconds: int) -> Sequence[str]:
    """Parts that follow each other begin anew in time: ffmpeg goes on where the one before ended."""
    # MPEG-TS has other names for what recorders write: H.264 and AAC.
    copying = ("-map", "0:v?", "-map", "0:a?", "-c", "copy", "-tag:v", "avc1", "-tag:a", "mp4a")
    reading = ("-f", "mpegts", "-i", "pipe:0", *copying)
    dash = ("-f", "dash", "-seg_duration", str(segment_seconds), "-use_template", "1", "-use_timeline", "1", "-window_size", "0")
    clock = ("-availability_start_time_ms", str(int(began_at.timestamp() * 1000)), "-update_period", str(segment_seconds))
    return (program, "-nostdin", "-v", "error", *reading, *dash, *clock, str(folder / MANIFEST))
