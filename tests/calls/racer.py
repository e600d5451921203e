"""One of several processes that meet at the same calls: `python -m tests.calls.racer URL`, call ids on stdin, then it races.

Says `ready` when it could start and `done` at the end. Every action of every call is in flight at once.
"""

import asyncio
import sys
from uuid import UUID

from domain.calls.answer import accept_call, cancel_call, decline_call
from domain.calls.end import end_call
from domain.errors import ActionError
from tests.support.worlds import ALICE, BOB, Stage, session, stage


async def attempt(on: Stage, action: str, call_id: UUID) -> None:
    """A refusal is an outcome; any other exception ends the process with a traceback."""
    try:
        match action:
            case "accept":
                await accept_call(on.world, session(BOB), call_id)
            case "decline":
                await decline_call(on.world, session(BOB), call_id)
            case "cancel":
                await cancel_call(on.world, session(ALICE), call_id)
            case "end":
                await end_call(on.world, session(ALICE), call_id)
    except ActionError:
        return


async def race(url: str, entries: list[tuple[str, UUID]]) -> None:
    async with stage(url, populate=False) as on:
        say("ready")
        await asyncio.to_thread(sys.stdin.readline)
        await asyncio.gather(*(attempt(on, action, call_id) for action, call_id in entries))
    say("done")


def say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def read_entries() -> list[tuple[str, UUID]]:
    """Lines `action call`, up to an empty one."""
    entries = []
    while line := sys.stdin.readline().split():
        entries.append((line[0], UUID(line[1])))
    return entries


if __name__ == "__main__":
    asyncio.run(race(sys.argv[1], read_entries()))
