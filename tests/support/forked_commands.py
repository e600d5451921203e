"""Commands of ours that start at once: what a start imports has been imported before it, and the product's schemas are made."""

import asyncio
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import orjson


class ForkedCommand:
    """A running command, which is no child of ours."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._handle = os.pidfd_open(pid)

    @property
    def running(self) -> bool:
        return not select.select([self._handle], [], [], 0)[0]

    def send_signal(self, signum: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, signum)

    async def end(self) -> None:
        """Kills it, and returns when it is gone."""
        self.send_signal(signal.SIGKILL)
        gone, loop = asyncio.Event(), asyncio.get_running_loop()
        loop.add_reader(self._handle, gone.set)
        await gone.wait()
        loop.remove_reader(self._handle)
        os.close(self._handle)


class ForkedCommands:
    """Runs `nchat-rtc` with these arguments."""

    def __init__(self, server: "subprocess.Popen[bytes]") -> None:
        self._server = server

    def run(self, arguments: Sequence[str], environment: Mapping[str, str], output: Path) -> ForkedCommand:
        """Starts one; whoever starts it ends it. `output` gets what it prints."""
        assert self._server.stdin is not None and self._server.stdout is not None
        order = {"arguments": list(arguments), "environment": dict(environment), "output": str(output)}
        self._server.stdin.write(orjson.dumps(order) + b"\n")
        self._server.stdin.flush()
        return ForkedCommand(int(self._server.stdout.readline()))


@contextmanager
def forked_commands(database_url: str) -> Iterator[ForkedCommands]:
    """Commands can be started until the block ends, over databases like this one."""
    command = [sys.executable, "-m", "tests.support.fork_commands", database_url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None and server.stdout.readline() == b"ready\n"
        yield ForkedCommands(server)
