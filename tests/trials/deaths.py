"""Every way a service process dies in the midst of a call: what goes before, what is under way, and at which points it ends."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from livekit import api

from tests.support.mortals import PATIENCE
from tests.support.waiting import eventually
from tests.trials.company import Company, cut_off

Step = Callable[[Company], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Death:
    """`asleep`: `during` happens while no service runs, and the next one dies at its own work. Otherwise `during` is a request.

    `points` are transactions, and calls of a port with the function that makes them. `faults` are methods of LiveKit that fail
    until the process is dead. `meanwhile` goes on beside a start that ends in death. `again` are the codes that the same request
    may get afterwards, "" for none.
    """

    name: str
    points: tuple[str, ...]
    before: Sequence[Step]
    during: Step
    again: frozenset[str] = frozenset({""})
    asleep: bool = False
    faults: tuple[str, ...] = ()
    meanwhile: Step | None = None

    @property
    def is_request(self) -> bool:
        """Whether a client asked for it, and may ask again."""
        return not self.asleep and not self.name.startswith(("webhook", "purge"))

    def moments(self) -> list[str]:
        """Each point twice: before and after."""
        return [moment for point in self.points for moment in _around(point)]


def _around(point: str) -> tuple[str, str]:
    method, at, site = point.partition("@")
    return (f"{method}:before@{site}", f"{method}:after@{site}") if at else (f"{point}:before_commit", f"{point}:after_commit")


async def ring(on: Company) -> None:
    await on.ring()


async def ring_and_be_heard(on: Company) -> None:
    """No webhook is on its way any more."""
    await on.ring()
    await eventually(on.start_is_heard)


async def ring_both(on: Company) -> None:
    await on.ring(on.bob, on.carol)


async def accept(on: Company) -> None:
    await on.act(on.bob, "acceptCall")


async def talk(on: Company) -> None:
    await on.talk()


async def talk_alone(on: Company) -> None:
    await on.talk(on.bob)


async def kick(on: Company) -> None:
    await on.act(on.alice, "kickParticipant", participantId=await on.participant(on.carol))


async def mute(on: Company) -> None:
    await on.act(on.alice, "muteParticipant", participantId=await on.participant(on.bob), trackType="audio")


async def readmit(on: Company) -> None:
    await on.act(on.alice, "readmitParticipant", participantId=await on.participant(on.carol))


async def invite(on: Company) -> None:
    await on.act(on.alice, "inviteToCall", userIds=[str(on.carol)])


async def only_viewers_stay(on: Company) -> None:
    await on.database.execute("UPDATE nchat_call_participants SET role = 'viewer' WHERE call_id = $1 AND role <> 'host'", on.call)


async def ask_for_ice_servers(on: Company) -> None:
    await on.caller(on.alice).data("{ iceServers { ttl } }")


async def enter_bob(on: Company) -> None:
    on.enter(on.bob, "microphone", "camera")


async def carol_comes_back(on: Company) -> None:
    """With her old token, when nobody watches for her any more."""
    await on.long_ago("nchat_call_participants", "status_since")
    on.enter(on.carol)


async def carol_comes_back_at_once(on: Company) -> None:
    on.enter(on.carol)


async def bob_is_lost(on: Company) -> None:
    on.lose(on.bob)
    await eventually(partial(on.stands, on.bob, "disconnected"))


async def room_vanishes(on: Company) -> None:
    """As when LiveKit restarts: nobody is told."""
    del on.simulator.rooms.live[on.room]


async def room_vanishes_for_a_while(on: Company) -> None:
    await room_vanishes(on)
    on.turnstile.shut()


async def call_ends_before_its_room_is_back(on: Company) -> None:
    """The room comes first, then the end, then the service's second look at the call: the lock keeps them in this order."""
    await on.turnstile.someone_waits.wait()
    await eventually(on.service.is_up, seconds=PATIENCE)
    async with on.row_lock():
        ending = asyncio.create_task(act("alice", "endCall", on))
        await eventually(on.someone_waits_for_a_lock)
        on.turnstile.open()
        await eventually(on.has_room)
    with cut_off():
        await ending


