"""The forms of an RTMP address and of a stream key."""

import pytest

from domain.errors import InvalidInput
from domain.streams.destinations.addresses import LONGEST_URL, read_url, require_key

TAKEN = {
    "rtmp://a.rtmp.youtube.com/live2": ("rtmp://a.rtmp.youtube.com/live2", "a.rtmp.youtube.com"),
    "rtmps://live-api-s.facebook.com:443/rtmp/": ("rtmps://live-api-s.facebook.com:443/rtmp", "live-api-s.facebook.com"),
    "RTMP://Live.Twitch.TV/app": ("rtmp://live.twitch.tv/app", "live.twitch.tv"),
    "rtmp://example.org:01935/one/two": ("rtmp://example.org:1935/one/two", "example.org"),
    "rtmp://93.184.216.34/app": ("rtmp://93.184.216.34/app", "93.184.216.34"),
    "rtmps://[2606:2800::7]:1935/app": ("rtmps://[2606:2800::7]:1935/app", "2606:2800::7"),
    "rtmp://localhost/app": ("rtmp://localhost/app", "localhost"),
}
REFUSED = [
    "", "rtmp", "rtmp://", "rtmp:///app", "rtmp://example.org", "rtmp://example.org/", "rtmp://example.org//app",
    "http://example.org/app", "https://example.org/app", "file:///etc/passwd", "srt://example.org/app", "gopher://example.org/app",
    "mux://key", "twitch://key", "rtmpt://example.org/app", " rtmp://example.org/app", "rtmp://example.org/app ",
    "rtmp://user@example.org/app", "rtmp://user:password@example.org/app", "rtmp://example.org@10.0.0.1/app",
    "rtmp://example.org/app?key=1", "rtmp://example.org/app#1", "rtmp://example.org?/app", "rtmp://example.org/a b",
    "rtmp://example.org\\@10.0.0.1/app", "rtmp://example.org/app live=1", "rtmp://example.org/app\n", "rtmp://example.org/\0app",
    "rtmp://127.1/app", "rtmp://2130706433/app", "rtmp://0x7f000001/app", "rtmp://0177.0.0.1/app", "rtmp://example.0x7f/app",
    "rtmp://[::1%25eth0]/app", "rtmp://[::1/app", "rtmp://::1/app", "rtmp://[127.0.0.1]/app", "rtmp://exämple.org/app",
    "rtmp://example.org:0/app", "rtmp://example.org:65536/app", "rtmp://example.org:/app", "rtmp://example..org/app",
    "rtmp://-example.org/app", "rtmp://example.org./app", f"rtmp://{'a' * 64}.org/app", f"rtmp://{'a.' * 127}org/app",
    f"rtmp://example.org/{'a' * LONGEST_URL}",
]  # fmt: skip


@pytest.mark.parametrize(("given", "kept"), TAKEN.items())
def test_an_address_has_one_writing(given: str, kept: tuple[str, str]) -> None:
    target = read_url(given)
    assert (target.url, target.host) == kept
    assert read_url(target.url) == target


@pytest.mark.parametrize("given", REFUSED)
def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(InvalidInput):
        read_url(given)


def test_the_longest_address_is_one() -> None:
    begun = "rtmp://example.org/"
    assert len(read_url(begun + "a" * (LONGEST_URL - len(begun))).url) == LONGEST_URL


@pytest.mark.parametrize("key", ["a", "abcd-1234-efgh", "FB-1-0-Abc?s_bl=1&s_psm=1", "live_1_x~y.z", "k" * 255])
def test_keys(key: str) -> None:
    require_key(key)


@pytest.mark.parametrize("key", ["", " ", "a b", "a/b", "/", "a\\b", "k#1", "ключ", "a\n", "a\0", "k" * 256, "k live=1", '"', "a|b"])
def test_what_is_no_key_is_refused_and_not_quoted(key: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        require_key(key)
    assert len(key) < 3 or key not in str(refusal.value)
