"""What kind of answer an HTTP client asks for: JSON in one of two forms, or a stream of events."""

from collections.abc import Iterator, Mapping

EVENT_STREAM = "text/event-stream"
JSON = "application/json"
RESPONSE_JSON = "application/graphql-response+json"
_JSON = frozenset({JSON, RESPONSE_JSON, "application/*", "*/*"})


def wants_events(method: str, headers: Mapping[str, str]) -> bool:
    """Whether a GET or POST would rather have events than JSON: by quality, and of the same quality what it names first."""
    accept = headers.get("accept", "")
    if EVENT_STREAM not in accept or method not in ("GET", "POST"):
        return False
    known = [(quality, kind) for kind, quality in _ranges(accept) if kind == EVENT_STREAM or kind in _JSON]
    best = max(known, key=lambda pair: pair[0], default=(0.0, ""))
    return best[0] > 0 and best[1] == EVENT_STREAM


def wants_statuses(headers: Mapping[str, str]) -> bool:
    """Whether GraphQL's own media type is more welcome to the client than plain JSON: then statuses tell of errors.

    Plain JSON, and whatever else, is answered with 200, as Hasura's clients expect. Both in one breath are what clients name that
    only look at the body: with another status graphql-request throws what its `errorPolicy` would have kept.
    """
    accept = headers.get("accept", "")
    if RESPONSE_JSON not in accept:
        return False
    qualities = dict(_ranges(accept))
    return qualities.get(RESPONSE_JSON, 0.0) > qualities.get(JSON, 0.0)


def _ranges(accept: str) -> Iterator[tuple[str, float]]:
    for part in accept.lower().split(","):
        kind, *parameters = (word.strip() for word in part.split(";"))
        yield kind, next((_quality(word[2:]) for word in parameters if word.startswith("q=")), 1.0)


def _quality(text: str) -> float:
    """What is no number between 0 and 1 is not asked for."""
    try:
        quality = float(text)
    except ValueError:
        return 0.0
    return quality if 0 <= quality <= 1 else 0.0
