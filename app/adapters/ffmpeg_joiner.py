"""The `ffmpeg` program joins a recording's parts: it copies what is encoded, reads from the store and writes to a folder of its own."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from signal import SIGKILL
from typing import Final

from app.with_parent import with_parent
from domain.recording_ports import JoinFailed, JoinImpossible, JoinWanted, ObjectStore

Told = Callable[[int], Awaitable[bool]]
# Copying is most of it, the rest is the way to the store.
COPIED: Final = 90
# Bytes a second of the best picture there is: a disk with less room is not filled.
BYTES_A_SECOND: Final = 2_500_000
# Seconds between two words of progress; a program that says nothing for so long hangs. It is silent while it moves a large file's index.
TOLD_EVERY: Final = 2.0
SILENT_FOR: Final = 300.0
UPLOAD_TOLD_EVERY: Final = 10.0
CONTENT_TYPES: Final = {".ogg": "audio/ogg", ".mp4": "video/mp4"}
PROTOCOLS: Final = "file,http,https,tcp,tls,crypto"
FOLDER: Final = "nchat-join-"
# Seconds after which a folder's process is gone: longer than any join takes.
FORGOTTEN_AFTER: Final = 12 * 3600.0
NO_ROOM: Final = "There is no room on the service's disk to join the parts; the playlist plays all of them."


class FfmpegJoiner:
    """`domain.recording_ports.Joiner`; `program` is ffmpeg's path. One join of a process at a time is the caller's business."""

    def __init__(self, program: str, store: ObjectStore) -> None:
        self._program, self._store = program, store

    async def join(self, wanted: JoinWanted, key: str, told: Told) -> int | None:
        """Stores the file and returns its size; None where `told` says that nobody wants it any more."""
        await asyncio.to_thread(remove_forgotten, FOLDER)
        with tempfile.TemporaryDirectory(prefix=FOLDER) as name:
            folder = Path(name)
            if shutil.disk_usage(folder).free < wanted.seconds * BYTES_A_SECOND:
                raise JoinImpossible(NO_ROOM)
            result = folder / f"joined.{'ogg' if wanted.sound else 'mp4'}"
            _write_lists(folder, wanted)
            if not await self._run(folder, result, wanted, told) or not await told(COPIED):
                return None
            await self._upload(self._store.of(wanted.bucket), key, result, told)
            return result.stat().st_size

    async def _upload(self, store: ObjectStore, key: str, result: Path, told: Told) -> None:
        """A large file takes a while: that it is on its way is told, or another process would begin anew."""
        upload = asyncio.create_task(store.upload(key, result, CONTENT_TYPES[result.suffix]))
        try:
            while not (await asyncio.wait({upload}, timeout=UPLOAD_TOLD_EVERY))[0]:
                await told(COPIED)
        finally:
            upload.cancel()
        await upload

    async def _run(self, folder: Path, result: Path, wanted: JoinWanted, told: Told) -> bool:
        program = await asyncio.create_subprocess_exec(
            # ffmpeg goes on when nobody reads its progress any more: with a service that is killed the kernel ends it.
            *with_parent(_command(self._program, folder, result, sound=wanted.sound), SIGKILL),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async for seconds in _progress(program):
                if not await told(min(int(COPIED * seconds / max(wanted.seconds, 1)), COPIED)):
                    return False
            if code := await program.wait():
                raise JoinFailed(f"ffmpeg ended with {code}")
            return True
        finally:
            with suppress(ProcessLookupError):
                program.kill()
            await program.wait()


def remove_forgotten(beginning: str) -> None:
    """Folders, by the beginning of their names, of processes that were killed: nobody else frees the disk of them."""
    before = time.time() - FORGOTTEN_AFTER
    for folder in Path(tempfile.gettempdir()).glob(f"{beginning}*"):
        # Another process may be at the same one.
        with suppress(FileNotFoundError):
            if folder.stat().st_mtime < before:
                shutil.rmtree(folder, ignore_errors=True)


def _command(program: str, folder: Path, result: Path, *, sound: bool) -> Sequence[str]:
    encoding = ("-vn", "-c:a", "libopus", "-b:a", "96k") if sound else ("-c", "copy", "-movflags", "+faststart")
    reading = ("-protocol_whitelist", PROTOCOLS, "-f", "concat", "-safe", "0", "-i", str(folder / "parts.txt"))
    return (program, "-nostdin", "-v", "error", "-y", *reading, *encoding, "-progress", "pipe:1", "-nostats", str(result))


def _write_lists(folder: Path, wanted: JoinWanted) -> None:
    """A playlist of addresses for each part, and the list of those: each part begins where the one before it ended."""
    names = []
    for number, part in enumerate(wanted.parts):
        lines = [f"#EXTINF:{seconds:.6f},\n{address}" for address, seconds in part]
        longest = max(seconds for _, seconds in part)
        head = f"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:{int(longest) + 1}\n#EXT-X-PLAYLIST-TYPE:VOD\n"
        names.append(f"part{number}.m3u8")
        (folder / names[-1]).write_text(head + "\n".join(lines) + "\n#EXT-X-ENDLIST\n")
    (folder / "parts.txt").write_text("ffconcat version 1.0\n" + "".join(f"file {name}\n" for name in names))


async def _progress(program: asyncio.subprocess.Process) -> AsyncIterator[float]:
    """How many seconds of media are written, every few seconds, also while the program is silent; ends with its output.

    Raises JoinFailed when it hangs.
    """
    assert program.stdout is not None  # noqa: S101
    written, now = 0.0, asyncio.get_running_loop().time
    told = heard = now()
    while True:
        try:
            async with asyncio.timeout(TOLD_EVERY):
                line = await program.stdout.readline()
        except TimeoutError:
            if now() - heard >= SILENT_FOR:
                raise JoinFailed("ffmpeg hangs") from None
        else:
            if not line:
                return
            heard, written = now(), _seconds(line, written)
        if now() - told >= TOLD_EVERY:
            told = now()
            yield written


def _seconds(line: bytes, before: float) -> float:
    """What a line of progress says of the seconds; `before` when it is about something else."""
    name, _, value = line.decode("ascii", "replace").strip().partition("=")
    return int(value) / 1_000_000 if name == "out_time_us" and value.isdecimal() else before
