"""The service's background work as one thing that starts and stops with it."""

import asyncio
from functools import partial
from typing import Final

import asyncpg

from app.jobs.scheduler import free_lapsed, run_scheduler
from app.jobs.supervision import ObserveJob, Supervisor, Work, uncounted, wait_for
from domain import reconciler, timeouts
from domain.reconciler import kick_watch
from domain.webhooks import inbox
from domain.world import World

# Seconds between two looks when nothing wakes the loop.
WEBHOOKS_EVERY: Final = 1.0
KICK_WATCH_EVERY: Final = 1.0
FREE_LAPSED_EVERY: Final = 2.0
STOP_WITHIN: Final = 0.5
# Until LiveKit answers for the first time.
CATCH_UP_EVERY: Final = 2.0


class Jobs:
    """Running jobs. `wake` starts the processing of webhooks at once; `stop` ends everything and returns when it has ended."""

    def __init__(self, world: World, pool: "asyncpg.Pool", observe: ObserveJob) -> None:
        self._new_webhook = asyncio.Event()
        supervisor = Supervisor(observe)
        loops = self._loops(world, pool, supervisor)
        self._tasks = [asyncio.create_task(supervisor.keep_running(name, work), name=name) for name, work in loops]

    def wake(self) -> None:
        """A webhook was stored."""
        self._new_webhook.set()

    async def stop(self) -> None:
        """What waits for a database that does not answer is left behind: its connections are cut next, and that ends it."""
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks, timeout=STOP_WITHIN)

    def _loops(self, world: World, pool: "asyncpg.Pool", supervisor: Supervisor) -> list[tuple[str, Work]]:
        webhooks = partial(inbox.process_pending, world)
        kicked = partial(kick_watch.watch, world)
        every = supervisor.every
        return [
            ("catch_up", partial(_catch_up, world, supervisor)),
            ("scheduler", partial(run_scheduler, pool, world, supervisor)),
            ("webhooks", partial(every, WEBHOOKS_EVERY, "webhooks", webhooks, wake=self._new_webhook)),
            ("kick_watch", partial(every, KICK_WATCH_EVERY, "kick_watch", kicked)),
            ("free_lapsed", partial(every, FREE_LAPSED_EVERY, "free_lapsed", partial(free_lapsed, pool))),
        ]


async def start_jobs(world: World, pool: "asyncpg.Pool", *, observe: ObserveJob = uncounted) -> Jobs:
    """Starts the background work on a migrated database. `pool` needs connections of its own: `scheduler` keeps none."""
    return Jobs(world, pool, observe)


async def _catch_up(world: World, supervisor: Supervisor) -> None:
    """At start, before the first tick: what happened while no service was running. Then it rests."""
    await supervisor.attempt("timeouts", partial(timeouts.run_timeouts, world))
    never = asyncio.Event()
    while not await reconciler.reconcile(world):
        await wait_for(never, CATCH_UP_EVERY)
    await never.wait()
