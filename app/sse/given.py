"""The request behind a stream of events: a POST's body, or a GET's query as a browser's EventSource sends it."""

import re
from collections.abc import Mapping
from typing import Any

from app.graphql.request_body import request_in_url, request_of
from permissions.errors import GraphQLRefusal
from resolvers.documents.exact_json import read_json
from resolvers.documents.request import Request, Seen

# Of a body, in bytes, as of a message on a websocket; a GET's URL has a bound of its own.
MAX_BYTES = 64 * 1024
# A seq that fits into a bigint for certain, and the epoch that it counts in.
_EVENT_ID = re.compile(r"(\d{1,18})(?:-(\w{1,64}))?", re.ASCII)


def posted(body: bytes, headers: Mapping[str, str], principal: str) -> Request:
    """One request, never a batch; raises GraphQLRefusal."""
    return request_of(_json(body, "$"), principal, len(body))._replace(seen=_seen(headers))


def asked_in_url(query_string: bytes, headers: Mapping[str, str], principal: str) -> Request:
    """One request in a URL; raises GraphQLRefusal."""
    return request_in_url(query_string, principal)._replace(seen=_seen(headers))


def _json(text: bytes, path: str) -> Any:
    try:
        return read_json(text)
    except ValueError:
        raise GraphQLRefusal("invalid-json", "Error in $: not valid JSON", path) from None


def _seen(headers: Mapping[str, str]) -> Seen | None:
    """What an EventSource that lost its connection has; one that has nothing may say so with an empty id. Raises GraphQLRefusal."""
    given = headers.get("last-event-id")
    if not given:
        return None
    event_id = _EVENT_ID.fullmatch(given)
    if event_id is None:
        raise GraphQLRefusal("bad-request", "Last-Event-ID is none that a stream has sent")
    return Seen(int(event_id[1]), event_id[2])
