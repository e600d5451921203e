"""What of a caller's request a webhook is told."""

import re
from collections.abc import Mapping
from typing import Final

import orjson

from app.auth.refusals import invalid_headers
from app.auth.strict_json import read_json
from permissions.errors import GraphQLRefusal
from resolvers.documents import exact_json

# What belongs to the caller's connection and to the form of its request (Hasura's `commonClientHeadersIgnored`).
_OF_THE_REQUEST: Final = {"host", "origin", "referer", "user-agent", "dnt", "connection", "cache-control"} | {
    *("content-length", "content-md5", "content-type"),
    *("accept", "accept-encoding", "accept-language", "accept-datetime"),
}
# One hop's own (RFC 9110): passed on, they would say of our request what was true of the caller's.
_OF_ONE_HOP: Final = {"keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "expect"} | {
    *("proxy-authenticate", "proxy-authorization", "proxy-connection"),
}
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")
# A header ends at the end of its line, and a websocket's first message may hold any text.
_VALUE: Final = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]*")


def forwarded_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Those that go on as headers; raises invalid-headers for one that would be two."""
    for name, value in headers.items():
        if _NAME.fullmatch(name) is None or _VALUE.fullmatch(value) is None:
            raise invalid_headers("a header holds characters that no header can hold")
    return {
        name: value
        for name, value in headers.items()
        if name not in _OF_THE_REQUEST and name not in _OF_ONE_HOP and not name.startswith("sec-websocket-")
    }


def posted(headers: Mapping[str, str], body: bytes | None, with_request: bool) -> bytes:
    """The JSON of a POST: all headers, and the request where it is wanted and there is one that can be read."""
    told: dict[str, object] = {"headers": {name: _text(value) for name, value in headers.items()}}
    if with_request:
        told["request"] = _request(body)
    return orjson.dumps(told)


def _request(body: bytes | None) -> orjson.Fragment | None:
    if body is None:
        return None
    try:
        read_json(body)
    except ValueError:
        _refuse_what_else_would_run(body)
        return None
    return orjson.Fragment(body)


def _refuse_what_else_would_run(body: bytes) -> None:
    """What can't be judged is not run: of a key that stands twice the webhook might read the other one. The rest is refused later."""
    try:
        exact_json.read_json(body)
    except ValueError:
        return
    raise GraphQLRefusal("invalid-json", "Error in $: a key stands twice, or a number is none that JSON knows")


def _text(value: str) -> str:
    return value.encode("utf-8", "replace").decode()
