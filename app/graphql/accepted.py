"""What kind of answer an HTTP client asks for: JSON, or a stream of events."""

from collections.abc import Iterator, Mapping

EVENT_STREAM = "text/event-stream"
_JSON = frozenset({"application/json", "application/graphql-response+json", "application/*", "*/*"})


def wants_events(method: str, headers: Mapping[str, str]) -> bool:
    """Whether a GET or POST would rather have events than JSON: by quality, and of the same quality what it names first."""
    accept = headers.get("accept", "")
    if EVENT_STREAM not in accept or method not in ("GET", "POST"):
        return False
    known = [(quality, kind) for kind, quality in _ranges(accept) if kind == EVENT_STREAM or kind in _JSON]
    best = max(known, key=lambda pair: pair[0], default=(0.0, ""))
    return best[0] > 0 and best[1] == EVENT_STREAM


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
