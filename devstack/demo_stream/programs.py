"""The two programs that the demo needs beside the service, and what to do about one that is not there."""

import shutil

from devstack import ffmpeg

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium() -> str | None:
    """The path of the first that is there."""
    return next(filter(None, map(shutil.which, CHROMIUM)), None)


def missing() -> list[str]:
    """A sentence for each that is missing."""
    sentences = []
    if not _ffmpeg():
        sentences.append("ffmpeg is missing: `make setup` brings it with the package imageio-ffmpeg")
    if chromium() is None:
        sentences.append("chromium is missing: `apt-get install chromium`")
    return sentences


def _ffmpeg() -> bool:
    try:
        return shutil.which(ffmpeg.program()) is not None
    except RuntimeError:  # its package's way of saying that there is none
        return False
