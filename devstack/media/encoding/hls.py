"""Segments and their playlist, each put into the store when the muxer closes it; nothing of them touches the disk."""

import io
from typing import Final

from devstack.media.encoding.muxer import Muxer
from devstack.media.outputs import SegmentsOutput
from devstack.media.storage import UploadFailed
from devstack.media.take import Tell

# For plain names the muxer writes beside and renames, which a hook never sees.
_SCHEME: Final = "mem:/"


def hls(output: SegmentsOutput, failed: Tell) -> Muxer:
    """An EVENT playlist with the date of each segment."""
    wanted = output.wanted

    def opened(url: str, _flags: int, _options: dict[str, str]) -> _Object:
        return _Object(url.removeprefix(_SCHEME), output, failed)

    options = {
        "hls_time": str(wanted.seconds),
        "hls_list_size": "0",
        "hls_playlist_type": "event",
        "hls_flags": "independent_segments+program_date_time",
        "hls_segment_filename": f"{_SCHEME}{wanted.prefix.replace('%', '%%')}_%05d.ts",
    }
    return Muxer(_SCHEME + wanted.playlist, "hls", failed, options, opened)


class _Object(io.BytesIO):
    """An object of the store as a file that is written."""

    def __init__(self, name: str, output: SegmentsOutput, failed: Tell) -> None:
        super().__init__()
        self.name, self._output, self._failed = name, output, failed

    def close(self) -> None:
        # It opens some that it writes nothing into.
        data = b"" if self.closed else self.getvalue()
        super().close()
        if not data:
            return
        try:
            if self.name == self._output.wanted.playlist:
                self._output.put_playlist(data.decode())
            else:
                self._output.put_segment(self.name, data)
        except UploadFailed as error:
            self._failed(error)  # the muxer would take it for an error of its own
