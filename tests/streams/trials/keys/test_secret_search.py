"""The search itself: what hides a secret in one of these forms is found, and nothing else is."""

from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote

import pytest

from tests.streams.trials.keys.secret_search import found

SECRET = "key~1+2=3?4&5:67@9%Z"


@pytest.mark.parametrize(
    "text",
    [
        f"rtmp://example.org/live/{SECRET}",
        f"{{…{SECRET[-8:]}}}",
        f"?key={quote(SECRET, safe='')}",
        b64encode(SECRET.encode()).decode(),
        b64encode(f"x{SECRET} and more".encode()).decode(),
        urlsafe_b64encode(f"xy{SECRET}!".encode()).decode(),
        f"\\x00{SECRET.encode().hex()}00",
    ],
    ids=["plain", "end", "URL", "base64", "base64 one later", "base64 two later", "bytes of PostgreSQL"],
)
def test_it_is_found(text: str) -> None:
    told = list(found({"a key": SECRET}, {"a place": text, "another": "nothing"}))
    assert told and all(one.startswith("a key (") and one.endswith(") in a place") for one in told)


def test_nothing_else_is() -> None:
    assert list(found({"a key": SECRET}, {"a place": SECRET[:-1] + "{key}" + b64encode(b"something else").decode()})) == []