async def bob_may_share_by_mistake(on: Company) -> None:
    on.here[on.bob].set_permission(api.ParticipantPermission(can_publish=True, can_subscribe=True, can_publish_data=True))
    on.here[on.bob].message.permission.can_publish_sources.extend([api.TrackSource.MICROPHONE, api.TrackSource.SCREEN_SHARE])


async def half_started(on: Company) -> None:
    """A process died before it asked for the room, some time ago."""
    await on.service.arm("initiate_call.write:after_commit")
    with cut_off():
        await on.ring()
    await on.service.dies("initiate_call.write:after_commit")
    await on.service.start()
    (call,) = await on.calls()
    on.call = call["id"]


async def ended_but_for_the_room(on: Company) -> None:
    await on.service.arm("end_call.write:after_commit")
    with cut_off():
        await act("alice", "endCall", on)
    await on.service.dies("end_call.write:after_commit")


async def scheduled_through_the_table(on: Company) -> None:
    query = 'mutation { insert_nchat_calls_one(object: {type: "audio"}) { id } }'
    on.call = (await on.caller(on.alice).data(query))["insert_nchat_calls_one"]["id"]


async def the_purge_is_due(on: Company) -> None:
    await on.database.execute("UPDATE pgqueuer_schedules SET next_run = now() WHERE entrypoint = 'purge_webhooks'")


async def calls_age(on: Company, column: str, hours: int = 1) -> None:
    await on.long_ago("nchat_calls", column, hours=hours)


async def calls_age_an_hour(on: Company) -> None:
    await calls_age(on, "status_since")


async def seats_age(on: Company) -> None:
    await on.long_ago("nchat_call_participants", "status_since")


async def act(who: str, name: str, on: Company, /, **fields: object) -> None:
    await on.act(getattr(on, who), name, **fields)


def request(who: str, name: str, **fields: object) -> Step:
    return partial(act, who, name, **fields)


def timeout(name: str, before: Sequence[Step], during: Step, *told: str) -> Death:
    return Death(f"timeout {name}", (f"timeout.{name}.due", f"timeout.{name}", *told), before, during, asleep=True)


def known(*codes: str) -> frozenset[str]:
    return frozenset({"", *codes})


