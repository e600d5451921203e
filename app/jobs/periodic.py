"""What runs on a clock, once per tick whatever the number of workers."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from domain import reconciler
from domain.event_delivery.waiting_events import purge_events
from domain.pushes import waiting
from domain.webhooks import inbox
from domain.world import World


@dataclass(frozen=True, slots=True)
class PeriodicJob:
    """`schedule` is a cron line with seconds in its sixth field. `run` is safe to run twice and on several workers."""

    name: str
    schedule: str
    run: Callable[[World], Awaitable[object]]


PERIODIC: Final[tuple[PeriodicJob, ...]] = (
    PeriodicJob("reconcile", "* * * * * */15", reconciler.reconcile),
    PeriodicJob("purge_webhooks", "17 * * * * 0", inbox.purge),
    PeriodicJob("purge_pushes", "47 * * * * 0", waiting.purge),
    PeriodicJob("purge_events", "52 * * * * 0", purge_events),
)
