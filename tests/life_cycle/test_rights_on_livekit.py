"""Who is in LiveKit's room, with which rights, is what the rows say: after each role, mute and promotion of a real client."""

from contextlib import suppress
from functools import partial
from uuid import UUID

import pytest
from livekit import rtc

from domain.calls.actions.join import join_call
from domain.calls.actions.mute import mute_all
from domain.calls.actions.role import Role, set_participant_role
from domain.errors import NotAllowed
from tests.life_cycle.live_service import LiveService, agree, agreed, talk
from tests.support.domain_setup import ALICE, BOB, session
from tests.support.waiting import eventually, within

pytestmark = pytest.mark.anyio
# LiveKit's own time until it gives up on a request.
REFUSED_WITHIN = 5


async def give(service: LiveService, call_id: UUID, by: UUID, to: UUID, role: Role) -> None:
    await set_participant_role(service.world, session(by), call_id, (await service.on.participant(call_id, to))["id"], role)


async def publish(client: rtc.Room) -> None:
    """The client's microphone, silent."""
    track = rtc.LocalAudioTrack.create_audio_track("microphone", rtc.AudioSource(48000, 1))
    options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
    await within(client.local_participant.publish_track(track, options), REFUSED_WITHIN)


async def has_microphone(service: LiveService, room: str, user_id: UUID) -> bool:
    return any(one.tracks for one in await service.rooms.list_participants(room) if one.identity == str(user_id))


async def test_a_role_is_what_livekit_lets_a_client_do(service: LiveService) -> None:
    call_id, ticket, _ = await talk(service)
    bob = service.clients[1]
    await publish(bob)
    await agree(service, call_id, ALICE, BOB)
    await give(service, call_id, ALICE, BOB, "viewer")
    await agree(service, call_id, ALICE, BOB)
    assert not await has_microphone(service, ticket.room_name, BOB)
    with suppress(Exception):
        await publish(bob)
    assert not await has_microphone(service, ticket.room_name, BOB)
    for role in ("participant", "co_host"):
        await give(service, call_id, ALICE, BOB, role)
        await agree(service, call_id, ALICE, BOB)
    await publish(bob)
    await eventually(partial(has_microphone, service, ticket.room_name, BOB))
    await give(service, call_id, ALICE, BOB, "host")
    with pytest.raises(NotAllowed):
        await give(service, call_id, ALICE, BOB, "viewer")
    await give(service, call_id, BOB, ALICE, "viewer")
    await agree(service, call_id, ALICE, BOB)


async def test_an_old_token_does_not_give_back_an_old_role(service: LiveService) -> None:
    call_id, _, bob = await talk(service)
    await give(service, call_id, ALICE, BOB, "viewer")
    await join_call(service.world, session(BOB), call_id)
    await service.connect(bob)
    # The webhook of the arrival, not the reconciler's next look.
    await agree(service, call_id, ALICE, BOB, seconds=5)


async def test_nobody_promotes_oneself_by_own_metadata(service: LiveService) -> None:
    call_id, ticket, _ = await talk(service)
    await give(service, call_id, ALICE, BOB, "viewer")
    await agree(service, call_id, ALICE, BOB)
    me = service.clients[1].local_participant
    before = await service.on.participant(call_id, BOB)
    for write in (
        me.set_metadata('{"role": "host", "canPublish": true}'),
        me.set_attributes({"role": "host", "lk.publish": "true"}),
        me.set_name("host"),
    ):
        with suppress(Exception):
            await within(write, REFUSED_WITHIN)
    with suppress(Exception):
        await publish(service.clients[1])
    row = await service.on.participant(call_id, BOB)
    assert row == before
    assert row["role"] == "viewer"
    assert await agreed(service, call_id, ALICE, BOB)
    assert not await has_microphone(service, ticket.room_name, BOB)
    with pytest.raises(NotAllowed):
        await give(service, call_id, BOB, BOB, "host")


async def test_everybody_is_muted_in_the_room_and_in_the_rows(service: LiveService) -> None:
    call_id, _, _ = await talk(service)
    for client in service.clients:
        await publish(client)
    await agree(service, call_id, ALICE, BOB)
    done = await mute_all(service.world, session(ALICE), call_id)
    bob = await service.on.participant(call_id, BOB)
    assert done.participant_ids == (bob["id"],)
    assert bob["is_muted"]
    assert not (await service.on.participant(call_id, ALICE))["is_muted"]
    await agree(service, call_id, ALICE, BOB)
