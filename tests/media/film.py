"""Short films of one colour with a tone, as a recorder writes them: segments of 4 seconds and their playlist."""

from datetime import UTC, datetime
from pathlib import Path

import av
import numpy as np

from domain.recordings.names import PLAYLIST, SEGMENT

WIDTH, HEIGHT, FRAMES = 160, 90, 5
RATE = 44_100
SECONDS = 4
COLOURS = {"red": (255, 0, 0), "blue": (0, 0, 255)}


def film(folder: Path, colour: str, segments: int) -> dict[str, bytes]:
    """The objects of such a part by their names."""
    folder.mkdir()
    options = {
        "hls_time": str(SECONDS),
        "hls_playlist_type": "event",
        "hls_segment_filename": str(folder / f"{SEGMENT}_%05d.ts"),
        "hls_flags": "independent_segments+program_date_time",
    }
    with av.open(str(folder / f"{PLAYLIST}.m3u8"), "w", format="hls", options=options) as out:
        _write(out, colour, segments * SECONDS)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def playlist(segments: int) -> bytes:
    """What the recorder says when so many are there."""
    lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:4", "#EXT-X-PLAYLIST-TYPE:EVENT"]
    for number in range(segments):
        at = datetime.fromtimestamp(1_790_000_000 + SECONDS * number, UTC).isoformat(timespec="milliseconds")
        lines += [f"#EXT-X-PROGRAM-DATE-TIME:{at}", f"#EXTINF:{SECONDS:.6f},", f"{SEGMENT}_{number:05d}.ts"]
    return "\n".join([*lines, ""]).encode()


def _write(out: av.container.OutputContainer, colour: str, seconds: int) -> None:
    video = out.add_stream("libx264", rate=FRAMES, options={"preset": "ultrafast", "g": str(FRAMES * SECONDS), "sc_threshold": "0"})
    video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    audio = out.add_stream("aac", rate=RATE, layout="mono")
    picture = np.full((HEIGHT, WIDTH, 3), COLOURS[colour], np.uint8)
    tone = (np.sin(2 * np.pi * 440 * np.arange(RATE // FRAMES) / RATE) * 8000).astype(np.int16).reshape(1, -1)
    for number in range(seconds * FRAMES):
        frame = av.VideoFrame.from_ndarray(picture, "rgb24")
        frame.pts = number
        out.mux(video.encode(frame))
        sound = av.AudioFrame.from_ndarray(tone, "s16", "mono")
        sound.sample_rate, sound.pts = RATE, number * tone.shape[1]
        out.mux(audio.encode(sound))
    out.mux([*video.encode(), *audio.encode()])
