"""Periodic jobs in pgqueuer: the schedule's row in PostgreSQL gives each tick to one worker."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import asyncpg
from pgqueuer import PgQueuer
from pgqueuer.models import Schedule

from app.jobs.periodic import PERIODIC, PeriodicJob
from app.jobs.supervision import Supervisor
from domain.world import World

# A worker beats once a second for each schedule it runs. pgqueuer waits 30 s before it takes a dead worker's schedule for
# free; a restarted service has no longer than that to bring database and LiveKit together again.
FREE_LAPSED: Final = """
    UPDATE pgqueuer_schedules SET status = 'queued', updated = now()
    WHERE status = 'picked' AND heartbeat < now() - interval '5 seconds'
"""


async def run_scheduler(pool: "asyncpg.Pool", world: World, supervisor: Supervisor) -> None:
    """Runs the periodic jobs until cancelled; raises when the database goes away."""
    scheduler = PgQueuer.from_asyncpg_pool(pool).sm
    for job in PERIODIC:
        scheduler.schedule(job.name, job.schedule)(tick(job, world, supervisor))
    try:
        await scheduler.run()
    finally:
        scheduler.shutdown.set()


def tick(job: PeriodicJob, world: World, supervisor: Supervisor) -> Callable[[Schedule], Awaitable[None]]:
    """What pgqueuer calls when the job is due."""

    async def run(_schedule: Schedule) -> None:
        await supervisor.attempt(job.name, partial(_run, job, world))

    return run


async def free_lapsed(pool: "asyncpg.Pool") -> None:
    """Gives back the schedules whose worker died in the middle of them."""
    await pool.execute(FREE_LAPSED)


async def _run(job: PeriodicJob, world: World) -> None:
    await job.run(world)
