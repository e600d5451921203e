"""Every way a service process dies in the midst of a call: what goes before, what is under way, and at which points it ends."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson
from livekit import api

from tests.support.killable_service import PATIENCE
from tests.support.waiting import eventually
from tests.trials.trial_call import TrialCall, cut_off

Step = Callable[[TrialCall], Awaitable[Any]]
DELIVERED = "INSERT INTO nchat_webhook_events (id, event, payload) VALUES ('EV_' || gen_random_uuid(), $1, $2::jsonb)"


@dataclass(frozen=True, slots=True)
class Crash:
    """`asleep`: `during` happens while no service runs, and the next one dies at its own work. Otherwise `during` is a request.

    `points` are transactions, and calls of a port with the function that makes them. `faults` are methods of LiveKit that fail
    until the process is killed. `meanwhile` goes on beside a start that ends in crash. `again` are the codes that the same request
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
        return not self.asleep and not self.name.startswith(("webhook", "purge", "push"))

    def moments(self) -> list[str]:
        """Each point twice: before and after."""
        return [moment for point in self.points for moment in _around(point)]


def _around(point: str) -> tuple[str, str]:
    method, at, site = point.partition("@")
    return (f"{method}:before@{site}", f"{method}:after@{site}") if at else (f"{point}:before_commit", f"{point}:after_commit")


async def nothing(_on: TrialCall) -> None:
    """The service dies at what it does anyway."""


async def ring(on: TrialCall) -> None:
    await on.ring()


async def ring_and_be_heard(on: TrialCall) -> None:
    """No webhook is on its way any more."""
    await on.ring()
    await eventually(on.start_is_heard)


async def ring_both(on: TrialCall) -> None:
    await on.ring(on.bob, on.carol)


async def accept(on: TrialCall) -> None:
    await on.act(on.bob, "acceptCall")


async def talk(on: TrialCall) -> None:
    await on.talk()


async def talk_alone(on: TrialCall) -> None:
    await on.talk(on.bob)


async def kick(on: TrialCall) -> None:
    await on.act(on.alice, "kickParticipant", participantId=await on.participant(on.carol))


async def mute(on: TrialCall) -> None:
    await on.act(on.alice, "muteParticipant", participantId=await on.participant(on.bob), trackType="audio")


async def ask_bob_to_unmute(on: TrialCall) -> None:
    await on.act(on.alice, "askToUnmute", participantId=await on.participant(on.bob))


async def make_bob_a_viewer(on: TrialCall) -> None:
    await on.act(on.alice, "setParticipantRole", participantId=await on.participant(on.bob), role="viewer")


async def readmit(on: TrialCall) -> None:
    await on.act(on.alice, "readmitParticipant", participantId=await on.participant(on.carol))


async def invite(on: TrialCall) -> None:
    await on.act(on.alice, "inviteToCall", userIds=[str(on.carol)])


async def only_viewers_stay(on: TrialCall) -> None:
    await on.database.execute("UPDATE nchat_call_participants SET role = 'viewer' WHERE call_id = $1 AND role <> 'host'", on.call)


async def ask_for_ice_servers(on: TrialCall) -> None:
    await on.caller(on.alice).data("{ iceServers { ttl } }")


async def ask_who_was_there(on: TrialCall) -> None:
    await on.caller(on.alice).data("query ($call: uuid!) { callAttendance(input: {callId: $call}) { seconds } }", {"call": str(on.call)})


async def enter_bob(on: TrialCall) -> None:
    on.enter(on.bob, "microphone", "camera")


async def carol_comes_back(on: TrialCall) -> None:
    """With her old token, when nobody watches for her any more."""
    await on.long_ago("nchat_call_participants", "status_since")
    on.enter(on.carol)


async def carol_comes_back_at_once(on: TrialCall) -> None:
    on.enter(on.carol)


async def bob_is_lost(on: TrialCall) -> None:
    on.lose(on.bob)
    await eventually(partial(on.stands, on.bob, "disconnected"))


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


async def scheduled_through_the_table(on: TrialCall) -> None:
    query = 'mutation { insert_nchat_calls_one(object: {type: "audio"}) { id } }'
    on.call = (await on.caller(on.alice).data(query))["insert_nchat_calls_one"]["id"]


async def planned_through_the_table(on: TrialCall) -> None:
    query = 'mutation { insert_nchat_calls_one(object: {type: "audio", scheduled_at: "now"}) { id } }'
    on.call = (await on.caller(on.alice).data(query))["insert_nchat_calls_one"]["id"]


async def start_what_was_planned(on: TrialCall) -> None:
    await on.act(on.alice, "startScheduledCall", targetUserIds=[str(on.bob), str(on.carol)])


