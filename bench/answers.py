"""Both candidates must give the same answers before they are timed."""

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


async def compare(ports: tuple[int, int], pairs: Sequence[tuple[bytes, bytes]]) -> int:
    """Asks both every question; returns how many answers held data, raises on the first difference."""
    with_data = 0
    for first, second in pairs:
        one, other = unordered(await ask(ports[0], first)), unordered(await ask(ports[1], second))
        if one != other:
            raise RuntimeError(f"the answers differ:\n{str(one)[:800]}\n{str(other)[:800]}")
        with_data += any(one["data"].values())
    return with_data


def unordered(answer: Any) -> Any:
    """People within a call have no order in either candidate; calls do."""
    for call in answer["data"].get("nchat_calls") or []:
        call["call_participants"].sort(key=lambda person: person["user_id"])
    return answer
