"""What runs on a clock, once per tick whatever the number of workers."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from domain import reconciler
from domain.deliveries.events import EVENTS
from domain.deliveries.pushes import PUSHES
from domain.streams import reminders
from domain.streams.ingress.rounds import look_at_ingresses
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
    PeriodicJob("ingresses", "* * * * * */5", look_at_ingresses),
    PeriodicJob("stream_reminders", "* * * * * */5", reminders.remind),
    PeriodicJob("purge_webhooks", "17 * * * * 0", inbox.purge),
    PeriodicJob("purge_pushes", "47 * * * * 0", PUSHES.purge),
    PeriodicJob("purge_events", "52 * * * * 0", EVENTS.purge),
)
