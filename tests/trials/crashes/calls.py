"""Crashes while a call begins, grows, is asked for and ends."""

from tests.trials.crashes.crash import Crash, known
from tests.trials.crashes.people import accept, invite, request, ring, ring_both, talk
from tests.trials.trial_call import TrialCall


async def only_viewers_stay(on: TrialCall) -> None:
    await on.database.execute("UPDATE nchat_call_participants SET role = 'viewer' WHERE call_id = $1 AND role <> 'host'", on.call)


async def ask_for_ice_servers(on: TrialCall) -> None:
    await on.caller(on.alice).data("{ iceServers { ttl } }")


async def ask_who_was_there(on: TrialCall) -> None:
    await on.caller(on.alice).data("query ($call: uuid!) { callAttendance(input: {callId: $call}) { seconds } }", {"call": str(on.call)})


async def planned_through_the_table(on: TrialCall) -> None:
    query = 'mutation { insert_nchat_calls_one(object: {type: "audio", scheduled_at: "now"}) { id } }'
    on.call = (await on.caller(on.alice).data(query))["insert_nchat_calls_one"]["id"]


async def start_what_was_planned(on: TrialCall) -> None:
    await on.act(on.alice, "startScheduledCall", targetUserIds=[str(on.bob), str(on.carol)])


CALLS = (
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
    Crash("start what was planned", ("start_scheduled_call.write",), [planned_through_the_table], start_what_was_planned),
    Crash("join", ("join_call.write",), [ring_both, accept], request("carol", "joinCall")),
    Crash("refresh", ("refresh_call_token.write",), [ring, accept], request("bob", "refreshCallToken")),
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
    Crash("ice servers", ("ice_servers.read",), [ring], ask_for_ice_servers),
    Crash("attendance", ("call_attendance.read",), [ring, accept], ask_who_was_there),
)