async def carol_waits(on: TrialCall) -> None:
    """In the lobby, after she declined."""
    await on.database.execute("UPDATE nchat_calls SET lobby = true WHERE id = $1", on.call)
    await on.act(on.carol, "declineCall")
    await on.act(on.carol, "joinCall")


async def on_carol(name: str, on: TrialCall) -> None:
    await on.act(on.alice, name, participantId=await on.participant(on.carol))


async def a_foreign_rooms_webhook(on: TrialCall) -> None:
    await on.database.execute(DELIVERED, "room_started", orjson.dumps({"room": {"name": f"not {on.room}", "sid": "RM_foreign"}}).decode())


async def an_arrival_that_fails(on: TrialCall) -> None:
    """Its connection's name is longer than its column."""
    sid = await on.database.fetchval("SELECT room_sid FROM nchat_calls WHERE id = $1", on.call)
    participant = {"identity": str(on.alice), "sid": "PA_" + "x" * 300, "kind": "standard"}
    told = {"room": {"name": on.room, "sid": sid}, "participant": participant}
    await on.database.execute(DELIVERED, "participant_joined", orjson.dumps(told).decode())


async def carol_rests(on: TrialCall) -> None:
    await on.caller(on.carol).act("setCallPreferences", "userId", dndUntil="2126-01-01T00:00:00Z")


async def alice_owns_the_channel(on: TrialCall) -> None:
    await on.database.execute("INSERT INTO nchat_channels (id, name) VALUES ($1, 'own')", on.alice)
    await on.database.execute("INSERT INTO nchat_channel_members (channel_id, user_id, role) VALUES ($1, $1, 'owner')", on.alice)


async def record_by_itself(on: TrialCall) -> None:
    await on.caller(on.alice).act("setChannelCallSettings", "channelId", channelId=str(on.alice), autoRecord="first")


async def the_purge_is_due(on: TrialCall) -> None:
    await on.database.execute("UPDATE pgqueuer_schedules SET next_run = now() WHERE entrypoint = 'purge_webhooks'")


async def the_pushes_purge_is_due(on: TrialCall) -> None:
    await on.database.execute("UPDATE pgqueuer_schedules SET next_run = now() WHERE entrypoint = 'purge_pushes'")


async def calls_age(on: TrialCall, column: str, hours: int = 1) -> None:
    await on.long_ago("nchat_calls", column, hours=hours)


async def calls_age_an_hour(on: TrialCall) -> None:
    await calls_age(on, "status_since")


async def seats_age(on: TrialCall) -> None:
    await on.long_ago("nchat_call_participants", "status_since")


async def act(who: str, name: str, on: TrialCall, /, **fields: object) -> None:
    await on.act(getattr(on, who), name, **fields)


def request(who: str, name: str, **fields: object) -> Step:
    return partial(act, who, name, **fields)


def timeout(name: str, before: Sequence[Step], during: Step, *told: str) -> Crash:
    return Crash(f"timeout {name}", (f"timeout.{name}.due", f"timeout.{name}", *told), before, during, asleep=True)


def known(*codes: str) -> frozenset[str]:
    return frozenset({"", *codes})


