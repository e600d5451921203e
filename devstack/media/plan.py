"""What a request asks for, checked as the real worker checks it: outputs, codecs, names. What this one doesn't do is refused."""

from dataclasses import dataclass
from typing import Any, Final

from livekit import api

from devstack.media.bus import PsrpcError
from devstack.media.names import file_key, image_prefix, playlist_keys
from devstack.media.sending.addresses import StreamsWanted, streams_wanted

# (width, height, frames a second, kbit/s) of the encoding presets.
PRESETS: Final = {
    0: (1280, 720, 30, 3000),
    1: (1280, 720, 60, 4500),
    2: (1920, 1080, 30, 4500),
    3: (1920, 1080, 60, 6000),
    4: (720, 1280, 30, 3000),
    5: (720, 1280, 60, 4500),
    6: (1080, 1920, 30, 4500),
    7: (1080, 1920, 60, 6000),
}
KINDS: Final = ("room_composite", "participant", "track_composite")


@dataclass(frozen=True, slots=True)
class Picture:
    """The size and rate of the composed picture."""

    width: int
    height: int
    fps: int
    kbps: int


@dataclass(frozen=True, slots=True)
class FileWanted:
    key: str
    ogg: bool
    manifest: bool
    s3: Any


@dataclass(frozen=True, slots=True)
class SegmentsWanted:
    prefix: str
    playlist: str
    live_playlist: str
    seconds: int
    manifest: bool
    s3: Any


@dataclass(frozen=True, slots=True)
class ImagesWanted:
    prefix: str
    suffix: int
    seconds: int
    width: int
    height: int
    s3: Any


@dataclass(frozen=True, slots=True)
class Plan:
    """`identity` and `tracks` narrow what is recorded; `picture` is None for audio only."""

    kind: str
    room_name: str
    layout: str
    identity: str
    screen_share: bool
    tracks: frozenset[str]
    audio: bool
    picture: Picture | None
    file: FileWanted | None
    segments: SegmentsWanted | None
    images: tuple[ImagesWanted, ...]
    streams: StreamsWanted | None

    @property
    def recorded(self) -> bool:
        """Whether anything is kept, beside what is sent on."""
        return bool(self.file or self.segments or self.images)

    @property
    def opus(self) -> bool:
        """Whether the sound is Opus: in an OGG file alone; else it is AAC."""
        return self.file is not None and self.file.ogg


def plan_of(request: Any) -> Plan:
    """Raises PsrpcError (invalid_argument) for what the real worker refuses, and for what this one can't do."""
    kind = next((kind for kind in KINDS if request.HasField(kind)), None)
    if kind is None:
        raise _invalid("only room composite, participant and track composite egress are done here")
    wanted = getattr(request, kind)
    audio, video = _media(kind, wanted)
    segments = _segments(wanted)
    images = tuple(_images(output) for output in wanted.image_outputs)
    if images and not video:
        raise _invalid("image output is not possible with audio only")
    file = _file(wanted, video=video, alone=segments is None and not wanted.stream_outputs)
    streams = streams_wanted(wanted, alone=not (file or segments or images))
    if streams and file and file.ogg:
        raise _invalid("codec audio/opus is not compatible with output type video/x-flv")
    if not (file or segments or images or streams):
        raise _invalid("request has missing or invalid field: output")
    return Plan(
        kind=kind,
        room_name=wanted.room_name,
        layout=getattr(wanted, "layout", "") or ("grid" if kind == "room_composite" else "single-speaker"),
        identity=getattr(wanted, "identity", ""),
        screen_share=getattr(wanted, "screen_share", False),
        tracks=frozenset(filter(None, (getattr(wanted, "audio_track_id", ""), getattr(wanted, "video_track_id", "")))),
        audio=audio,
        picture=_picture(wanted) if video else None,
        file=file,
        segments=segments,
        images=images,
        streams=streams,
    )