DEATHS = (
    Death(
        "initiate",
        ("initiate_call.write", "rooms.create_room@domain.calls.initiate.open_call", "initiate_call.ring", "initiate_call.answer"),
        [],
        ring_both,
    ),
    Death("initiate without LiveKit", ("initiate_call.fail",), [], ring, faults=("CreateRoom",)),
    Death("accept", ("accept_call.write",), [ring], request("bob", "acceptCall"), known("answered-elsewhere")),
    Death(
        "decline",
        ("decline_call.write", "rooms.delete_room@domain.calls.ending.close_room"),
        [ring],
        request("bob", "declineCall"),
        known("call-ended"),
    ),
    Death("cancel", ("cancel_call.write",), [ring], request("alice", "cancelCall"), known("call-ended")),
    Death("end", ("end_call.write",), [talk], request("alice", "endCall"), known("call-ended")),
    Death("invite", ("invite_to_call.write",), [ring, accept], invite),
    Death("ice servers", ("ice_servers.read",), [ring], ask_for_ice_servers),
    Death("join", ("join_call.write",), [ring_both, accept], request("carol", "joinCall")),
    Death("refresh", ("refresh_call_token.write",), [ring, accept], request("bob", "refreshCallToken")),
    Death("mute oneself", ("set_muted.write",), [ring, accept], request("bob", "setMuted", trackType="audio", muted=True)),
    Death(
        "mute",
        (
            "mute_participant.check",
            "rooms.list_participants@domain.calls.mute._mute_tracks",
            "rooms.mute_track@domain.calls.mute._mute_tracks",
            "mute_participant.write",
        ),
        [talk],
        mute,
    ),
    Death("kick", ("kick_participant.write", "rooms.remove_participant@domain.calls.kick.remove"), [talk], kick),
    Death("readmit", ("readmit_participant.write",), [talk, kick], readmit, known("invalid-input")),
    Death(
        "leave",
        ("leave_call.write", "rooms.remove_participant@domain.calls.leave.after_leaving"),
        [talk],
        request("bob", "leaveCall"),
    ),
    Death(
        "leave it to a viewer",
        ("rooms.set_grant@domain.calls.leave.tell_heir",),
        [talk, only_viewers_stay],
        request("alice", "leaveCall"),
    ),
    Death(
        "share a screen",
        ("start_screen_share.write", "rooms.set_grant@domain.calls.screen_share.start_screen_share"),
        [talk],
        request("bob", "startScreenShare"),
    ),
    Death("share without LiveKit", ("start_screen_share.undo",), [talk], request("bob", "startScreenShare"), faults=("UpdateParticipant",)),
    Death(
        "stop sharing",
        ("stop_screen_share.write", "rooms.set_grant@domain.calls.screen_share._revoke"),
        [talk, request("bob", "startScreenShare")],
        request("bob", "stopScreenShare"),
    ),
    Death("webhook", ("webhook.store", "webhook.due", "webhook.process"), [ring, accept], enter_bob),
    Death("webhook of one who is out", ("webhook.done",), [talk, kick], carol_comes_back),
    Death("webhook without LiveKit", ("webhook.failed",), [talk, kick], carol_comes_back, faults=("RemoveParticipant",)),
    Death("purge", ("webhook.purge",), [ring], the_purge_is_due),
    Death(
        "watch after a kick",
        ("kick_watch", "rooms.remove_participant@domain.kick_watch._remove"),
        [talk, kick],
        carol_comes_back_at_once,
        asleep=True,
    ),
    timeout("ringing", [ring_both], seats_age, "rooms.delete_room@domain.repairs.carry_out"),
    timeout("connecting", [ring, accept], calls_age_an_hour),
    timeout("reconnecting", [talk_alone, bob_is_lost], calls_age_an_hour),
    timeout("never_joined", [ring_both, accept], seats_age),
    timeout("network_error", [talk, bob_is_lost], seats_age),
    timeout("duration", [talk], partial(calls_age, column="connected_at", hours=9)),
    timeout("start", [scheduled_through_the_table], partial(calls_age, column="created_at")),
    Death(
        "reconcile",
        (
            "reconcile.calls",
            "rooms.list_rooms@domain.reconciler._rooms",
            "rooms.list_participants@domain.reconciler.look.look",
            "reconcile.call",
        ),
        [talk],
        room_vanishes,
        asleep=True,
    ),
    Death("room is gone", ("rooms.create_room@domain.repairs._open_room", "room.note"), [ring], room_vanishes, asleep=True),
    Death("half started", ("rooms.list_rooms@domain.reconciler._finish_starts",), [half_started], calls_age_an_hour, asleep=True),
    Death(
        "room of an ended call",
        ("reconcile.ended", "rooms.delete_room@domain.reconciler._side_by_side"),
        [talk, ended_but_for_the_room],
        seats_age,
        asleep=True,
    ),
    Death(
        "room of a call that ends",
        ("rooms.delete_room@domain.repairs._open_room",),
        [ring_and_be_heard],
        room_vanishes_for_a_while,
        asleep=True,
        meanwhile=call_ends_before_its_room_is_back,
    ),
    Death("wrong rights", ("rooms.set_grant@domain.repairs.carry_out",), [talk], bob_may_share_by_mistake, asleep=True),
    Death("one who is out", ("rooms.remove_participant@domain.repairs.carry_out",), [talk, kick], carol_comes_back, asleep=True),
)
