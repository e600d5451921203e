"""The service's background work as one thing that starts and stops with it."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final

import asyncpg

from app.jobs.follow_ups import FollowUps
from app.jobs.loops import (
    decide_timeouts,
    drive_recordings,
    find_timeouts,
    put_viewers_out,
    remove_recordings,
    repackage_streams,
    send_streams_on,
    tell_events,
    tell_pushes,
    work_on_recordings,
    work_out_webhooks,
)
from app.jobs.scheduler import free_lapsed, run_scheduler
from app.jobs.supervision import ObserveJob, Supervisor, Work, uncounted, wait_for
from domain import reconciler
from domain.reconciler import kick_watch
from domain.recordings.clips.copying import copy_due
from domain.recordings.ending.deadlines import end_due
from domain.recordings.ending.finishing import finish
from domain.recordings.joining.joining import join_due
from domain.recordings.late.moving import move_late
from domain.recordings.manners.consent import begin_agreed
from domain.recordings.recorder.strays import stop_strays
from domain.recordings.recorder.tracks import record_new_tracks
from domain.recordings.recorder.watching import watch
from domain.streams.chat.bans import expire_all_bans
from domain.streams.destinations.rows import TOPIC as OUTPUTS_TOPIC
from domain.streams.destinations.watching import watch_outputs
from domain.streams.health.looking import look_at_streams
from domain.streams.viewers.lost import Listening
from domain.streams.viewers.out_of_room import note_closed_rooms, take_out
from domain.streams.viewers.telling import tell_counts
from domain.streams.viewers.unseeing.rounds import end_unseeing_in_rooms
from domain.timeouts import TIMEOUTS, Timeout
from domain.webhooks import inbox
from domain.world import World

# Seconds between two looks when nothing wakes the loop.
WEBHOOKS_EVERY: Final = 1.0
BACKLOG_EVERY: Final = 2.0
KICK_WATCH_EVERY: Final = 1.0
BANS_EVERY: Final = 1.0
# When nothing was found due; what was is decided at once.
TIMEOUTS_ANYWAY: Final = 60.0
RECORDING_WATCH_EVERY: Final = 1.0
STRAYS_EVERY: Final = 15.0
JOINS_EVERY: Final = 2.0
REMOVALS_EVERY: Final = 2.0
LATE_EVERY: Final = 1.0
DASH_EVERY: Final = 1.0
STREAM_LOOKS_EVERY: Final = 1.0
FREE_LAPSED_EVERY: Final = 2.0
LOST_EVERY: Final = 1.0
# Whoever may not see a stream any more is to be out of its room within two seconds, however many they are.
UNSEEING_EVERY: Final = 0.5
COUNTS_EVERY: Final = 0.3
STOP_WITHIN: Final = 0.5
# Until LiveKit answers for the first time.
CATCH_UP_EVERY: Final = 2.0


# Hears for how many seconds the oldest webhook waits that is not worked out.
ObserveBacklog = Callable[[float], None]


def unwatched(_seconds: float) -> None:
    """The default hook: nobody looks."""


class Jobs:
    """Running jobs. `wake` starts the processing of webhooks at once; `stop` ends everything and returns when it has ended."""

    def __init__(self, world: World, pool: "asyncpg.Pool", supervisor: Supervisor, backlog: ObserveBacklog) -> None:
        self._world, self._supervisor = world, supervisor
        self._new_webhook, self._looked = asyncio.Event(), asyncio.Event()
        self._follow_ups = FollowUps(supervisor)
        webhooks = partial(work_out_webhooks, world, self._follow_ups, self._new_webhook)
        loops: list[tuple[str, Work]] = [
            ("catch_up", partial(_catch_up, world, supervisor, self._looked)),
            ("scheduler", partial(run_scheduler, pool, world, supervisor)),
            self._loop("webhooks", WEBHOOKS_EVERY, webhooks, self._new_webhook),
            *self._timeouts([timeout for timeout in TIMEOUTS if timeout.matters(world)]),
            self._loop("kick_watch", KICK_WATCH_EVERY, partial(kick_watch.watch, world)),
            self._loop("ban_expiry", BANS_EVERY, partial(expire_all_bans, world)),
            self._loop("free_lapsed", FREE_LAPSED_EVERY, partial(free_lapsed, pool)),
            *self._audiences(world, supervisor),
            *([] if world.push_service is None else [("push_delivery", partial(tell_pushes, world, supervisor))]),
            *([] if world.event_receiver is None else [("event_delivery", partial(tell_events, world, supervisor))]),
            *([] if world.store is None else [self._loop("recording_removal", REMOVALS_EVERY, partial(remove_recordings, world))]),
            *([] if world.store is None else [self._clips(world, supervisor)]),
            *([] if world.store is None else [self._loop("late_segments", LATE_EVERY, partial(move_late, world))]),
            *([] if world.packager is None else [self._dash(world)]),
            *([] if world.recorder is None else self._recording(world, supervisor)),
            self._loop("stream_looks", STREAM_LOOKS_EVERY, partial(look_at_streams, world)),
            self._loop("webhook_backlog", BACKLOG_EVERY, partial(_backlog, world, backlog)),
        ]
        self._tasks = [asyncio.create_task(supervisor.keep_running(name, work), name=name) for name, work in loops]

    def wake(self) -> None:
        """A webhook was stored."""
        self._new_webhook.set()

    async def stop(self) -> None:
        """What waits for a database that does not answer is left behind: its connections are cut next, and that ends it."""
        tasks = [*self._tasks, *self._follow_ups.running]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=STOP_WITHIN)

    def _clips(self, world: World, supervisor: Supervisor) -> tuple[str, Work]:
        """Also where nothing is recorded any more."""
        return "recording_clips", partial(work_on_recordings, world, supervisor, "recording_clips", partial(copy_due, world))

    def _dash(self, world: World) -> tuple[str, Work]:
        return self._loop("stream_dash_due", DASH_EVERY, partial(repackage_streams, world, self._follow_ups))

    def _audiences(self, world: World, supervisor: Supervisor) -> list[tuple[str, Work]]:
        out = "viewers_out_of_room"
        return [
            self._loop("stream_counts", COUNTS_EVERY, partial(tell_counts, world)),
            self._loop("viewers_lost", LOST_EVERY, Listening(world).end_lost),
            self._loop("viewers_rooms_closed", LOST_EVERY, partial(note_closed_rooms, world)),
            self._loop("viewers_unseeing", UNSEEING_EVERY, partial(end_unseeing_in_rooms, world)),
            (out, partial(put_viewers_out, world, supervisor, out, partial(take_out, world))),
        ]

    def _recording(self, world: World, supervisor: Supervisor) -> list[tuple[str, Work]]:
        on_news: dict[str, Work] = {
            "recordings": partial(drive_recordings, world, self._follow_ups),
            "recording_deadlines": partial(end_due, world),
            "recording_consents": partial(begin_agreed, world),
            "recording_tracks": partial(record_new_tracks, world),
            "recording_finish": partial(finish, world),
        }
        joining = self._loop("recording_join", JOINS_EVERY, partial(join_due, world))
        watching = self._loop("recording_watch", RECORDING_WATCH_EVERY, partial(watch, world))
        strays = self._loop("stray_egresses", STRAYS_EVERY, partial(stop_strays, world))
        following = [(name, partial(work_on_recordings, world, supervisor, name, work)) for name, work in on_news.items()]
        return [*following, joining, watching, strays, *self._sending(world, supervisor)]

    def _sending(self, world: World, supervisor: Supervisor) -> list[tuple[str, Work]]:
        on_news: dict[str, Work] = {
            "stream_outputs": partial(send_streams_on, world, self._follow_ups),
            "stream_output_watch": partial(watch_outputs, world),
        }
        return [(name, partial(work_on_recordings, world, supervisor, name, work, OUTPUTS_TOPIC)) for name, work in on_news.items()]

    def _timeouts(self, timeouts: Sequence[Timeout[Any]]) -> Iterator[tuple[str, Work]]:
        """One loop asks what is due of all that are looked at as often; each kind is decided in its own: none waits for another."""
        due = {timeout.name: asyncio.Event() for timeout in timeouts}
        for every in sorted({timeout.every for timeout in timeouts}):
            some = [timeout for timeout in timeouts if timeout.every == every]
            yield self._loop(f"timeouts_of_{every:g}_s", every, partial(find_timeouts, self._world, some, due))
        for timeout in timeouts:
            yield self._loop(f"timeout_{timeout.name}", TIMEOUTS_ANYWAY, self._deciding(timeout), due[timeout.name])

    def _deciding(self, timeout: Timeout[Any]) -> Work:
        return partial(decide_timeouts, self._world, timeout, self._follow_ups, self._looked)

    def _loop(self, name: str, seconds: float, work: Work, wake: asyncio.Event | None = None) -> tuple[str, Work]:
        return name, partial(self._supervisor.every, seconds, name, work, wake=wake)


async def start_jobs(world: World, pool: "asyncpg.Pool", *, observe: ObserveJob = uncounted, backlog: ObserveBacklog = unwatched) -> Jobs:
    """Starts the background work on a migrated database. `pool` needs connections of its own: `scheduler` keeps none."""
    return Jobs(world, pool, Supervisor(observe), backlog)


async def _catch_up(world: World, supervisor: Supervisor, looked: asyncio.Event) -> None:
    """At start: what happened at LiveKit while no service was running, before any timeout decides without knowing. Then it rests."""
    never = asyncio.Event()
    answered = False
    while not answered:
        answered = await supervisor.attempt("reconcile", partial(_look_once, world))
        looked.set()
        if not answered:
            await wait_for(never, CATCH_UP_EVERY)
    await never.wait()


async def _look_once(world: World) -> None:
    """LiveKit has answered; what failed by itself was told of, and is for the next round."""
    with suppress(ExceptionGroup):
        await reconciler.reconcile(world)


async def _backlog(world: World, observe: ObserveBacklog) -> None:
    observe(await inbox.oldest_age(world))
