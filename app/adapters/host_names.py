"""Where names lead: DNS, and whatever else this machine asks."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from domain.ports import IpAddress, Unresolvable

WITHIN: Final = 3.0
# A name server that does not answer holds a thread for longer than we wait: no more than these, and none of those that others need.
THREADS: Final = 64
# As many of them are one person's: whose names are slow waits for these, and nobody else does.
EACH: Final = 2


@dataclass(frozen=True, slots=True)
class _Lookup:
    """A thread that asks, and for whom it was taken; it may outlast everybody who waits."""

    whose: str
    answer: "asyncio.Future[Sequence[str]]"


class SystemHostNames:
    """`domain.ports.HostNames` by the system's resolver; `within` is in seconds, `look` asks it and may block."""

    def __init__(
        self, within: float = WITHIN, *, threads: int = THREADS, each: int = EACH, look: Callable[[str], Sequence[str]] | None = None
    ) -> None:
        self._within, self._most, self._each, self._look = within, threads, each, look or _by_system
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="host-names")
        self._open = dict[str, _Lookup]()

    async def addresses(self, host: str, whose: str) -> Sequence[IpAddress]:
        """All of both kinds, in the order in which a program would try them."""
        try:
            async with asyncio.timeout(self._within):
                # Whoever gives up leaves it to the others who wait for this name.
                found = await asyncio.shield(await self._answer(host, whose))
        except (TimeoutError, OSError, UnicodeError) as error:
            # The class only: some texts quote the name.
            raise Unresolvable(type(error).__name__) from None
        return list(dict.fromkeys(ip_address(one) for one in found))

    async def _answer(self, host: str, whose: str) -> "asyncio.Future[Sequence[str]]":
        """A name that is being looked up is not asked for again: it has one thread, however slow it is and whoever waits for it."""
        while host not in self._open and (busy := self._in_the_way(whose)):
            await asyncio.wait(busy, return_when=asyncio.FIRST_COMPLETED)
        if host not in self._open:
            answer = asyncio.get_running_loop().run_in_executor(self._threads, self._look, host)
            self._open[host] = _Lookup(whose, answer)
            answer.add_done_callback(lambda done: self._over(host, done))
        return self._open[host].answer

    def _in_the_way(self, whose: str) -> "list[asyncio.Future[Sequence[str]]]":
        """One of these has to end first."""
        mine = [one.answer for one in self._open.values() if one.whose == whose]
        if len(mine) >= self._each:
            return mine
        return [one.answer for one in self._open.values()] if len(self._open) >= self._most else []

    def _over(self, host: str, answer: "asyncio.Future[Sequence[str]]") -> None:
        del self._open[host]
        if not answer.cancelled():
            # Perhaps nobody waits for it any more.
            answer.exception()


def _by_system(host: str) -> Sequence[str]:
    return [str(address[0]) for *_, address in socket.getaddrinfo(host, None, 0, socket.SOCK_STREAM)]
