"""What is encoded, sent on by RTMP: from the next key frame on, with times that begin at zero."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

import av

from devstack.media.encoding.encoder import Encoder
from devstack.media.encoding.muxer import Muxer, copied
from devstack.media.take import Tell

# Seconds for connecting, and for each piece to be taken.
TIMEOUT: Final = (5.0, 5.0)


class Broadcast(Muxer):
    """One address."""

    def __init__(self, url: str, failed: Tell) -> None:
        super().__init__(url, "flv", failed, {"flvflags": "no_duration_filesize"})

    def _write(self, templates: Sequence[Any]) -> None:
        with av.open(self._target, "w", format=self._form, options=self._options, timeout=TIMEOUT) as box:
            streams = {template.index: box.add_stream_from_template(template, opaque=True) for template in templates}
            pictured = any(template.type == "video" for template in templates)
            # Connects before there is anything to send.
            box.start_encoding()
            zero = None
            while (packet := self._packets.get()) is not None and not self._broken.is_set():
                if zero is None and (not pictured or (packet.stream.type == "video" and packet.is_keyframe)):
                    zero = packet.dts * packet.time_base
                if zero is None:
                    continue
                copy = copied(packet, streams[packet.stream.index])
                shift = int(zero / packet.time_base)
                if copy.dts >= shift:
                    copy.pts, copy.dts = copy.pts - shift, copy.dts - shift
                    box.mux_one(copy)

    def _overfull(self) -> Exception:
        return TimeoutError("it takes less than is sent")


class Broadcasting:
    """`Sending` of one address: ends without ending anything else."""

    def __init__(self, encoder: Encoder, broadcast: Broadcast) -> None:
        self._encoder, self._broadcast = encoder, broadcast

    async def end(self) -> None:
        self._encoder.remove(self._broadcast)
        await asyncio.to_thread(self._broadcast.finish)


def broadcasting(encoder: Encoder, url: str, failed: Callable[[str], None]) -> Broadcasting:
    """Sends from now on. `failed` is called on the event loop, with words that hold no address: FFmpeg's quote all of it."""
    loop = asyncio.get_running_loop()

    def tell(error: Exception) -> None:
        loop.call_soon_threadsafe(failed, type(error.__cause__ or error).__name__)

    broadcast = Broadcast(url, tell)
    encoder.add(broadcast)
    return Broadcasting(encoder, broadcast)
