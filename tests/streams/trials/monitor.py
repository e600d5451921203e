"""What the service tells its Redis, command by command."""

import asyncio
from asyncio import StreamReader
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


@asynccontextmanager
async def monitored(redis: str) -> AsyncIterator[list[str]]:
    """Each command that this Redis (`host:port`) is given inside the block, as it tells them itself."""
    host, _, port = redis.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"MONITOR\r\n")
    assert await reader.readline() == b"+OK\r\n"
    commands: list[str] = []
    reading = asyncio.create_task(_read(reader, commands))
    try:
        yield commands
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        writer.close()


async def _read(reader: StreamReader, commands: list[str]) -> None:
    while line := await reader.readline():
        commands.append(line.decode(errors="replace"))
