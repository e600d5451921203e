"""What `make demo-stream` stands on, without a stream: it says what is missing, and its encoder and platforms agree on what is shown."""

from pathlib import Path

import pytest

from devstack.demo_stream import __main__ as demo_stream
from devstack.demo_stream.colours import NAMES, RGB, name_of
from devstack.demo_stream.encoder import Encoder
from devstack.demo_stream.platform import platform
from devstack.demo_stream.stage import within

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(("ffmpeg", "chromium"), [(False, True), (True, False), (False, False)], ids=["ffmpeg", "chromium", "both"])
def test_it_says_which_program_is_missing(
    ffmpeg: bool, chromium: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, there in {"ffmpeg": ffmpeg, "chromium": chromium}.items():
        if there:
            (tmp_path / name).touch(mode=0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(tmp_path / "ffmpeg"))
    assert demo_stream.main() == 2
    said = capsys.readouterr().err
    assert said.startswith("demo-stream: ")
    assert ("ffmpeg is missing" in said, "chromium is missing" in said) == (not ffmpeg, not chromium)


@pytest.mark.parametrize("name", NAMES)
def test_a_colour_is_known_by_its_picture(name: str) -> None:
    # As an encoder of limited range leaves it.
    assert name_of([20 if value == 0 else 235 for value in RGB[name]]) == name


async def test_a_platform_knows_what_it_is_shown() -> None:
    async with platform() as one, platform() as other:
        stranger, encoder = Encoder(one.url, other.key, "red"), Encoder(one.url, one.key, "red")
        await stranger.start()
        assert await within(stranger.over(), 10, "another key to be refused") != 0
        await encoder.start()
        try:
            await within(one.shows("red"), 10, "red")
            await encoder.show("green")
            await within(one.shows("green"), 10, "green")
        finally:
            await encoder.stop()
            await stranger.stop()
        await within(one.over.wait(), 10, "the end of it")
        assert not other.over.is_set()
