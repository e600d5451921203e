"""H.264 and AAC (or Opus), encoded once; each packet goes to every muxer."""

from collections.abc import Iterable
from fractions import Fraction
from typing import Any, Final

import av
import numpy as np
from av.codec.context import Flags
from av.video.frame import PictureType
from numpy.typing import NDArray

from devstack.media.encoding.muxer import Muxer
from devstack.media.encoding.sound import RATE, Samples
from devstack.media.plan import Picture

SOUND_BITS: Final = 128_000


class Encoder:
    """`picture` None is sound alone. Its streams, in a container that keeps nothing, are the templates of the muxers' own."""

    def __init__(self, picture: Picture | None, *, audio: bool, opus: bool, key_seconds: int) -> None:
        self._box: Any = av.open("none", "w", format="null")
        # Replaced, never changed: the clock's thread walks through it.
        self._muxers: tuple[Muxer, ...] = ()
        self._video: Any = self._box.add_stream("libx264", rate=picture.fps, options=_VIDEO) if picture else None
        self._audio: Any = self._box.add_stream("libopus" if opus else "aac", rate=RATE) if audio else None
        if picture:
            self._set_up_video(picture, key_seconds)
        if self._audio is not None:
            context = self._audio.codec_context
            context.layout, context.format, context.bit_rate = "stereo", "s16" if opus else "fltp", SOUND_BITS
        for stream in self._box.streams:
            stream.codec_context.flags |= Flags.global_header
        self._box.start_encoding()

    def _set_up_video(self, picture: Picture, key_seconds: int) -> None:
        self._fps, self._key_frames, self._next_key = picture.fps, picture.fps * key_seconds, 0
        self._video.width, self._video.height, self._video.pix_fmt = picture.width, picture.height, "yuv420p"
        context = self._video.codec_context
        context.time_base, context.gop_size, context.max_b_frames = Fraction(1, picture.fps), self._key_frames, 0
        context.bit_rate, context.thread_count = picture.kbps * 1000, 2

    def add(self, muxer: Muxer) -> None:
        """It gets what is encoded from now on."""
        muxer.start(self._box.streams)
        self._muxers = (*self._muxers, muxer)

    def remove(self, muxer: Muxer) -> None:
        """It gets no more."""
        self._muxers = tuple(one for one in self._muxers if one is not muxer)

    def picture(self, pixels: NDArray[np.uint8], number: int) -> None:
        """The frame of this number; one that is left out leaves the one before it standing."""
        frame = av.VideoFrame.from_ndarray(pixels, format="yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, self._fps)
        if number >= self._next_key:
            frame.pict_type = PictureType.I
            self._next_key = number // self._key_frames * self._key_frames + self._key_frames
        self._spread(self._video.encode(frame))

    def sound(self, samples: Samples, at: int) -> None:
        """Samples that follow the first `at`."""
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = RATE, at, Fraction(1, RATE)
        self._spread(self._audio.encode(frame))

    def close(self) -> None:
        """Returns when every muxer has written its last."""
        for stream in self._box.streams:
            self._spread(stream.encode(None))
        for muxer in self._muxers:
            muxer.finish()
        self._box.close()

    def _spread(self, packets: Iterable[Any]) -> None:
        for packet in packets:
            for muxer in self._muxers:
                muxer.put(packet)


# Without tune=zerolatency x264 holds frames back; a key frame stands exactly where a segment begins.
_VIDEO: Final = {"preset": "ultrafast", "tune": "zerolatency", "sc_threshold": "0", "forced-idr": "1"}
