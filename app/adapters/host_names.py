"""Where names lead: DNS, and whatever else this machine asks."""

import asyncio
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import Final

from domain.ports import IpAddress, Unresolvable

WITHIN: Final = 3.0
# A name server that does not answer holds a thread for longer than we wait: no more than these, and none of those that others need.
THREADS: Final = 4


class SystemHostNames:
    """`domain.ports.HostNames` by the system's resolver; `within` is in seconds."""

    def __init__(self, within: float = WITHIN) -> None:
        self._within = within
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="host-names")

    async def addresses(self, host: str) -> Sequence[IpAddress]:
        """All of both kinds, in the order in which a program would try them."""
        looking = asyncio.get_running_loop().run_in_executor(self._threads, socket.getaddrinfo, host, None, 0, socket.SOCK_STREAM)
        try:
            async with asyncio.timeout(self._within):
                found = await looking
        except (TimeoutError, OSError, UnicodeError) as error:
            # The class only: some texts quote the name.
            raise Unresolvable(type(error).__name__) from None
        return list(dict.fromkeys(ip_address(str(address[0])) for *_, address in found))
