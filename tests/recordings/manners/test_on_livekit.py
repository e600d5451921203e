"""Consent on the real servers: who is connected when record is pressed agrees, or is out of LiveKit's room before anything is recorded."""

from datetime import timedelta

import pytest

from domain.calls.actions.join import join_call
from domain.errors import ConsentNeeded
from domain.recordings.actions.consent import give_recording_consent
from tests.recordings.conftest import Workers
from tests.recordings.live_call import LiveCall
from tests.support.domain_setup import ALICE, BOB, session
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio


async def present(live: LiveCall) -> set[str]:
    room = await live.on.database.fetchval("SELECT room_name FROM nchat_calls WHERE id = $1", live.id)
    return {one.identity for one in await live.world.rooms.list_participants(room)}


@pytest.mark.parametrize("agrees", [True, False], ids=["agrees", "silent"])
async def test_who_is_connected_agrees_or_is_out(live: LiveCall, workers: Workers, agrees: bool) -> None:
    workers()
    await live.on.database.execute("UPDATE nchat_calls SET recording_consent = 'ask'")
    recording_id = await live.start()
    assert await live.told() == ["recording_consent_asked"]
    if agrees:
        await give_recording_consent(live.world, session(BOB), live.id)
    else:
        # The half minute is over.
        await live.on.database.execute(
            "UPDATE nchat_call_recordings SET consent_asked_at = consent_asked_at - $1::interval", timedelta(seconds=30)
        )
    await live.becomes(recording_id, "recording")
    assert await present(live) == ({str(ALICE), str(BOB)} if agrees else {str(ALICE)})
    bob = await live.on.participant(live.id, BOB)
    assert (bob["status"], bob["leave_reason"]) == (("connected", None) if agrees else ("left", "consent_refused"))
    if not agrees:
        with pytest.raises(ConsentNeeded):
            await join_call(live.world, session(BOB), live.id)


async def test_one_whose_arrival_nobody_told_of_is_not_recorded(live: LiveCall, workers: Workers) -> None:
    """bob's rows say that he has only a ticket; he is in the room."""
    workers()
    live.deaf = True
    await live.on.database.execute("UPDATE nchat_calls SET recording_consent = 'ask'")
    await live.on.database.execute(
        "UPDATE nchat_call_participants SET status = 'connecting', participant_sid = NULL WHERE user_id = $1", BOB
    )
    recording_id = await live.start()
    await live.on.database.execute(
        "UPDATE nchat_call_recordings SET consent_asked_at = consent_asked_at - $1::interval", timedelta(seconds=30)
    )
    await live.becomes(recording_id, "recording")

    async def out() -> bool:
        return await present(live) == {str(ALICE)}

    await eventually(out)
    assert (await live.on.participant(live.id, BOB))["leave_reason"] == "consent_refused"
