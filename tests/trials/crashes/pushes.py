"""Crashes while pushes are delivered and forgotten."""

from tests.trials.crashes.crash import Crash, nothing
from tests.trials.crashes.people import ring
from tests.trials.trial_call import TrialCall


async def the_pushes_purge_is_due(on: TrialCall) -> None:
    await on.database.execute("UPDATE pgqueuer_schedules SET next_run = now() WHERE entrypoint = 'purge_pushes'")


PUSHES = (
    # To a service that is away: each is tried again and again.
    Crash("push", ("push.age", "push.take", "push.settle"), [ring], nothing),
    Crash("purge of pushes", ("push.purge",), [ring], the_pushes_purge_is_due),
)
