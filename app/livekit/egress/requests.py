"""What a part asks of LiveKit's egress: segments, a file and pictures of one encoding, all under the part's prefix."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from livekit import api

from domain.ports import MediaRefused
from domain.recording_ports import CompositeWanted, EgressWanted, TrackWanted
from domain.recordings.names import FILE, PICTURE, PLAYLIST, SEGMENT

PICTURE_SECONDS: Final = 10
PICTURE_SIZE: Final = (320, 180)
PRESETS: Final = {(1280, 720): api.EncodingOptionsPreset.H264_720P_30, (1920, 1080): api.EncodingOptionsPreset.H264_1080P_30}
AUDIO_SOURCES: Final = ("microphone", "screen_share_audio")


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where the recorder writes. Without keys it is left to the recorder's own configuration."""

    name: str
    endpoint: str = ""
    region: str = ""
    access_key: str = ""
    secret_key: str = ""
    path_style: bool = True

    def upload(self) -> api.S3Upload | None:
        """The outputs' `s3`, or nothing."""
        if not self.access_key:
            return None
        return api.S3Upload(
            access_key=self.access_key,
            secret=self.secret_key,
            region=self.region,
            endpoint=self.endpoint,
            bucket=self.name,
            force_path_style=self.path_style,
        )


def composite_request(
    wanted: EgressWanted, content: CompositeWanted, bucket: Bucket, templates: Mapping[str, str]
) -> api.RoomCompositeEgressRequest:
    """Everybody in the room; LiveKit takes no picture outputs where only sound is recorded.

    Raises MediaRefused when the settings no longer have the template that the recording began with.
    """
    request = api.RoomCompositeEgressRequest(room_name=wanted.room, **_outputs(wanted, bucket))
    if wanted.sends_on:
        # Without an address now, only one that names the protocol takes addresses later.
        request.stream_outputs.append(api.StreamOutput(protocol=api.StreamProtocol.RTMP))
    if content.size is None:
        request.audio_only = True
        return request
    if content.template:
        if content.template not in templates:
            raise MediaRefused(f"NCHAT_RECORDING_TEMPLATES has no {content.template!r} any more")
        request.custom_base_url = templates[content.template]
    request.layout = content.layout
    request.image_outputs.append(_pictures(wanted.path_prefix, bucket))
    if content.size in PRESETS:
        request.preset = PRESETS[content.size]
    else:
        request.advanced.CopyFrom(_advanced(content.size, wanted.segment_seconds))
    return request


def track_request(wanted: EgressWanted, content: TrackWanted, bucket: Bucket) -> api.TrackCompositeEgressRequest:
    """One track: a TrackEgress would write no segments."""
    request = api.TrackCompositeEgressRequest(room_name=wanted.room, **_outputs(wanted, bucket))
    if content.source in AUDIO_SOURCES:
        request.audio_track_id = content.sid
    else:
        request.video_track_id = content.sid
    return request


def _outputs(wanted: EgressWanted, bucket: Bucket) -> dict[str, Any]:
    prefix = wanted.path_prefix
    file = api.EncodedFileOutput(
        file_type=api.EncodedFileType.MP4, filepath=f"{prefix}{FILE}.mp4", disable_manifest=True, s3=bucket.upload()
    )
    segments = api.SegmentedFileOutput(
        protocol=api.SegmentedFileProtocol.HLS_PROTOCOL,
        filename_prefix=f"{prefix}{SEGMENT}",
        playlist_name=f"{prefix}{PLAYLIST}.m3u8",
        segment_duration=wanted.segment_seconds,
        filename_suffix=api.SegmentedFileSuffix.INDEX,
        disable_manifest=True,
        s3=bucket.upload(),
    )
    return {"file_outputs": [file] if wanted.file else [], "segment_outputs": [segments]}


def _pictures(prefix: str, bucket: Bucket) -> api.ImageOutput:
    width, height = PICTURE_SIZE
    return api.ImageOutput(
        capture_interval=PICTURE_SECONDS,
        width=width,
        height=height,
        filename_prefix=f"{prefix}{PICTURE}",
        filename_suffix=api.ImageFileSuffix.IMAGE_SUFFIX_INDEX,
        disable_manifest=True,
        s3=bucket.upload(),
    )


def _advanced(size: tuple[int, int], segment_seconds: int) -> api.EncodingOptions:
    """LiveKit has no preset of this size, and reads an unset field as one of 720p."""
    width, height = size
    return api.EncodingOptions(
        width=width,
        height=height,
        framerate=30,
        video_codec=api.VideoCodec.H264_HIGH,
        video_bitrate=15_000,
        audio_codec=api.AudioCodec.AAC,
        audio_bitrate=128,
        audio_frequency=44_100,
        key_frame_interval=segment_seconds,
    )
