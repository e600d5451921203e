"""All candidates must give the same answers before they are timed; PostGraphile, whose words are others, the same rows."""

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson


async def ask(port: int, request: bytes) -> Any:
    """The JSON answer to one prepared request."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        at = head.index(b"content-length:") + 15
        return orjson.loads(await reader.readexactly(int(head[at : head.index(b"\r\n", at)])))
    finally:
        writer.close()
        await writer.wait_closed()


async def compare(ports: Sequence[int], questions: Sequence[Sequence[bytes]]) -> int:
    """Asks every question of the service, the ceiling and, if it is there, the peer; returns how many answers held data.

    Raises on the first difference.
    """
    with_data = 0
    for question in questions:
        one, other, *more = [unordered(await ask(port, request)) for port, request in zip(ports, question, strict=True)]
        if one != other:
            raise RuntimeError(f"the answers differ:\n{str(one)[:800]}\n{str(other)[:800]}")
        for peer in more:
            if _ids(one, "id") != _ids(peer, "rowId"):
                raise RuntimeError(f"other rows:\n{str(one)[:800]}\n{str(peer)[:800]}")
        with_data += any(one["data"].values())
    return with_data


def _ids(answer: Any, key: str) -> list[str]:
    """Of the rows at the root, in their order."""
    (found,) = answer["data"].values()
    rows = found["nodes"] if isinstance(found, dict) and "nodes" in found else found
    return [row[key] for row in (rows if isinstance(rows, list) else [rows]) if row is not None]


def unordered(answer: Any) -> Any:
    """People within a call have no order in either candidate; calls do."""
    for call in answer["data"].get("nchat_calls") or []:
        call["call_participants"].sort(key=lambda person: person["user_id"])
    return answer
