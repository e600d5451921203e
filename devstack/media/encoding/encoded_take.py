"""A recording with its media: a clock that never waits for anybody pulls sound and picture, and whoever is absent is silent and black."""

import asyncio
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import av

from devstack.media.encoding.encoder import Encoder
from devstack.media.encoding.hls import hls
from devstack.media.encoding.muxer import fragmented_mp4, ogg, settled
from devstack.media.encoding.picture import Composer
from devstack.media.encoding.rtmp import Broadcasting, broadcasting
from devstack.media.encoding.sound import RATE, Mixer
from devstack.media.encoding.stills import Stills
from devstack.media.outputs import FileOutput, Outputs
from devstack.media.plan import Picture, Plan
from devstack.media.seat import Seat, Source
from devstack.media.take import EgressFailed, Tell

# What two cores do beside everything else: a larger picture is kept at its size, with fewer frames a second.
PIXELS_A_SECOND: Final = 15 * 1280 * 720
KEY_SECONDS: Final = 2
# A clock without pictures ticks so often.
TICKS: Final = 25
# Pictures that late are left out, sound never.
LATE: Final = 0.2


class EncodedTake:
    """The clock's thread begins with `begin` and ends with `end`."""

    def __init__(self, plan: Plan, seat: Seat, outputs: Outputs, failed: Tell) -> None:
        self._plan, self._outputs, self._failed = plan, outputs, failed
        self._picture = affordable(plan.picture) if plan.picture else None
        self._mixer = Mixer()
        self._composer = Composer(plan.layout, self._picture.width, self._picture.height, lambda: seat.speaker) if self._picture else None
        self._stills = [Stills(images, failed) for images in outputs.images]
        self._stopping = threading.Event()
        seat.added, seat.removed = self._add, self._remove

    async def begin(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="take-")
        self._encoder = await asyncio.to_thread(self._open)
        self._thread = threading.Thread(target=self._run, daemon=True, name="clock")
        self._thread.start()

    async def send(self, url: str, failed: Callable[[str], None]) -> Broadcasting:
        return broadcasting(self._encoder, url, failed)

    async def end(self) -> None:
        self._stopping.set()
        try:
            await asyncio.to_thread(self._finish)
        finally:
            self._folder.cleanup()

    def _add(self, source: Source) -> None:
        if source.audio:
            self._mixer.add(source)
        elif self._composer:
            self._composer.add(source)

    def _remove(self, source: Source) -> None:
        if source.audio:
            self._mixer.remove(source)
        elif self._composer:
            self._composer.remove(source)

    def _open(self) -> Encoder:
        segments = self._outputs.segments
        seconds = segments.wanted.seconds if segments else KEY_SECONDS
        encoder = Encoder(self._picture, audio=self._plan.audio, opus=self._plan.opus, key_seconds=seconds)
        if segments:
            encoder.add(hls(segments, self._failed))
        if self._outputs.file:
            encoder.add((ogg if self._plan.opus else fragmented_mp4)(self._path, self._failed))
        return encoder

    def _run(self) -> None:
        try:
            self._tick()
        except av.FFmpegError as error:
            self._failed(EgressFailed(500, f"the encoder failed: {error}"))

    def _tick(self) -> None:
        """Tick n belongs to the start plus n ticks, whatever the load; samples are counted."""
        ticks, start, number, samples = self._picture.fps if self._picture else TICKS, time.monotonic(), 0, 0
        while not self._stopping.is_set():
            wait = start + number / ticks - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            if self._plan.audio:
                until = RATE * (number + 1) // ticks
                self._encoder.sound(self._mixer.mix(until - samples), samples)
                samples = until
            if self._composer and wait > -LATE:
                self._show(self._composer, number, number / ticks)
            number += 1

    def _show(self, composer: Composer, number: int, at: float) -> None:
        pixels = composer.draw()
        self._encoder.picture(pixels, number)
        for stills in self._stills:
            stills.look(pixels, at)

    def _finish(self) -> None:
        self._thread.join()
        self._encoder.close()
        for stills in self._stills:
            stills.finish()
        if self._outputs.file:
            self._put_file(self._outputs.file)

    def _put_file(self, file: FileOutput) -> None:
        path = self._path if self._plan.opus else settled(self._path)
        file.put(path.read_bytes())

    @property
    def _path(self) -> Path:
        return Path(self._folder.name) / "file"


def affordable(picture: Picture) -> Picture:
    """The same picture with as many frames a second as can be encoded."""
    return replace(picture, fps=max(1, min(picture.fps, PIXELS_A_SECOND // (picture.width * picture.height))))
