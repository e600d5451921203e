"""Manners and consent as a client meets them."""

import pytest

from tests.support.actions import Api
from tests.support.domain_setup import ALICE, BOB, GENERAL, Setup, session

pytestmark = pytest.mark.anyio
INITIATE = "mutation ($input: InitiateCallInput!) { initiateCall(input: $input) { callId call { auto_record recording_consent } } }"
ACCEPT = "mutation ($call: uuid!) { acceptCall(input: {callId: $call}) { token } }"
AGREE = "mutation ($call: uuid!) { giveRecordingConsent(input: {callId: $call}) { callId participant { user_id status consented_at } } }"


async def test_asked_agreed_and_in(on: Setup, client: Api) -> None:
    wanted = {"type": "video", "targetUserIds": [str(BOB)], "autoRecord": "second", "recordingConsent": "ask"}
    started = (await client.data(session(ALICE), INITIATE, {"input": wanted}))["initiateCall"]
    assert started["call"] == {"auto_record": "second", "recording_consent": "ask"}
    call = {"call": started["callId"]}
    assert (await client.refusal(session(BOB), ACCEPT, call))[0] == "consent-needed"
    agreed = (await client.data(session(BOB), AGREE, call))["giveRecordingConsent"]
    assert agreed["callId"] == started["callId"]
    assert (agreed["participant"]["user_id"], agreed["participant"]["status"]) == (str(BOB), "ringing")
    assert agreed["participant"]["consented_at"] is not None
    assert (await client.data(session(BOB), ACCEPT, call))["acceptCall"]["token"]


async def test_laxer_than_the_channel(on: Setup, client: Api) -> None:
    await on.database.execute(
        "INSERT INTO nchat_channel_call_settings (channel_id, auto_record, recording_consent) VALUES ($1, 'first', 'ask')", GENERAL
    )
    wanted = {"type": "video", "channelId": str(GENERAL), "recordingConsent": "notify"}
    assert (await client.refusal(session(ALICE), INITIATE, {"input": wanted}))[0] == "invalid-input"
    assert await on.database.fetchval("SELECT count(*) FROM nchat_calls") == 0
