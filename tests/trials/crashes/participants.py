"""Crashes while somebody in a call is muted, heard, seen, let in or sent away."""

from functools import partial

from tests.trials.crashes.crash import Crash, known
from tests.trials.crashes.people import accept, kick, request, ring, ring_both, talk
from tests.trials.trial_call import TrialCall


async def mute(on: TrialCall) -> None:
    await on.act(on.alice, "muteParticipant", participantId=await on.participant(on.bob), trackType="audio")


async def ask_bob_to_unmute(on: TrialCall) -> None:
    await on.act(on.alice, "askToUnmute", participantId=await on.participant(on.bob))


async def make_bob_a_viewer(on: TrialCall) -> None:
    await on.act(on.alice, "setParticipantRole", participantId=await on.participant(on.bob), role="viewer")


async def readmit(on: TrialCall) -> None:
    await on.act(on.alice, "readmitParticipant", participantId=await on.participant(on.carol))


async def carol_waits(on: TrialCall) -> None:
    """In the lobby, after she declined."""
    await on.database.execute("UPDATE nchat_calls SET lobby = true WHERE id = $1", on.call)
    await on.act(on.carol, "declineCall")
    await on.act(on.carol, "joinCall")


async def on_carol(name: str, on: TrialCall) -> None:
    await on.act(on.alice, name, participantId=await on.participant(on.carol))


PARTICIPANTS = (
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
)
