"""The events of graphql-sse's protocol, as bytes of a `text/event-stream`."""

COMPLETE = b"event: complete\ndata:\n\n"
# A comment, which clients pass over.
KEEPALIVE = b":\n\n"
# A line of an event ends with either of these; in JSON they are nothing but white space, since texts have them escaped.
_LINE_ENDS = bytes.maketrans(b"\r\n", b"  ")


def next_event(payload: bytes, event_id: str | None = None) -> bytes:
    """A payload, which is JSON; with the id a client that comes again says how far it was (`Last-Event-ID`)."""
    place = b"" if event_id is None else b"id: " + event_id.encode() + b"\n"
    # Most are one line already, and some are large.
    line = payload.translate(_LINE_ENDS) if b"\n" in payload or b"\r" in payload else payload
    return b"".join((b"event: next\n", place, b"data: ", line, b"\n\n"))
