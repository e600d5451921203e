"""Who sees a call is not yet who may act in it: every action by everyone who may not, and nothing changes."""

from collections.abc import Mapping
from pathlib import Path
from uuid import UUID, uuid4

import pytest

import permissions
from permissions.reading.metadata import load_metadata
from tests.support.completeness import unlisted
from tests.support.domain_setup import ALICE, BOB, CAROL, DAVE
from tests.support.dump import dump
from tests.support.refusals import error_in
from tests.support.whole_service import Caller, WholeService, bearer
from tests.trials.conftest import schema_of
from tests.trials.hidden_call import Hidden, Thing
from tests.trials.probes import Probe, actions

pytestmark = pytest.mark.anyio

METADATA = Path(permissions.__file__).parent / "metadata"
# What a participant without a role may not do. Every action on a call stands in one of the two.
FOR_HOSTS = {
    "admitToCall",
    "askToUnmute",
    "cancelCall",
    "denyFromLobby",
    "endCall",
    "inviteToCall",
    "kickParticipant",
    "muteAll",
    "muteParticipant",
    "readmitParticipant",
    "setParticipantRole",
    "startRecording",
    "startScheduledCall",
}
FOR_ALL = {
    "acceptCall",
    "declineCall",
    "giveRecordingConsent",
    "joinCall",
    "leaveCall",
    "lowerHand",
    "raiseHand",
    "refreshCallToken",
    "reportConnectionQuality",
    "setMuted",
    "startScreenShare",
    "stopScreenShare",
}
# For all who see the call, whether they are in it or not.
FOR_ONLOOKERS = {"callAttendance"}
# They name a recording: who may is asked in tests/recordings.
ON_RECORDINGS = {"deleteRecording", "pauseRecording", "recordingDownload", "resumeRecording", "stopRecording"}
# They name a stream, or something of one: who may is asked in tests/streams and tests/playback.
ON_STREAMS = {
    "addStreamDestination",
    "banFromStream",
    "cancelStream",
    "clipStream",
    "createStream",
    "deleteStreamChat",
    "heartbeatStream",
    "highlightStreamChat",
    "inviteToStream",
    "joinStream",
    "leaveStream",
    "pinStreamChat",
    "reactToStream",
    "refreshStreamToken",
    "removeStreamDestination",
    "reportStreamHealth",
    "resetStreamIngress",
    "sendStreamChat",
    "startStream",
    "stopStream",
    "streamHealth",
    "streamViewers",
    "unbanFromStream",
    "uninviteFromStream",
    "unpinStreamChat",
    "updateStreamDestination",
}
# They name no call: whom a new one may ring is asked in tests/calls, ICE servers belong to none, settings are asked
# in tests/call_settings, and `me` is for everybody.
ON_NO_CALL = {"iceServers", "initiateCall", "me", "setCallPreferences", "setChannelCallSettings"}


async def on_calls(caller: Caller) -> list[Probe]:
    """The actions that are on a call and on nothing else: what names one among others has tests of its own."""
    return [probe for probe in actions(await schema_of(caller)) if probe.field not in ON_STREAMS]


async def codes(caller: Caller, call: Thing, names: set[str] | None = None) -> Mapping[str, str]:
    """The code that each action on the call is refused with."""
    asked = [probe for probe in await on_calls(caller) if names is None or probe.field in names]
    assert asked
    return {probe.field: await caller.refusal(probe.document, probe.variables(call.id, call.other)) for probe in asked}


def test_every_action_is_known() -> None:
    names = {action.name for action in load_metadata(METADATA).actions}
    known = FOR_HOSTS | FOR_ALL | FOR_ONLOOKERS | ON_RECORDINGS | ON_STREAMS | ON_NO_CALL
    unknown = unlisted(names, known, "FOR_HOSTS, FOR_ALL, FOR_ONLOOKERS, ON_RECORDINGS, ON_STREAMS or ON_NO_CALL", __name__)
    assert not unknown, "\n".join(unknown)


async def test_every_action_on_a_call_is_for_hosts_or_for_all(service: WholeService) -> None:
    assert {probe.field for probe in await on_calls(service.person(ALICE))} == FOR_HOSTS | FOR_ALL


async def test_a_participant_is_no_host(service: WholeService, hidden: Hidden, demo_database_url: str) -> None:
    before = await dump(demo_database_url)
    refused = await codes(service.person(BOB), hidden.call, FOR_HOSTS)
    assert set(refused.values()) == {"not-allowed"}, refused
    assert await dump(demo_database_url) == before


async def test_who_only_sees_the_call_may_join_it_and_nothing_else(service: WholeService, hidden: Hidden, demo_database_url: str) -> None:
    """Or agree, before joining, to its being recorded."""
    before = await dump(demo_database_url)
    refused = await codes(service.person(DAVE), hidden.call, (FOR_HOSTS | FOR_ALL) - {"joinCall", "giveRecordingConsent"})
    ringing = {"acceptCall", "declineCall"}
    assert refused == {name: "not-ringing" if name in ringing else "not-allowed" for name in refused}
    assert await dump(demo_database_url) == before


async def test_a_host_reaches_nobody_in_another_call(service: WholeService, hidden: Hidden, demo_database_url: str) -> None:
    carol = service.person(CAROL)
    own = UUID((await carol.act("initiateCall", type="audio", targetUserIds=[str(DAVE)]))["callId"])
    before = await dump(demo_database_url)
    named = FOR_HOSTS - {"cancelCall", "endCall", "inviteToCall", "startRecording", "startScheduledCall"}
    for other in (hidden.call.other, uuid4()):
        assert await codes(carol, Thing("call", own, other), named) == dict.fromkeys(named, "not-found")
    assert await dump(demo_database_url) == before


@pytest.mark.parametrize("who", ["admin", "user"])
async def test_nobody_in_particular_acts_on_nothing(service: WholeService, hidden: Hidden, demo_database_url: str, who: str) -> None:
    caller = service.admin() if who == "admin" else Caller(service.http, bearer(None))
    before = await dump(demo_database_url)
    for probe in await on_calls(caller):
        answer = (await caller.post(probe.document, probe.variables(hidden.call.id, hidden.call.other))).json()
        assert error_in(answer, probe)["message"] == 'missing session variable: "x-hasura-user-id"', str(probe)
    assert await dump(demo_database_url) == before


async def test_a_person_who_does_not_exist(service: WholeService, hidden: Hidden, demo_database_url: str) -> None:
    before = await dump(demo_database_url)
    stranger = await codes(service.person(uuid4()), hidden.call)
    assert set(stranger.values()) == {"not-found"}, stranger
    admin = await codes(service.admin(uuid4()), hidden.call)
    assert set(admin.values()) <= {"not-allowed", "not-ringing", "invalid-input"}, admin
    assert await dump(demo_database_url) == before