def _media(kind: str, wanted: Any) -> tuple[bool, bool]:
    if kind == "track_composite":
        if not (wanted.audio_track_id or wanted.video_track_id):
            raise _invalid("request has missing or invalid field: audio_track_id or video_track_id")
        return bool(wanted.audio_track_id), bool(wanted.video_track_id)
    if kind == "participant":
        if not wanted.identity:
            raise _invalid("request has missing or invalid field: identity")
        return True, True
    if wanted.audio_only and wanted.video_only:
        raise _invalid("request has missing or invalid field: audio_only and video_only")
    if wanted.custom_base_url:
        raise _invalid("custom templates need a browser, which this worker has not")
    return not wanted.video_only, not wanted.audio_only


def _picture(wanted: Any) -> Picture:
    width, height, fps, kbps = PRESETS[0]
    match wanted.WhichOneof("options"):
        case "preset":
            if wanted.preset not in PRESETS:
                raise _invalid(f"request has missing or invalid field: preset {wanted.preset}")
            width, height, fps, kbps = PRESETS[wanted.preset]
        case "advanced":
            asked = wanted.advanced
            width, height = asked.width or width, asked.height or height
            fps, kbps = asked.framerate or fps, asked.video_bitrate or kbps
    if width < 16 or height < 16 or width % 2 or height % 2:
        raise _invalid(f"request has missing or invalid field: width and height {width}x{height}")
    return Picture(width, height, int(fps), int(kbps))


def _file(wanted: Any, *, video: bool, alone: bool) -> FileWanted | None:
    output = _only("file", wanted)
    if output is None:
        return None
    match output.file_type:
        case api.EncodedFileType.OGG if video or not alone:
            raise _invalid(f"codec {'video/h264' if video else 'audio/aac'} is not compatible with output type audio/ogg")
        case api.EncodedFileType.OGG:
            ogg = True
        case api.EncodedFileType.MP4:
            ogg = False
        case api.EncodedFileType.DEFAULT_FILETYPE:
            ogg = alone and not video
        case other:
            raise _invalid(f"file type {other} is not written here")
    key = file_key(output.filepath, wanted.room_name, ".ogg" if ogg else ".mp4")
    return FileWanted(key, ogg, not output.disable_manifest, _s3(output))


def _segments(wanted: Any) -> SegmentsWanted | None:
    output = _only("segment", wanted)
    if output is None:
        return None
    if output.protocol not in (0, 1):
        raise _invalid("segments are MPEG-TS")
    prefix, playlist, live = playlist_keys(output.filename_prefix, output.playlist_name, output.live_playlist_name, wanted.room_name)
    if live == playlist:
        raise _invalid("request has missing or invalid field: live_playlist_name")
    return SegmentsWanted(prefix, playlist, live, output.segment_duration or 4, not output.disable_manifest, _s3(output))


def _images(output: Any) -> ImagesWanted:
    prefix = image_prefix(output.filename_prefix)
    return ImagesWanted(prefix, output.filename_suffix, output.capture_interval or 10, output.width, output.height, _s3(output))


def _only(what: str, wanted: Any) -> Any:
    """The one output of this kind, in its list or in the field that was there before the lists."""
    outputs = list(getattr(wanted, f"{what}_outputs"))
    before = "segments" if what == "segment" else what
    if before in wanted.DESCRIPTOR.fields_by_name and wanted.HasField(before):
        outputs.append(getattr(wanted, before))
    if len(outputs) > 1:
        raise _invalid(f"multiple {what} outputs are not supported")
    return outputs[0] if outputs else None


def _s3(output: Any) -> Any:
    """Where an output goes; None leaves it to the worker's own storage."""
    match output.WhichOneof("output"):
        case None:
            return None
        case "s3":
            return output.s3
        case other:
            raise _invalid(f"storage {other} is not written to here")


def _invalid(message: str) -> PsrpcError:
    return PsrpcError("invalid_argument", message)