CRASHES = (
    Crash(
        "initiate",
        ("initiate_call.write", "rooms.create_room@domain.calls.opening.open_call", "initiate_call.ring", "initiate_call.answer"),
        [],
        ring_both,
    ),
    Crash("initiate without LiveKit", ("initiate_call.fail",), [], ring, faults=("CreateRoom",)),
    Crash("accept", ("accept_call.write",), [ring], request("bob", "acceptCall"), known("answered-elsewhere")),
    Crash(
        "decline",
        ("decline_call.write", "rooms.delete_room@domain.calls.ending.close_room", "room.closed"),
        [ring],
        request("bob", "declineCall"),
        known("call-ended"),
    ),
    Crash("cancel", ("cancel_call.write",), [ring], request("alice", "cancelCall"), known("call-ended")),
    Crash("end", ("end_call.write",), [talk], request("alice", "endCall"), known("call-ended")),
    Crash("invite", ("invite_to_call.write",), [ring, accept], invite),
    Crash("preferences", ("set_call_preferences.write",), [ring], carol_rests),
    Crash("settings of a channel", ("set_channel_call_settings.write",), [ring, alice_owns_the_channel], record_by_itself),
    Crash("ice servers", ("ice_servers.read",), [ring], ask_for_ice_servers),
    Crash("attendance", ("call_attendance.read",), [ring, accept], ask_who_was_there),
    Crash("join", ("join_call.write",), [ring_both, accept], request("carol", "joinCall")),
    Crash("refresh", ("refresh_call_token.write",), [ring, accept], request("bob", "refreshCallToken")),
    Crash("mute oneself", ("set_muted.write",), [ring, accept], request("bob", "setMuted", trackType="audio", muted=True)),
    Crash(
        "mute",
        (
            "mute_participant.check",
            "rooms.list_participants@domain.calls.actions.mute._mute_tracks",
            "rooms.mute_track@domain.calls.actions.mute._mute_those",
            "mute_participant.write",
        ),
        [talk],
        mute,
    ),
    Crash(
        "mute all",
        ("mute_all.check", "rooms.list_participants@domain.calls.actions.mute._silence", "mute_all.write"),
        [talk],
        request("alice", "muteAll"),
    ),
    Crash("ask to unmute", ("ask_to_unmute.write",), [talk], ask_bob_to_unmute),
    Crash("raise a hand", ("hand.write",), [talk], request("bob", "raiseHand")),
    Crash("start what was planned", ("start_scheduled_call.write",), [planned_through_the_table], start_what_was_planned),
    Crash("admit", ("admit_to_call.write",), [ring_both, accept, carol_waits], partial(on_carol, "admitToCall")),
    Crash("deny", ("deny_from_lobby.write",), [ring_both, accept, carol_waits], partial(on_carol, "denyFromLobby")),
    Crash("quality", ("report_connection_quality.write",), [talk], request("bob", "reportConnectionQuality", quality="poor")),
    Crash(
        "role",
        ("set_participant_role.write", "set_participant_role.tell", "rooms.set_grant@domain.calls.actions.role._tell"),
        [talk],
        make_bob_a_viewer,
    ),
    Crash("kick", ("kick_participant.write", "rooms.remove_participant@domain.calls.actions.kick.remove"), [talk], kick),
    Crash("readmit", ("readmit_participant.write",), [talk, kick], readmit, known("invalid-input")),
    Crash(
        "leave",
        ("leave_call.write", "rooms.remove_participant@domain.calls.leaving.after_leaving"),
        [talk],
        request("bob", "leaveCall"),
    ),
    Crash(
        "leave it to a viewer",
        ("rooms.set_grant@domain.calls.leaving.grant_host_rights",),
        [talk, only_viewers_stay],
        request("alice", "leaveCall"),
    ),
    Crash(
        "share a screen",
        ("start_screen_share.write", "rooms.set_grant@domain.calls.actions.screen_share.start_screen_share"),
        [talk],
        request("bob", "startScreenShare"),
    ),
    Crash("share without LiveKit", ("start_screen_share.undo",), [talk], request("bob", "startScreenShare"), faults=("UpdateParticipant",)),
    Crash(
        "stop sharing",
        ("stop_screen_share.write", "rooms.set_grant@domain.calls.actions.screen_share._revoke"),
        [talk, request("bob", "startScreenShare")],
        request("bob", "stopScreenShare"),
    ),
    Crash("webhook", ("webhook.store", "webhook.due", "webhook.process"), [ring, accept], enter_bob),
    Crash("webhook of a room that is no call's", ("webhook.strays",), [ring], a_foreign_rooms_webhook, asleep=True),
    Crash("webhook that fails", ("webhook.one",), [ring], an_arrival_that_fails, asleep=True),
    Crash("webhook of one who is out", ("webhook.done",), [talk, kick], carol_comes_back),
    Crash("webhook without LiveKit", ("webhook.failed",), [talk, kick], carol_comes_back, faults=("RemoveParticipant",)),
    Crash("age of the backlog", ("webhook.age",), [ring], nothing, asleep=True),
    Crash("purge", ("webhook.purge",), [ring], the_purge_is_due),
    Crash("purge of pushes", ("push.purge",), [ring], the_pushes_purge_is_due),
    # To a service that is away: each is tried again and again.
    Crash("push", ("push.age", "push.take", "push.settle"), [ring], nothing),
    Crash(
        "watch after a kick",
        ("kick_watch", "rooms.remove_participant@domain.reconciler.kick_watch._remove"),
        [talk, kick],
        carol_comes_back_at_once,
        asleep=True,
    ),
    timeout("ringing", [ring_both], seats_age, "rooms.delete_room@domain.calls.ending.close_room"),
    timeout("connecting", [ring, accept], calls_age_an_hour),
    timeout("reconnecting", [talk_alone, bob_is_lost], calls_age_an_hour),
    timeout("never_joined", [ring_both, accept], seats_age),
    timeout("network_error", [talk, bob_is_lost], seats_age),
    timeout("duration", [talk], partial(calls_age, column="connected_at", hours=9)),
    timeout("start", [scheduled_through_the_table], partial(calls_age, column="created_at")),
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
