"""A way to PostgreSQL that freezes: connections stay open and new ones are taken, but nothing comes through any more. Or it is cut."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit


class FreezingProxy:
    """What stands between the service and its database."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._thawed = asyncio.Event()
        self._thawed.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._open: set[asyncio.StreamWriter] = set()
        self._is_cut = False
        # What ends there stays open here, for as long as the proxy stands.
        self.hides_ends = False
        self.end_hidden = asyncio.Event()
        self.in_vain = 0
        self.someone_waits = asyncio.Event()

    def freeze(self) -> None:
        self._thawed.clear()

    def cut(self) -> None:
        """Ends all connections, and each new one at once."""
        self._is_cut = True
        for writer in self._open:
            writer.transport.abort()

    def mend(self) -> None:
        self._is_cut = False

    def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, both ways, for as long as the proxy stands."""
        if self._is_cut:
            self.in_vain += 1
            writer.transport.abort()
            return
        self._open.add(writer)
        self._start(self._connect(reader, writer))

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._thaw()
        there_reader, there_writer = await asyncio.open_connection(self._host, self._port)
        self._open.add(there_writer)
        for source, target in ((reader, there_writer), (there_reader, writer)):
            self._start(self._pass_on(source, target))

    async def _pass_on(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                await self._thaw()
                target.write(data)
                await target.drain()
        except ConnectionError:
            pass
        if self.hides_ends:
            self.end_hidden.set()
        else:
            target.close()

    async def end(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._open:
            writer.transport.abort()

    async def _thaw(self) -> None:
        if not self._thawed.is_set():
            self.someone_waits.set()
        await self._thawed.wait()


@asynccontextmanager
async def freezing_proxy(url: str) -> AsyncIterator[tuple[FreezingProxy, str]]:
    """The proxy and the database's address through it."""
    there = urlsplit(url)
    assert there.hostname is not None and there.port is not None
    proxy = FreezingProxy(there.hostname, there.port)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    here = there._replace(netloc=there.netloc.replace(f"{there.hostname}:{there.port}", f"127.0.0.1:{port}"))
    try:
        yield proxy, urlunsplit(here)
    finally:
        await proxy.end()
        server.close()
