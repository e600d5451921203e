"""A container written on a thread of its own: one that is slow stalls no other."""

import queue
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import av

from devstack.media.storage import UploadFailed
from devstack.media.take import EgressFailed, Tell

# Some minutes of packets: a store may be away for a while.
WAITING: Final = 20_000
Opened = Callable[[str, int, dict[str, str]], Any]


class Muxer:
    """Writes `target`; what fails is told once, and nothing is written from then on."""

    def __init__(self, target: str, form: str, failed: Tell, options: dict[str, str], io_open: Opened | None = None) -> None:
        self._target, self._form, self._failed, self._options, self._io_open = target, form, failed, options, io_open
        self._packets: queue.Queue[Any] = queue.Queue(WAITING)
        self._broken = threading.Event()

    def start(self, templates: Iterable[Any]) -> None:
        self._thread = threading.Thread(target=self._run, args=(list(templates),), daemon=True, name=f"mux {self._form}")
        self._thread.start()

    def put(self, packet: Any) -> None:
        if self._broken.is_set():
            return
        try:
            self._packets.put_nowait(packet)
        except queue.Full:
            self._break(self._overfull())

    def finish(self) -> None:
        """Returns when everything is written, or nothing more can be."""
        if not self._broken.is_set():
            self._packets.put(None)
        self._thread.join()

    def _run(self, templates: list[Any]) -> None:
        try:
            self._write(templates)
        except UploadFailed as error:
            self._break(error)
        except (av.FFmpegError, OSError) as error:
            failure = EgressFailed(500, f"the {self._form} muxer failed: {error}")
            failure.__cause__ = error
            self._break(failure)

    def _overfull(self) -> Exception:
        return UploadFailed("S3 upload failed: the store takes less than is recorded")

    def _write(self, templates: list[Any]) -> None:
        with av.open(self._target, "w", format=self._form, options=self._options, io_open=self._io_open) as box:
            streams = {template.index: box.add_stream_from_template(template, opaque=True) for template in templates}
            while (packet := self._packets.get()) is not None and not self._broken.is_set():
                box.mux_one(copied(packet, streams[packet.stream.index]))

    def _break(self, error: Exception) -> None:
        if not self._broken.is_set():
            self._broken.set()
            self._failed(error)


def fragmented_mp4(path: Path, failed: Tell) -> Muxer:
    """What a killed process leaves of it can be played."""
    options = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "flush_packets": "1"}
    return Muxer(str(path), "mp4", failed, options)


def ogg(path: Path, failed: Tell) -> Muxer:
    return Muxer(str(path), "ogg", failed, {})


def settled(path: Path) -> Path:
    """A plain MP4 with its index in front, by copying packets of a fragmented one."""
    done = path.with_suffix(".settled.mp4")
    with av.open(str(path)) as source, av.open(str(done), "w", format="mp4", options={"movflags": "faststart"}) as target:
        streams = {stream.index: target.add_stream_from_template(stream, opaque=True) for stream in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                target.mux_one(packet)
    return done


def copied(packet: Any, stream: Any) -> Any:
    """Muxing changes a packet in place, and other muxers have the same one."""
    copy = av.Packet(bytes(packet))
    copy.pts, copy.dts, copy.duration = packet.pts, packet.dts, packet.duration
    copy.time_base, copy.is_keyframe, copy.stream = packet.time_base, packet.is_keyframe, stream
    return copy
