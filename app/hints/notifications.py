"""Topics as the payloads of PostgreSQL's NOTIFY: text without any character that an encoding lacks, and below its limit of 8,000 bytes."""

from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import quote, unquote

# PostgreSQL refuses a payload of 8,000 bytes.
MOST_BYTES: Final = 7_999


def packed(origin: str, topics: Sequence[str]) -> Iterator[str]:
    """As few payloads as hold all topics, each with the `origin`, which has no space.

    A topic that fits into none is left out: who follows it finds the change by looking.
    """
    taken, size = [origin], len(origin)
    for word in (quote(topic, safe=":", errors="replace") for topic in topics):
        if len(origin) + 1 + len(word) > MOST_BYTES:
            continue
        if size + 1 + len(word) > MOST_BYTES:
            yield " ".join(taken)
            taken, size = [origin], len(origin)
        taken.append(word)
        size += 1 + len(word)
    if len(taken) > 1:
        yield " ".join(taken)


def unpacked(payload: str) -> tuple[str, list[str]]:
    """Origin and topics; whatever else somebody notified there is an origin without topics, or topics that nobody follows."""
    origin, *words = payload.split(" ")
    return origin, [unquote(word) for word in words]
