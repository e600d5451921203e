"""The ffmpeg program of the development environment: a wheel's own, whatever the machine has."""

import imageio_ffmpeg


def program() -> str:
    """Its path."""
    path: str = imageio_ffmpeg.get_ffmpeg_exe()
    return path
