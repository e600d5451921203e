"""Crashes while database and LiveKit are brought together again."""

import asyncio

from livekit import api

from tests.support.killable_service import PATIENCE
from tests.support.waiting import eventually
from tests.trials.crashes.crash import Crash
from tests.trials.crashes.people import act, calls_age_an_hour, carol_comes_back, kick, ring, ring_and_be_heard, seats_age, talk
from tests.trials.trial_call import TrialCall, cut_off


async def carol_comes_back_at_once(on: TrialCall) -> None:
    on.enter(on.carol)


async def room_vanishes(on: TrialCall) -> None:
    """As when LiveKit restarts: nobody is told."""
    del on.simulator.rooms.live[on.room]


async def room_vanishes_for_a_while(on: TrialCall) -> None:
    await room_vanishes(on)
    on.pausable.shut()


async def call_ends_before_its_room_is_back(on: TrialCall) -> None:
    """The room comes first, then the end, then the service's second look at the call: the lock keeps them in this order."""
    await on.pausable.someone_waits.wait()
    await eventually(on.service.is_up, seconds=PATIENCE)
    async with on.row_lock():
        ending = asyncio.create_task(act("alice", "endCall", on))
        await eventually(on.someone_waits_for_a_lock)
        on.pausable.open()
        await eventually(on.has_room)
    with cut_off():
        await ending


async def bob_may_share_by_mistake(on: TrialCall) -> None:
    on.here[on.bob].set_permission(api.ParticipantPermission(can_publish=True, can_subscribe=True, can_publish_data=True))
    on.here[on.bob].message.permission.can_publish_sources.extend([api.TrackSource.MICROPHONE, api.TrackSource.SCREEN_SHARE])


async def half_started(on: TrialCall) -> None:
    """A process died before it asked for the room, some time ago."""
    await on.service.arm("initiate_call.write:after_commit")
    with cut_off():
        await on.ring()
    await on.service.dies("initiate_call.write:after_commit")
    await on.service.start()
    (call,) = await on.calls()
    on.call = call["id"]


async def ended_but_for_the_room(on: TrialCall) -> None:
    await on.service.arm("end_call.write:after_commit")
    with cut_off():
        await act("alice", "endCall", on)
    await on.service.dies("end_call.write:after_commit")


RECONCILER = (
    Crash(
        "watch after a kick",
        ("kick_watch", "rooms.remove_participant@domain.reconciler.kick_watch._remove"),
        [talk, kick],
        carol_comes_back_at_once,
        asleep=True,
    ),
    Crash(
        "reconcile",
        (
            "reconcile.half_started",
            "reconcile.living",
            "reconcile.people",
            "reconcile.looked",
            "rooms.all_rooms@domain.reconciler.round.reconcile",
            "rooms.list_participants@domain.reconciler.compare_call.compare_call",
            "reconcile.call",
        ),
        [talk],
        room_vanishes,
        asleep=True,
    ),
    Crash("room is gone", ("rooms.create_room@domain.calls.repairs._open_room", "room.note"), [ring], room_vanishes, asleep=True),
    Crash("half started", ("rooms.create_room@domain.calls.opening.open_call",), [half_started], calls_age_an_hour, asleep=True),
    Crash(
        "room of an ended call",
        ("reconcile.left_over", "rooms.delete_room@domain.calls.ending.close_room"),
        [talk, ended_but_for_the_room],
        seats_age,
        asleep=True,
    ),
    Crash("mark of a closed room", ("reconcile.closed",), [talk, ended_but_for_the_room], room_vanishes, asleep=True),
    Crash(
        "room of a call that ends",
        ("rooms.delete_room@domain.calls.ending.close_room",),
        [ring_and_be_heard],
        room_vanishes_for_a_while,
        asleep=True,
        meanwhile=call_ends_before_its_room_is_back,
    ),
    Crash("wrong rights", ("rooms.set_grant@domain.calls.repairs.carry_out",), [talk], bob_may_share_by_mistake, asleep=True),
    Crash("one who is out", ("rooms.remove_participant@domain.calls.repairs.carry_out",), [talk, kick], carol_comes_back, asleep=True),
)
